"""A learned model answers, or is unsure and leaves the request to who comes after it."""

import numpy as np
import pytest

from router.models.features import Asked, features_of
from router.models.head import GOOD, Doubts, Head, Slot
from router.models.scoring import Linear
from tests.models.made import KNOWN, register
from tests.router.scripted import ScriptedModel, planned, steps_of, text_of

SURE, TORN = KNOWN["billing"], "my invoice my parcel"


def learned(tmp_path, **more):
    return {"head": {"kind": "learned", "model": "triage", "home": str(tmp_path), **more}}


PLANS = {
    "steps": {"cascade": ["head", "big"], "accept": {"sure": True}},
    "chain": {"ask": "head", "fallback": ["big"]},
    "hedged": {"hedge": ["head", "big"]},
    "alone": {"ask": "head"},
}


@pytest.mark.parametrize("plan", ["steps", "chain", "hedged"])
async def test_where_it_is_unsure_the_next_is_asked(tmp_path, plan):
    register(tmp_path)
    async with planned(PLANS, learned(tmp_path), big=ScriptedModel("dear")) as waggle:
        answer = await waggle.chat(SURE, model=plan)
        assert (text_of(answer), answer.headers["x-waggle-backend"]) == ("billing", "head")
        assert answer.json["usage"]["cost"] == 0
        answer = await waggle.chat(TORN, model=plan)
        assert (text_of(answer), answer.headers["x-waggle-backend"]) == ("dear", "big")
        assert "x-waggle-partial" not in answer.headers
        assert steps_of(waggle)[0][1] == "head"


async def test_alone_it_says_that_it_is_unsure_and_why(tmp_path):
    register(tmp_path)
    async with planned(PLANS, learned(tmp_path), big=ScriptedModel("dear")) as waggle:
        answer = await waggle.chat(TORN, model="head")
        assert (text_of(answer), answer.headers["x-waggle-partial"]) == ("unsure", "unsure")
        report = answer.json["learned"]
        assert report["model"] == "triage@1"
        assert "is needed" in report["unsure"]
        assert set(report["chances"]) == {"billing", "shipping"}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": SURE}]}),
        ("/v1/responses", {"input": SURE}),
        ("/v1/messages", {"messages": [{"role": "user", "content": SURE}], "max_tokens": 9}),
    ],
)
async def test_it_answers_in_every_dialect(tmp_path, path, body, stream):
    register(tmp_path)
    async with planned(PLANS, learned(tmp_path), big=ScriptedModel("dear")) as waggle:
        answer = await waggle.post(path, body | {"model": "steps", "stream": stream})
        assert answer.status == 200
        assert b"billing" in answer.body
        assert waggle.journal.traces[-1].backend == "head"


async def test_an_error_names_the_missing_model_and_the_mend(tmp_path):
    async with planned(PLANS, learned(tmp_path), big=ScriptedModel("dear")) as waggle:
        answer = await waggle.chat(SURE, model="alone")
        assert answer.status >= 500
        assert b"no model is called triage" in answer.body
        assert b"waggle models train triage" in answer.body
        # The model's absence is not waited for, and a cascade goes on.
        assert text_of(await waggle.chat(SURE, model="steps")) == "dear"
        assert len(waggle.journal.traces[-1].attempts) == 2


def judge_by_hand():
    """A head that finds answers good that hold the word `good`."""
    good, bad = (features_of(Asked("", "", f"a {word} one")).buckets for word in ("good", "bad"))
    columns = np.setdiff1d(good, bad)
    weights = np.array([[5.0, 0.0]] * len(columns), np.float32)
    scoring = Linear(weights, np.zeros((2, 0), np.float32), np.array([-2, 2], np.float32))
    line = np.array([0.0, 1.0], np.float32)
    slots, rarity = (Slot(GOOD, (True, False)),), np.ones(len(columns), np.float32)
    return Head(slots, (scoring,), columns, rarity, line, line, Doubts(0.0))


async def test_a_cascade_goes_on_where_a_head_does_not_find_the_answer_good():
    accept = {"confidence": {"head": "grader", "least": 0.7}}
    plans = {"steps": {"cascade": ["small", "big"], "accept": accept}}
    small, big = ScriptedModel(["a good one", "a bad one"]), ScriptedModel("dear")
    async with planned(plans, small=small, big=big) as waggle:
        # Without the model nobody can say that an answer is good.
        assert text_of(await waggle.chat("?", model="steps")) == "dear"
        small.requests.clear()
        register(waggle.engine.config.models_folder, judge_by_hand(), name="grader")
        assert text_of(await waggle.chat("?", model="steps")) == "a good one"
        assert text_of(await waggle.chat("?", model="steps")) == "dear"
        assert waggle.journal.traces[-1].decision.plan == "steps"
