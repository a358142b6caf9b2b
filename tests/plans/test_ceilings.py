"""Ceilings on the cost and the time of a plan."""

import pytest

from tests.router.scripted import NEVER, ScriptedModel, only, planned, text_of


async def test_a_ceiling_on_cost_stops_before_the_step_that_would_exceed_it():
    plan = only({"cascade": ["a", "b"], "accept": {"regex": "^ok$"}})
    a, b = ScriptedModel("not quite"), ScriptedModel("ok")
    async with planned(plan, a=a, b=b) as waggle:
        answer = await waggle.chat("?", headers={"x-waggle-max-cost": "0.001"})
        assert text_of(answer) == "not quite"
        assert answer.headers["x-waggle-partial"] == "cost"
        assert b.requests == []
        assert text_of(await waggle.chat("?", headers={"x-waggle-max-cost": "1"})) == "ok"
        answer = await waggle.chat("?", model="b", headers={"x-waggle-max-cost": "0.0001"})
        assert answer.status == 422
        assert answer.error["code"] == "over_max_cost"
        answer = await waggle.chat("?", headers={"x-waggle-max-cost": "0.0001"})
        assert answer.status == 400
        assert "expected to cost" in answer.error["message"]


async def test_calls_under_way_count_toward_the_ceiling():
    plan = only({"fan_out": ["a", "b", "b", "b"], "merge": "vote"})
    b = ScriptedModel("x")
    async with planned(plan, a=ScriptedModel("x"), b=b) as waggle:
        # A call of b is expected to cost 0.003, so that three calls at once exceed the ceiling.
        answer = await waggle.chat("?", headers={"x-waggle-max-cost": "0.0075"}, model="p")
        assert text_of(answer) == "x"
        assert len(b.requests) == 2


async def test_a_plan_has_ceilings_of_its_own():
    plan = only({"cascade": ["a", "b"], "accept": {"regex": "^ok$"}, "max_cost": 0.001})
    async with planned(plan, a=ScriptedModel("no"), b=ScriptedModel("ok")) as waggle:
        assert (await waggle.chat("?")).headers["x-waggle-partial"] == "cost"


async def test_a_ceiling_on_time_ends_a_step_that_takes_too_long():
    plans = {"p": {"pipeline": ["a", "b"]}, "q": {"ask": "b"}}
    now = [0.0]

    def draft(_):
        now[0] = 299.9  # The draft takes nearly all of the time.
        return "draft"

    late = ScriptedModel("late", seconds=NEVER)
    async with planned(plans, a=ScriptedModel(draft), b=late) as waggle:
        waggle.engine.plan_runs.clock = lambda: now[0]
        answer = await waggle.chat("?", model="p", headers={"x-waggle-max-latency-ms": "300000"})
        assert text_of(answer) == "draft"
        assert answer.headers["x-waggle-partial"] == "latency"
        assert [a.fault for a in waggle.journal.traces[-1].attempts] == ["", "deadline"]
        answer = await waggle.chat("?", model="q", headers={"x-waggle-max-latency-ms": "300"})
        assert answer.status == 504
        assert answer.error["code"] == "over_max_latency"
        assert [a.fault for a in waggle.journal.traces[-1].attempts] == ["deadline"]


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("x-waggle-max-cost", "cheap"),
        ("x-waggle-max-cost", "-1"),
        ("x-waggle-max-cost", "nan"),
        ("x-waggle-max-latency-ms", "0"),
        ("x-waggle-max-latency-ms", "inf"),
    ],
)
async def test_a_ceiling_that_is_no_positive_number_is_refused_with_its_name(header, value):
    async with planned(only({"ask": "a"}), a=ScriptedModel()) as waggle:
        answer = await waggle.chat("?", headers={header: value})
        assert answer.status == 400
        assert header in answer.error["message"]
        assert value in answer.error["message"]
