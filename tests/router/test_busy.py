"""A plan on a busy backend costs its wait, in the decision, in its reason, and in telemetry."""

import pytest

from tests.rig import rig
from tests.router.test_bandit import REQUEST, YAML, TaughtLearner, ready
from tests.upstream import Upstream

QUICK = {"x_waggle_optimize": "fast"}
EASY = REQUEST | {"metadata": {"task": "easy"}}


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


def crowd(waggle, clock, backend="a"):
    """Let the backend answer in .2 s for a while, and then leave twenty calls without an answer."""
    with waggle.engine.tries.loads.calling(backend):
        load = waggle.engine.tries.loads.by_backend[backend]
        for _ in range(40):
            number = load.begin(clock.now)
            clock.now += 0.2
            load.end(number, clock.now, answered=True)
    for _ in range(20):
        load.begin(clock.now)
    clock.now += 60.0


@pytest.mark.parametrize("waits", [True, False])
async def test_a_request_goes_past_a_busy_backend(waits):
    learner, clock = TaughtLearner(), Clock()
    text = YAML.replace("latency: 0}}", f"latency: 0}}}}, waits: {str(waits).lower()}")
    async with Upstream().listening() as upstream:
        text = text.format(url=upstream.url)
        async with rig(text, learner=learner, steady=clock) as waggle:
            await ready(waggle, learner)
            before = (await waggle.post("/v1/route", EASY, **QUICK)).json
            assert before["best"] == "cheap"
            assert "slower" not in before["reason"]
            crowd(waggle, clock)
            after = (await waggle.post("/v1/route", EASY, **QUICK)).json
            assert after["best"] == ("dear" if waits else "cheap")
            assert ("slower than usual: cheap by" in after["reason"]) is waits
            short = await waggle.post("/v1/route", EASY, x_waggle_max_latency_ms="9000")
            assert ("cheap" in short.json["ineligible"]) is waits


async def test_what_backends_have_left_is_an_event():
    learner, clock = TaughtLearner(), Clock()
    async with Upstream().listening() as upstream:
        text = YAML.format(url=upstream.url)
        async with rig(text, learner=learner, steady=clock) as waggle:
            await waggle.background.exchange()
            assert "resources" not in {event.kind for event in waggle.journal.events}
            await waggle.chat("Is it?")
            crowd(waggle, clock)
            await waggle.background.exchange()
            events = [event for event in waggle.journal.events if event.kind == "resources"]
            assert [event.state for event in events] == ["busy"]
            health = (await waggle.get("/health/ready")).json
            assert health["backends"]["a"]["in_flight"] == 20
            assert health["backends"]["a"]["slower_s"] > 10
