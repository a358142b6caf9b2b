"""The bandit behind the endpoint: which plan it chooses, within which limits, and why."""

import pytest

from learner.bandit_learner import Bandit
from learner.policy import Arm, Feedback, Outcome
from router.request.context import context_of, taught
from router.routing.messages import NewsRequest, Published
from router.telemetry.rows import request_row
from tests.rig import rig
from tests.upstream import Upstream

YAML = """
backends:
  a: {{kind: openai, base_url: "{url}", model: up-1, region: eu,
       price: {{input: 0.1, output: 0.2}}}}
  b: {{kind: openai, base_url: "{url}", model: up-1, region: us,
       price: {{input: 20, cached_input: 1, output: 60}}}}
plans: {{cheap: {{ask: a}}, dear: {{ask: b}}}}
objective: {{strategy: bandit, plan: cheap, weights: {{cost: 0.05, latency: 0}}}}
"""
CHEAP, DEAR = Arm("cheap"), Arm("dear")


class TaughtLearner:
    """A fake learner. A test tells it how good each plan is at each task."""

    def __init__(self, rounds=150):
        self.bandit = Bandit(taught(0))
        self.bandit.set_arms([CHEAP, DEAR])
        self.rounds = rounds
        self.away = False
        self.requests = []

    def see(self, numbers, task, good):
        context = dict(context_of(numbers, task, lens=0))
        context.pop("complexity")
        for n in range(self.rounds):
            for arm in (CHEAP, DEAR):
                id_ = f"{task}:{self.bandit.learned}:{n}:{arm}"
                self.bandit.learn(Feedback(id_, arm, context, good[arm]))
                seconds = 0.2 if arm == CHEAP else 3.0
                self.bandit.see(Outcome(arm, context, 1.0, seconds), f"task={task}")

    async def news(self, request):
        if self.away:
            raise ConnectionError("the learner is away")
        self.requests.append(request)
        return Published("v1", self.bandit.policy(), 0)

    async def report(self):
        if self.away:
            raise ConnectionError("the learner is away")
        return {"object": "learner", "state": "learning"}


HARD, EASY = {DEAR: 0.95, CHEAP: 0.2}, {DEAR: 0.9, CHEAP: 0.9}


async def ready(waggle, learner):
    """Teach the learner the tasks `hard` and `easy`, and let the router follow the learner."""
    for task, good in (("hard", HARD), ("easy", EASY)):
        answer = await waggle.post("/v1/route", REQUEST | {"metadata": {"task": task}})
        assert answer.json["strategy"] == "fixed" or answer.json["strategy"] == "ladder"
        assert answer.json.get("features") is None  # The router has no policy yet.
        trace = await waggle.chat("Is it?", metadata={"task": task})
        assert trace.status == 200
        learner.see(waggle.journal.traces[-1].decision.numbers, task, good)
    await waggle.background.follow()


REQUEST = {"model": "auto", "messages": [{"role": "user", "content": "Is it?"}]}


@pytest.fixture
async def upstream():
    async with Upstream().listening() as server:
        yield server


async def test_each_task_goes_to_the_plan_that_answers_it_well_for_its_price(upstream):
    learner = TaughtLearner()
    async with rig(YAML.format(url=upstream.url), learner=learner) as waggle:
        await ready(waggle, learner)
        for task, plan in (("hard", "dear"), ("easy", "cheap")):
            answer = (await waggle.post("/v1/route", REQUEST | {"metadata": {"task": task}})).json
            assert (answer["strategy"], answer["best"]) == ("bandit", plan)
            assert answer["probabilities"][plan] > 0.9
            assert answer["policy_version"] == "v1"


async def test_a_decision_is_explained_in_words_and_numbers(upstream):
    learner = TaughtLearner()
    async with rig(YAML.format(url=upstream.url), learner=learner) as waggle:
        await ready(waggle, learner)
        answer = (await waggle.post("/v1/route", REQUEST | {"metadata": {"task": "hard"}})).json
        assert "dear is expected to be worth" in answer["reason"]
        assert "task=hard" in answer["reason"]
        assert answer["runner_up"] == "cheap"
        first = answer["expected"][0]
        assert first["quality"] == pytest.approx(0.95, abs=0.05)
        assert 0 < first["interval"] < 0.2
        assert first["cost_usd"] > 0.001
        assert answer["exploring_costs"] >= 0
        assert answer["features"]["asks"] == 1.0


async def test_a_caller_may_weigh_quality_and_cost_differently_at_once(upstream):
    learner = TaughtLearner()
    async with rig(YAML.format(url=upstream.url), learner=learner) as waggle:
        await ready(waggle, learner)
        hard = REQUEST | {"metadata": {"task": "hard"}}
        for wanted, plan in (("cost=10, latency=0", "cheap"), ("quality", "dear")):
            answer = (await waggle.post("/v1/route", hard, x_waggle_optimize=wanted)).json
            assert answer["best"] == plan


@pytest.mark.parametrize("wanted", ["best", "cost=much", "cost=-1", "speed=1", "cost=1,cost=2", ""])
async def test_a_preference_that_cannot_be_read_is_refused(upstream, wanted):
    async with rig(YAML.format(url=upstream.url)) as waggle:
        answer = await waggle.post("/v1/route", REQUEST, x_waggle_optimize=wanted)
        assert answer.status == 400
        assert "quality, balanced, cheap, fast" in answer.error["message"]
        assert answer.error["param"] == "x-waggle-optimize"


async def test_the_limits_of_a_request_come_before_the_policy(upstream):
    learner = TaughtLearner()
    async with rig(YAML.format(url=upstream.url), learner=learner) as waggle:
        await ready(waggle, learner)
        hard = REQUEST | {"metadata": {"task": "hard"}}
        answer = (await waggle.post("/v1/route", hard, x_waggle_region="eu")).json
        assert (answer["plan"], answer["ineligible"]["dear"]) == (
            "cheap",
            "b does not stand in region eu",
        )
        answer = (await waggle.post("/v1/route", hard, x_waggle_plans="cheap")).json
        assert answer["ineligible"] == {"dear": "the request names other plans"}
        answer = (await waggle.post("/v1/route", hard, x_waggle_max_latency_ms="1000")).json
        assert answer["plan"] == "cheap"
        assert "95th percentile" in answer["ineligible"]["dear"]
        answer = (await waggle.post("/v1/route", hard, x_waggle_max_latency_ms="1")).json
        # No plan is that quick, so both stay eligible.
        assert set(answer["eligible"]) == {"cheap", "dear"}
        answer = await waggle.post("/v1/route", hard, x_waggle_region="mars")
        assert answer.error["code"] == "no_plan_can_answer"
        answer = await waggle.post("/v1/route", hard, x_waggle_plans="gold")
        assert (answer.status, answer.error["code"]) == (400, "unknown_plan")


async def test_a_row_holds_the_expectations_and_every_probability(upstream):
    learner = TaughtLearner()
    async with rig(YAML.format(url=upstream.url), learner=learner) as waggle:
        await ready(waggle, learner)
        await waggle.chat("Is it?", metadata={"task": "hard"}, headers={"x-session-id": "new"})
        row = request_row(waggle.journal.traces[-1])
        assert row["strategy"] == "bandit"
        assert sum(row["probabilities"]) == pytest.approx(1)
        assert min(row["probabilities"]) > 0
        assert row["propensity"] == row["probabilities"][row["eligible"].index(row["plan"])]
        assert 0 <= row["expected_quality"] <= 1.2
        assert row["rate_usd"] > 0
        assert row["features_version"] == 3


async def test_a_conversation_keeps_its_plan_unless_moving_is_worth_its_price(upstream):
    learner = TaughtLearner()
    async with rig(YAML.format(url=upstream.url), learner=learner) as waggle:
        await waggle.chat("Is it?", headers={"x-session-id": "s", "x-waggle-plans": "cheap"})
        await ready(waggle, learner)
        hard, easy = (
            REQUEST | {"metadata": {"task": t, "session_id": "s"}} for t in ("hard", "easy")
        )
        stays = (await waggle.post("/v1/route", easy)).json
        assert (stays["strategy"], stays["plan"]) == ("sticky", "cheap")
        moves = (await waggle.post("/v1/route", hard)).json
        assert (moves["strategy"], moves["plan"]) == ("moved", "dear")
        assert "moving the conversation costs" in moves["reason"]


async def test_a_router_goes_on_without_the_learner_and_says_so(upstream):
    learner = TaughtLearner()
    async with rig(YAML.format(url=upstream.url), learner=learner) as waggle:
        await ready(waggle, learner)
        assert isinstance(learner.requests[0], NewsRequest)
        learner.away = True
        waggle.engine.following.heard_at -= 100
        await waggle.background.follow()
        answer = await waggle.post("/v1/route", REQUEST | {"metadata": {"task": "hard"}})
        assert answer.json["strategy"] == "bandit"
        assert b'waggle_policy_stale{router="r1"} 1' in (await waggle.get("/metrics")).body
        assert [(e.kind, e.state) for e in waggle.journal.events][-1] == ("policy", "stale")
        away = await waggle.get("/v1/learner")
        assert (away.status, away.error["code"]) == (503, "learner_away")
        learner.away = False
        await waggle.background.follow()
        assert b'waggle_policy_stale{router="r1"} 0' in (await waggle.get("/metrics")).body
        assert (await waggle.get("/v1/learner")).json["router"]["version"] == "v1"


async def test_prompts_and_errands_that_did_not_reach_the_learner_are_handed_over_again(upstream):
    learner = TaughtLearner()
    async with rig(YAML.format(url=upstream.url), learner=learner) as waggle:
        following = waggle.engine.following
        following.collecting, following.done = True, ("errand-1", "its result")
        await waggle.chat("What is the capital of France?")
        learner.away = True
        await waggle.background.follow()
        learner.away = False
        await waggle.background.follow()
        request = learner.requests[-1]
        assert len(request.prompts) == 1
        assert request.done == ("errand-1", "its result")


async def test_a_named_plan_that_cannot_answer_is_refused_with_its_reason():
    yaml = "backends: {g: {kind: generator}}\nplans: {p: {ask: g}}"
    async with rig(yaml) as waggle:
        answer = await waggle.chat("Write a haiku", model="p")
        assert (answer.status, answer.error["code"]) == (400, "plan_cannot_answer")
        assert "g makes records for a JSON shape" in answer.error["message"]


async def test_a_program_that_a_model_would_write_is_an_arm_and_a_read_request_is_not(upstream):
    config = YAML.format(url=upstream.url).replace("backends:", "backends:\n  box: {kind: sandbox}")
    code = "compute: {code: box, authors: [a]}"
    learner = TaughtLearner()
    async with rig(config.replace("plans: {", f"plans: {{{code}, "), learner=learner) as waggle:
        queue = "A shop has 2 tills and 10 customers an hour; each pays 5 minutes. Average wait?"
        body = {"model": "auto", "messages": [{"role": "user", "content": queue}]}
        before = (await waggle.post("/v1/route", body)).json
        assert (before["strategy"], before["plan"]) == ("computed", "compute")
        assert "a model may write it" in before["reason"]
        await ready(waggle, learner)
        answer = (await waggle.post("/v1/route", body)).json
        assert answer["strategy"] == "bandit"
        assert 0 < answer["probabilities"]["compute"] < 1
        mean = {"role": "user", "content": "What is the mean of [1, 2, 6]?"}
        answer = (await waggle.post("/v1/route", body | {"messages": [mean]})).json
        assert (answer["strategy"], answer["plan"]) == ("computed", "compute")
        words = {"role": "user", "content": "Explain what a p-value of 0.05 is"}
        answer = (await waggle.post("/v1/route", body | {"messages": [words]})).json
        assert "compute" not in answer["probabilities"]
        assert "no statistical request" in answer["ineligible"]["compute"]
