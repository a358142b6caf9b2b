"""What the log probabilities of a short answer say about it and about its alternatives."""

import json
import math

import pytest

from router.plans.logprobs import chances_of
from router.telemetry.rows import request_row
from tests.rig import rig
from tests.router.scripted import ScriptedModel
from tests.upstream import Upstream


def body(*tokens):
    """A body whose tokens have these chances, and these alternatives."""
    content = [
        {
            "token": text,
            "logprob": math.log(chance),
            "top_logprobs": [{"token": t, "logprob": math.log(p)} for t, p in others.items()],
        }
        for text, chance, others in tokens
    ]
    return json.dumps({"choices": [{"logprobs": {"content": content}}]}).encode()


SHIPPING = body(
    ("ship", 0.8, {"ship": 0.8, "bill": 0.15}), ("ping", 0.9, {"ping": 0.9, "ment": 0.1})
)


def test_an_alternative_is_known_by_its_beginning():
    chances = {"shipping": 0.72, "bill…": 0.15, "shipment…": 0.08}
    assert chances_of(SHIPPING, "shipping\n") == chances


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (SHIPPING, "billing"),  # of another text: something changed the answer
        (b'{"choices": [{"logprobs": null}]}', "shipping"),
        (body(*[("a ", 0.5, {})] * 40), "a " * 40),  # no label is so long
    ],
)
def test_what_is_no_label_or_not_of_this_answer_has_no_chances(answer, text):
    assert chances_of(answer, text) == {}


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize(
    ("plan", "wishes"),
    [
        ({"ask": "a"}, {"logprobs": True, "top_logprobs": 5}),
        ({"cascade": ["a", "a"], "accept": {"entropy": 2.0}}, {}),
        ({"cascade": ["a", "a"], "accept": {"entropy": 2.0}}, {"stream": True}),
    ],
)
async def test_chances_are_written_down_where_the_words_of_answers_are(plan, wishes, kept):
    async with Upstream(ScriptedModel("xx", probability=0.9)).listening() as upstream:
        backend = {"kind": "openai", "base_url": upstream.url, "model": "m"}
        raw = {"backends": {"a": backend}, "plans": {"p": plan}, "telemetry": {"answers": kept}}
        async with rig(json.dumps(raw)) as waggle:
            await waggle.chat("?", **wishes)
            row = request_row(waggle.journal.traces[-1])
            expected = {"xx": 0.81, "y…": 0.05, "xy…": 0.045}
            assert row.get("chances") == (expected if kept else None)
