"""Waggle notices what users do next, and takes it for no rating."""

import pytest

from router.config.signals import SignalSource
from router.signals.behaviours import behaviour_of, next_step
from tests.rig import rig
from tests.router.scripted import ScriptedModel, planned

NOTICES = (SignalSource(kind="behaviour"),)
GENERATES = """
backends: {generator: {kind: generator}}
plans: {generate: {ask: generator}}
"""


def noticing(waggle):
    engine = waggle.engine
    engine.reconfigure(engine.config.model_copy(update={"signals": NOTICES}))
    return waggle


def behaviours(waggle):
    return [
        (s.metric, s.score, s.weight, s.about.request_id)
        for s in waggle.journal.signals
        if s.source == "implicit"
    ]


@pytest.mark.parametrize(
    ("before", "now", "behaviour"),
    [
        ("Name three rivers of Peru", "name three  rivers of peru", "retried"),
        ("Name three rivers of Peru", "Which three rivers are there in Peru?", "rephrased"),
        ("Name three rivers of Peru", "Thanks, that is all.", "thanked"),
        ("Name three rivers of Peru", "muchas gracias!", "thanked"),
        ("Name three rivers of Peru", "Thank you, but which of them is the longest?", ""),
        ("Name three rivers of Peru", "Write a haiku about autumn", ""),
        ("", "", ""),
    ],
)
def test_what_a_user_did_next_is_read_from_two_messages(before, now, behaviour):
    assert next_step(before, now) == behaviour


@pytest.mark.parametrize(
    ("metric", "behaviour"),
    [("retry", "retried"), ("Regenerated", "retried"), ("copied", "copied"), ("solved", "")],
)
def test_a_metric_of_feedback_may_name_a_behaviour(metric, behaviour):
    assert behaviour_of(metric) == behaviour


async def test_a_request_that_is_sent_again_is_an_implicit_signal_about_the_first_answer():
    plans = {"p": {"ask": "a"}, "q": {"ask": "b"}}
    async with planned(plans, a=ScriptedModel(), b=ScriptedModel()) as waggle:
        noticing(waggle)
        first = await waggle.chat("Name three rivers of Peru")
        assert behaviours(waggle) == []
        await waggle.chat("Name three rivers of Peru")
        request_id = first.headers["x-waggle-request-id"]
        assert behaviours(waggle) == [("retried", 0.0, 0.0, request_id)]


async def test_a_caller_who_names_the_plan_may_ask_as_often_as_she_likes():
    async with planned({"p": {"ask": "a"}}, a=ScriptedModel()) as waggle:
        noticing(waggle)
        for _ in range(3):
            await waggle.chat("Name three rivers of Peru", model="p")
        assert behaviours(waggle) == []


async def test_nothing_is_noticed_without_being_configured():
    plans = {"p": {"ask": "a"}, "q": {"ask": "b"}}
    async with planned(plans, a=ScriptedModel(), b=ScriptedModel()) as waggle:
        for _ in range(2):
            await waggle.chat("Name three rivers of Peru")
        assert behaviours(waggle) == []


@pytest.mark.parametrize(
    ("statement", "metric", "score"),
    [
        ({"metric_name": "regenerated", "value": True}, "retried", 0.0),
        ({"metric_name": "edited", "value": 0.25}, "edited", 0.75),
        ({"metric_name": "copied", "value": True}, "copied", 1.0),
        ({"metric_name": "copied", "value": False}, "copied", 0.0),
    ],
)
async def test_an_app_that_reports_what_its_user_did_gives_no_rating(statement, metric, score):
    async with rig(GENERATES) as waggle:
        answer = await waggle.chat('{"name": "string"}')
        request_id = answer.headers["x-waggle-request-id"]
        answer = await waggle.post("/v1/feedback", {"request_id": request_id, **statement})
        assert answer.status == 200, answer.body
        assert behaviours(waggle) == [(metric, score, 0.0, request_id)]
        again = await waggle.post("/v1/feedback", {"request_id": request_id, **statement})
        assert again.json["new"] == 0


async def test_a_behaviour_that_is_a_text_is_refused():
    async with rig(GENERATES) as waggle:
        answer = await waggle.chat('{"name": "string"}')
        body = {
            "request_id": answer.headers["x-waggle-request-id"],
            "metric_name": "copied",
            "value": "all of it",
        }
        refused = await waggle.post("/v1/feedback", body)
        assert refused.status == 400
        assert "what a user did" in refused.json["error"]["message"]


@pytest.mark.parametrize("more", [{"weight": 0.5}, {"share": 0.5}, {"plans": ("p",)}])
def test_a_behaviour_takes_no_weight_because_its_weight_is_measured(more):
    with pytest.raises(ValueError, match="its weight is measured"):
        SignalSource(kind="behaviour", **more)
