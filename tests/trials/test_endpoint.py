"""Trials at the endpoint: their header, their explanation, `/v1/trials`, functions that serve."""

import pytest

from learner.assignment import Slot
from router.routing.messages import Errand, Published
from router.routing.steering import Live, Steering
from router.routing.strategies import Strategy
from router.trials.director import Director
from router.trials.trial_requests import act
from tests.rig import rig
from tests.upstream import Upstream, completion
from tests.waiting import until

YAML = """
backends:
  a: {{kind: openai, base_url: "{url}", model: up-1}}
  b: {{kind: openai, base_url: "{url}", model: up-1}}
plans: {{x: {{ask: a}}, y: {{ask: b}}}}
objective: {{strategy: fixed, plan: x}}
trials: {{function_ms: 50}}
"""
X, Y = (Strategy(f"always-{p}", "fixed", settings={"plan": p}) for p in "xy")
SOURCE = """\
def route(request, scores, similar):
    return "y" if request["task"] == "hard" else "x"
"""


class PublishingLearner:
    """A fake learner that publishes this steering and errand, and keeps the routers' requests."""

    def __init__(self, steering=None, errand=None, director=None):
        self.steering, self.errand, self.director = steering, errand, director
        self.requests = []

    async def news(self, request):
        self.requests.append(request)
        current = self.steering is not None and request.steering == self.steering.version
        return Published("", None, steering=None if current else self.steering, errand=self.errand)

    async def report(self):
        return {}

    async def trials(self, command):
        return act(self.director, command, 1.0)


@pytest.fixture
async def upstream():
    async with Upstream().listening() as server:
        yield server


async def test_a_request_in_a_trial_says_so_in_its_header_and_its_row(upstream):
    live = Live(Slot("t1", "strategy", 0.0, 1.0, 0.5), "dearer", Y)
    learner = PublishingLearner(Steering(X, lives=(live,), version=3))
    async with rig(YAML.format(url=upstream.url), learner=learner) as waggle:
        before = await waggle.chat()
        assert before.headers["x-waggle-experiment"] == "none"
        await waggle.background.follow()
        sides = set()
        for _ in range(30):
            answer = await waggle.chat(headers={"x-waggle-explain": "true"})
            trial, side = answer.headers["x-waggle-experiment"].split(":")
            sides.add(side)
            assert trial == "dearer"
            assert answer.headers["x-waggle-plan"] == ("y" if side == "candidate" else "x")
            assert answer.headers["x-waggle-propensity"] == "0.5"
            explained = answer.json["waggle"]["trials"][0]
            assert (explained["side"], explained["chance"]) == (side, 0.5)
        assert sides == {"candidate", "current"}
        assert waggle.journal.traces[-1].decision.exposures[0].trial == "t1"


async def test_a_request_that_names_a_plan_is_in_no_trial(upstream):
    live = Live(Slot("t1", "strategy", 0.0, 1.0, 0.5), "dearer", Y)
    learner = PublishingLearner(Steering(X, lives=(live,), version=3))
    async with rig(YAML.format(url=upstream.url), learner=learner) as waggle:
        await waggle.background.follow()
        answer = await waggle.chat(model="y")
        assert answer.headers["x-waggle-experiment"] == "none"


async def test_a_routing_function_serves_from_its_locked_worker(upstream):
    code = Strategy("code", "function", 1, source=SOURCE)
    learner = PublishingLearner(Steering(code, version=3))
    async with rig(YAML.format(url=upstream.url), learner=learner) as waggle:
        await waggle.background.follow()
        for task, plan in (("hard", "y"), ("easy", "x")):
            answer = await waggle.chat(headers={"x-waggle-task": task})
            assert answer.headers["x-waggle-plan"] == plan
            assert answer.headers["x-waggle-strategy"] == "function"
        assert waggle.journal.traces[-1].decision.policy_version == "code@1"
        await waggle.engine.functions.close()


async def test_a_function_that_never_returns_delays_no_request_for_long(upstream):
    loop = "def route(request, scores, similar):\n    while True: pass\n"
    code = Strategy("code", "function", 1, source=loop)
    learner = PublishingLearner(Steering(code, version=3))
    async with rig(YAML.format(url=upstream.url), learner=learner) as waggle:
        await waggle.background.follow()

        async def is_left_alone() -> bool:
            answer = await waggle.chat()
            assert (answer.status, answer.headers["x-waggle-plan"]) == (200, "x")
            events = waggle.journal.events
            return any(e.kind == "function" and e.state == "left alone" for e in events)

        await until(is_left_alone)
        await waggle.engine.functions.close()


async def test_an_errand_of_the_learner_is_run_and_its_outcome_reported(upstream):
    async def answer(wire):
        await wire.json(completion("a function"))

    upstream.script = answer
    learner = PublishingLearner(errand=Errand("e1", "a", "write one"))
    async with rig(YAML.format(url=upstream.url), learner=learner) as waggle:
        await waggle.background.follow()
        await waggle.background.errand
        learner.errand = None
        await waggle.background.follow()
        assert learner.requests[-1].done == ("e1", "a function")
        assert upstream.seen[-1].fields["messages"][0]["content"] == "write one"


async def test_trials_over_http(upstream, tmp_path):
    learner = PublishingLearner()
    async with rig(YAML.format(url=upstream.url), learner=learner) as waggle:
        server = waggle.engine.config.server.model_copy(update={"data": str(tmp_path)})
        config = waggle.engine.config.model_copy(update={"server": server})
        learner.director = Director(config, waggle.journal, lambda: 1.0)
        answer = await waggle.get("/v1/trials")
        assert (answer.json["serving"], answer.json["trials"]) == ("always-x", [])
        body = {"do": "new", "name": "t", "candidate": "always-y"}
        answer = await waggle.post("/v1/trials", body)
        assert answer.json["trials"][0]["state"] == "running"
        assert [news.state for news in waggle.journal.trials] == ["running"]
        bad = await waggle.post("/v1/trials", body | {"name": "u"})
        assert bad.status == 400
        assert "100% of the traffic of layer 'strategy' is not free" in bad.error["message"]
        bad = await waggle.post("/v1/trials", {"do": "stop", "name": "a\x1b[31m\n"})
        assert bad.error["message"].startswith("a␛[31m␊: no trial is called that")
        assert (await waggle.post("/v1/trials", b"{")).status == 400
        assert (await waggle.post("/v1/trials", [])).status == 400
        answer = await waggle.post("/v1/trials", {"do": "adopt", "name": "t", "at_once": True})
        assert (answer.json["serving"], answer.json["control"]) == ("always-y", "always-x")
        answer = await waggle.post("/v1/trials", {"do": "rollback"})
        assert answer.json["serving"] == "always-x"


async def test_without_a_learner_there_are_no_trials(upstream):
    async with rig(YAML.format(url=upstream.url)) as waggle:
        answer = await waggle.get("/v1/trials")
        assert (answer.status, answer.error["code"]) == (404, "no_learner")
