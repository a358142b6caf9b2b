"""What says that a remembered answer was right or wrong: only what could have said no."""

import json

import pytest
import yaml

from router.engine.answer_judges import by_opposites
from router.signals.judgements import equal
from tests.reuse.service import (
    AGAIN,
    QUESTION,
    ScriptedTexts,
    VerifyingBackend,
    earn_trust,
    models,
    rig,
    settled,
    verified,
)
from tests.upstream import Upstream, completion
from tests.waiting import until

DOGS_CAN = "Dogs can eat bananas in small amounts as an occasional treat for them."
DOGS_CANNOT = "Dogs cannot eat bananas in small amounts as an occasional treat for them."


@pytest.mark.parametrize(
    ("first", "second", "opposite"),
    [
        ("Yes, dogs can eat bananas.", "No, dogs cannot eat bananas.", True),
        ("True.", "False", True),
        ("Yes, they can.", "Yes: they can.", False),
        ("Paris.", "No idea.", False),
    ],
)
def test_answers_that_begin_with_yes_and_no_are_opposite(first, second, opposite):
    assert (by_opposites(first, second) is not None) == opposite
    assert (by_opposites(second, first) is not None) == opposite


def test_equal_answers_may_differ_in_blanks_and_in_the_order_of_json():
    assert equal("It is  Paris", "it is paris.")
    assert equal('{"a": 1, "b": 2}', '{"b": 2, "a": 1}')
    assert not equal(DOGS_CAN, DOGS_CANNOT)


async def _checked(waggle):
    """The event of a check: the stored answer was answered anew."""
    earn_trust(waggle)
    await waggle.chat(QUESTION)
    await settled(waggle)
    reply = await waggle.chat(AGAIN, headers={"x-waggle-explain": "true"})
    assert reply.json["waggle"]["reuse"]["checked"] is True
    await settled(waggle)
    (event,) = [event for event in waggle.journal.events if event.kind == "reuse"]
    return event


@pytest.mark.parametrize("answers", [(DOGS_CAN, DOGS_CANNOT), (DOGS_CAN, DOGS_CAN)])
async def test_without_evidence_a_check_counts_as_nothing(data, answers):
    async with (
        ScriptedTexts(*answers).listening() as model,
        rig(models(data, model.url, keep="all", checked=1.0)) as waggle,
    ):
        event = await _checked(waggle)
        assert event.state == "could not be judged"
        store = waggle.engine.recall.memory.store
        assert store.unjudged() == {event.detail["bucket"]: 1}
        assert store.checks(0) == []


@pytest.mark.parametrize(
    ("sort", "state"), [({DOGS_CAN, "They can."}, "right"), ({DOGS_CAN}, "wrong")]
)
async def test_the_verifying_backend_compares_the_two_answers(data, sort, state):
    async with (
        ScriptedTexts(DOGS_CAN, "They can.").listening() as model,
        VerifyingBackend(sort).listening() as cheap,
        rig(verified(data, model.url, cheap.url, keep="all", checked=1.0)) as waggle,
    ):
        event = await _checked(waggle)
        assert (event.state, event.detail["by"]) == (state, "the verifying backend")
        (check,) = waggle.engine.recall.memory.store.checks(0)
        assert (check.wrong, check.by) == (state == "wrong", "the verifying backend")


async def test_answers_that_an_encoder_finds_alike_are_told_apart(data):
    async with (
        ScriptedTexts(DOGS_CAN, DOGS_CANNOT).listening() as model,
        VerifyingBackend().listening() as cheap,
        rig(verified(data, model.url, cheap.url, keep="all", checked=1.0)) as waggle,
    ):
        encoder = waggle.engine.recall.memory.encoder
        cosine = await encoder.encode(DOGS_CAN) @ await encoder.encode(DOGS_CANNOT)
        assert cosine > 0.85
        assert (await _checked(waggle)).state == "wrong"


async def test_a_backend_that_does_not_say_the_same_twice_says_nothing(data):
    replies = iter(["yes", "no"])

    async def waver(wire) -> None:
        await wire.json(completion(next(replies)))

    async with (
        ScriptedTexts(DOGS_CAN, "They can.").listening() as model,
        Upstream(waver).listening() as cheap,
        rig(verified(data, model.url, cheap.url, keep="all", checked=1.0)) as waggle,
    ):
        assert (await _checked(waggle)).state == "could not be judged"


@pytest.mark.parametrize(("score", "state"), [(0.9, "right"), (0.1, "wrong")])
async def test_a_configured_judge_grades_the_remembered_answer(data, score, state):
    graded = []

    async def judge(wire) -> None:
        graded.append(wire.fields["messages"][-1]["content"])
        await wire.json(completion(json.dumps({"score": score, "problems": ""})))

    async with (
        ScriptedTexts(DOGS_CAN, "They can.").listening() as model,
        Upstream(judge).listening() as judging,
    ):
        settings = yaml.safe_load(models(data, model.url, keep="all", checked=1.0))
        settings["backends"]["judge"] = {"kind": "openai", "base_url": judging.url}
        # Of its own accord it judges no answer; a check asks it.
        settings["signals"] = [{"kind": "judge", "by": "judge", "share": 1e-9}]
        async with rig(yaml.safe_dump(settings)) as waggle:
            event = await _checked(waggle)
            assert (event.state, event.detail["by"]) == (state, "judge")
            assert DOGS_CAN in graded[0], "the remembered answer is graded, for the new request"
            assert AGAIN in graded[0]


async def test_tests_that_come_with_a_request_run_on_the_remembered_answer(data):
    right = "```python\ndef double(n):\n    return 2 * n\n```"
    wrong = "```python\ndef double(n):\n    return n * n\n```"
    ask = "Write a Python function double(n) that doubles a number."
    again = "please write a Python function double(n) that doubles a number"
    tests = {"metadata": {"tests": "assert double(3) == 6"}}
    async with ScriptedTexts(wrong, right).listening() as model:
        settings = yaml.safe_load(models(data, model.url, keep="all", checked=1.0))
        settings["backends"]["sandbox"] = {"kind": "sandbox"}
        settings["signals"] = [{"kind": "tests", "by": "sandbox"}]
        async with rig(yaml.safe_dump(settings)) as waggle:
            earn_trust(waggle)
            await waggle.chat(ask)
            await settled(waggle)
            reply = await waggle.chat(again, **tests)
            assert reply.headers["x-waggle-reuse"] == "novel"
            events = waggle.journal.events
            await until(lambda: [e for e in events if e.kind == "reuse"])
            (event,) = [event for event in events if event.kind == "reuse"]
            assert (event.state, event.detail["by"]) == ("wrong", "tests")


async def test_feedback_on_a_reused_answer_checks_its_kind_and_its_pair(data):
    async with (
        ScriptedTexts(DOGS_CAN, DOGS_CANNOT).listening() as model,
        rig(models(data, model.url, keep="all")) as waggle,
    ):
        earn_trust(waggle)
        await waggle.chat(QUESTION)
        await settled(waggle)
        reply = await waggle.chat(AGAIN)
        assert reply.headers["x-waggle-reuse"] == "reuse"
        body = {"request_id": reply.headers["x-waggle-request-id"], "score": 0.0}
        assert (await waggle.post("/v1/feedback", body)).status == 200
        await settled(waggle)
        (check,) = waggle.engine.recall.memory.store.checks(0)
        assert (check.wrong, check.by) == (True, "app")
