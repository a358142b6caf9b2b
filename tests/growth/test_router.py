"""A running router follows the made plans that the learner publishes."""

from dataclasses import replace

import pytest

from learner.assignment import Slot
from router.plans.made import MadePlan
from router.request.patterns import Pattern, Patterns, bucket
from router.routing.messages import Published
from router.routing.steering import Believed, Live, Steering
from router.routing.strategies import Strategy
from router.trials.book import candidate_of
from tests.rig import rig
from tests.upstream import Upstream

YAML = """
backends:
  a: {{kind: openai, base_url: "{url}", model: up-1}}
plans: {{x: {{ask: a}}}}
objective: {{strategy: fixed, plan: x}}
"""
SHOWN = [{"prompt": "whose invoice is it", "answer": "Ada's"}]
MADE = MadePlan(
    "p1-examples-1", "p1", "x", {"ask": "a", "instruct": "Be brief.", "examples": SHOWN}
)
SERVING = Strategy("always-x", "fixed", settings={"plan": "x"})
LIVE = Live(Slot("t1", "pattern p1", 0.0, 1.0, 1.0), MADE.name, candidate_of(MADE))
STEERING = Steering(SERVING, lives=(LIVE,), version=1, made=(MADE,))
PATTERNS = Patterns(1, (Pattern("p1", "invoice", {bucket("invoice"): 1.0}, 0.5),))


class Learner:
    """A fake learner that publishes this steering."""

    def __init__(self, steering):
        self.steering = steering

    async def news(self, request):
        new = None if request.steering == self.steering.version else self.steering
        return Published("", None, steering=new, patterns=PATTERNS)


@pytest.fixture
async def upstream():
    async with Upstream().listening() as server:
        yield server


async def test_a_made_plan_sends_its_examples_and_nobody_can_name_it(upstream):
    learner = Learner(STEERING)
    async with rig(YAML.format(url=upstream.url), learner=learner) as waggle:
        await waggle.background.follow()
        answer = await waggle.chat("the invoice")
        assert answer.headers["x-waggle-plan"] == MADE.name
        sent = [each["content"] for each in upstream.seen[-1].fields["messages"]]
        assert sent == ["Be brief.", "whose invoice is it", "Ada's", "the invoice"]
        assert (await waggle.chat("a poem")).headers["x-waggle-plan"] == "x"
        assert (await waggle.chat("the invoice", model=MADE.name)).status == 404
        listed = (await waggle.get("/v1/models")).body.decode()
        assert MADE.name not in listed


async def test_an_explanation_says_what_is_expected_of_the_made_plan(upstream):
    believed = {MADE.name: Believed(0.8, 0.05, 0.001, 0.5)}
    learner = Learner(replace(STEERING, believed=believed))
    async with rig(YAML.format(url=upstream.url), learner=learner) as waggle:
        await waggle.background.follow()
        answer = await waggle.chat("the invoice", headers={"x-waggle-explain": "true"})
        (expected,) = answer.json["waggle"]["expected"]
        assert (expected["plan"], expected["quality"], expected["cost_usd"]) == (
            MADE.name,
            0.8,
            0.001,
        )
        assert expected["interval"] == pytest.approx(1.96 * 0.05)


async def test_a_request_that_is_decided_is_answered_although_its_plan_goes(upstream):
    learner = Learner(STEERING)
    async with rig(YAML.format(url=upstream.url), learner=learner) as waggle:
        await waggle.background.follow()
        engine, decisions = waggle.engine, []
        answer = engine.answer

        async def answered_late(request, decision, lookup=None):
            decisions.append(decision.plan)
            learner.steering = replace(STEERING, lives=(), made=(), version=2)
            await waggle.background.follow()
            assert MADE.name not in {each.name for each in engine.plans.made}
            return await answer(request, decision, lookup)

        engine.answer = answered_late
        assert (await waggle.chat("the invoice")).status == 200
        assert decisions == [MADE.name]
        engine.answer = answer
        assert (await waggle.chat("the invoice")).headers["x-waggle-plan"] == "x"
