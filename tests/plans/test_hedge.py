"""Hedges: the plan calls the next backend when the first is late or failed."""

from tests.router.scripted import NEVER, ScriptedModel, only, planned, text_of

AN_HOUR_MS = 3_600_000


async def test_a_hedge_asks_the_second_when_the_first_is_slow():
    plan = only({"hedge": ["a", "b"], "after_ms": 50})
    a, b = ScriptedModel("slow", seconds=NEVER), ScriptedModel("quick")
    async with planned(plan, a=a, b=b) as waggle:
        for stream in (False, True):
            answer = await waggle.chat("?", stream=stream)
            assert answer.status == 200
            assert b"quick" in answer.body
            trace = waggle.journal.traces[-1]
            assert trace.backend == "b"
            assert sorted((x.backend, x.fault) for x in trace.attempts) == [
                ("a", "left_behind"),
                ("b", ""),
            ]


async def test_a_hedge_asks_the_second_only_when_the_first_is_late_and_at_once_when_it_failed():
    plan = only({"hedge": ["a", "b"], "after_ms": AN_HOUR_MS})
    a, b = ScriptedModel("quick"), ScriptedModel("second")
    async with planned(plan, a=a, b=b) as waggle:
        assert text_of(await waggle.chat("?")) == "quick"
        assert b.requests == []
        a.status = 500
        assert text_of(await waggle.chat("?")) == "second"


async def test_a_hedge_learns_how_long_a_backend_takes():
    plan = only({"hedge": ["a", "b"], "after_ms": AN_HOUR_MS})
    a, b = ScriptedModel("quick"), ScriptedModel("second")
    async with planned(plan, a=a, b=b) as waggle:
        for _ in range(25):
            await waggle.chat("?")
        a.seconds = NEVER
        assert text_of(await waggle.chat("?")) == "second"
