"""Waggle notices what users do next, and takes it for no rating."""

import asyncio
import json

import pytest

from router.config.signals import SignalSource
from router.signals.behaviours import behaviour_of, hashed, next_step
from tests.fakes import LosableHive
from tests.rig import rig
from tests.router.scripted import NEVER, ScriptedModel, planned
from tests.waiting import until

TWO = {
    "backends": {"a": {"kind": "generator"}, "b": {"kind": "generator"}},
    "plans": {"p": {"ask": "a"}, "q": {"ask": "b"}},
}
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
    assert next_step(hashed(before), now) == behaviour


def test_no_word_of_a_message_is_remembered_only_a_bounded_number_of_hashes():
    message = "Name the longest rivers of Peru " * 200
    assert b"Peru" not in hashed(message)
    assert len(hashed(" ".join(f"word{n}" for n in range(10_000)))) <= 8 + 32 * 4


async def test_another_router_notices_what_the_user_does_next():
    hive, config = LosableHive(), json.dumps(TWO | {"signals": [{"kind": "behaviour"}]})
    async with rig(config, hive=hive) as first, rig(config, hive=hive, name="r2") as second:
        answer = await first.chat('{"city": "string"}')
        await first.background.exchange()
        await second.background.exchange()
        await second.chat('{"city": "string"}')
        request_id = answer.headers["x-waggle-request-id"]
        assert behaviours(second) == [("retried", 0.0, 0.0, request_id)]


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


async def test_who_asks_again_and_names_another_plan_has_asked_again():
    plans = {"p": {"ask": "a"}, "q": {"ask": "b"}}
    async with planned(plans, a=ScriptedModel(), b=ScriptedModel()) as waggle:
        noticing(waggle)
        first = await waggle.chat("Name three rivers of Peru")
        await waggle.chat("Name three rivers of Peru", model="q")
        request_id = first.headers["x-waggle-request-id"]
        assert behaviours(waggle) == [("retried", 0.0, 0.0, request_id)]


async def test_a_caller_who_hangs_up_has_abandoned_the_answer():
    plans = {"p": {"ask": "a"}, "q": {"ask": "b"}}
    slow = ScriptedModel(seconds=NEVER)
    async with planned(plans, a=slow, b=slow) as waggle:
        noticing(waggle)
        asking = asyncio.create_task(waggle.chat("Name three rivers of Peru"))
        await until(lambda: slow.requests)
        asking.cancel()
        await until(lambda: behaviours(waggle))
        ((behaviour, score, _, _),) = behaviours(waggle)
        assert (behaviour, score) == ("abandoned", 0.0)


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
