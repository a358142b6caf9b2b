"""Shadow first: callers get what they name, and telemetry gets what `auto` would have chosen."""

from collections import Counter

import pytest

from router.routing.messages import Published
from router.routing.steering import Steering
from router.routing.strategies import Strategy
from router.telemetry.rows import request_row
from tests.rig import rig
from tests.router.test_bandit import CHEAP, DEAR, EASY, TaughtLearner
from tests.upstream import Upstream

YAML = """
backends:
  a: {{kind: openai, base_url: "{url}", model: up-1, price: {{input: 0.1, output: 0.2}}}}
  b: {{kind: openai, base_url: "{url}", model: up-2, price: {{input: 20, output: 60}}}}
plans: {{cheap: {{ask: a}}, dear: {{ask: b}}}}
objective:
  strategy: bandit
  plan: dear
  weights: {{cost: 0.05, latency: 0}}
  start: shadow
  {more}
"""


class Switchable(TaughtLearner):
    """A taught learner that can also switch `auto` on."""

    def __init__(self):
        super().__init__()
        self.steering = None

    async def news(self, request):
        return Published("v1", self.bandit.policy(), 0, steering=self.steering)


@pytest.fixture
async def upstream():
    async with Upstream().listening() as server:
        yield server


@pytest.fixture
def learner():
    return Switchable()


def shadow(upstream, learner, more="", **given):
    return rig(YAML.format(url=upstream.url, more=more), learner=learner, **given)


async def taught(waggle, learner):
    """Teach the learner that both plans are as good, so that `auto` would take the cheap one."""
    await waggle.chat("Is it?", model="dear", metadata={"task": "easy"})
    learner.see(waggle.journal.traces[-1].decision.numbers, "easy", EASY)
    await waggle.background.follow()


async def ask(waggle, model, **more):
    answer = await waggle.chat("Is it?", model=model, metadata={"task": "easy"}, **more)
    assert answer.status == 200, answer.json
    return answer, request_row(waggle.journal.traces[-1])


@pytest.mark.parametrize(
    ("model", "served"), [("dear", "dear"), ("b", "dear"), ("up-2", "dear"), ("cheap", "cheap")]
)
async def test_the_caller_gets_what_it_names_and_the_row_says_what_auto_would_have_chosen(
    upstream, learner, model, served
):
    async with shadow(upstream, learner) as waggle:
        await taught(waggle, learner)
        answer, row = await ask(waggle, model)
        assert answer.headers["x-waggle-plan"] == served
        assert (row["plan"], row["strategy"], row["propensity"]) == (served, "named", 1.0)
        noted = row["shadow"]
        assert (noted["named"], noted["plan"], noted["strategy"]) == (served, "cheap", "bandit")
        assert noted["policy_version"] == "v1"
        assert sum(noted["probabilities"].values()) == pytest.approx(1)
        assert noted["probabilities"]["cheap"] > 0.9
        (exposure,) = row["exposures"]
        assert exposure["variant"] == "shadow"
        assert exposure["apart"] == (served == "dear")
        assert {estimate["plan"] for estimate in row["expected"]} == {"cheap", "dear"}


async def test_auto_in_the_shadow_is_the_default_plan(upstream, learner):
    async with shadow(upstream, learner) as waggle:
        await taught(waggle, learner)
        answer, row = await ask(waggle, "auto")
        assert answer.headers["x-waggle-plan"] == "dear"
        assert (row["shadow"]["named"], row["shadow"]["plan"]) == ("dear", "cheap")


async def test_live_auto_decides_and_named_models_are_not_noted(upstream, learner):
    text = YAML.format(url=upstream.url, more="").replace("start: shadow", "start: live")
    async with rig(text, learner=learner) as waggle:
        await ask(waggle, "dear")
        assert request_row(waggle.journal.traces[-1]).get("shadow") is None
        assert "features" not in request_row(waggle.journal.traces[-1])


async def test_a_share_of_the_requests_is_answered_by_auto_with_exact_odds(upstream, learner):
    async with shadow(upstream, learner, "shadow_explore: 0.3") as waggle:
        await taught(waggle, learner)
        rows = [(await ask(waggle, "dear"))[1] for _ in range(120)]
        for row in rows:
            auto = row["shadow"]["probabilities"]
            expected = {plan: 0.3 * auto[plan] + 0.7 * (plan == "dear") for plan in auto}
            logged = dict(zip(row["eligible"], row["probabilities"], strict=True))
            assert logged == pytest.approx(expected)
            assert row["propensity"] == pytest.approx(logged[row["plan"]])
            assert row["strategy"] == "shadow"
        sides = Counter(row["exposures"][0]["variant"] for row in rows)
        assert 15 <= sides["candidate"] <= 60
        for row in rows:
            own = row["exposures"][0]["variant"] == "candidate"
            assert row["plan"] == (row["shadow"]["plan"] if own else "dear")
            assert row["exposures"][0]["chance"] == pytest.approx(0.3 if own else 0.7)


async def test_a_conversation_goes_on_with_what_its_caller_names(upstream, learner):
    async with shadow(upstream, learner, "shadow_explore: 0.5") as waggle:
        await taught(waggle, learner)
        turns = [
            {"role": "user", "content": "Is it?"},
            {"role": "assistant", "content": "It is."},
            {"role": "user", "content": "Why?"},
        ]
        for n in range(20):
            turns[0]["content"] = f"Is it {n}?"
            body = {"model": "dear", "messages": turns}
            answer = await waggle.post("/v1/chat/completions", body)
            assert answer.headers["x-waggle-plan"] == "dear"
        row = request_row(waggle.journal.traces[-1])
        assert row["shadow"]["share"] == 0.0


async def test_a_backend_named_by_header_is_an_order(upstream, learner):
    async with shadow(upstream, learner, "shadow_explore: 0.5") as waggle:
        await taught(waggle, learner)
        for _ in range(10):
            answer, row = await ask(waggle, "auto", headers={"x_llm_backend": "b"})
            assert answer.headers["x-waggle-backend"] == "b"
            assert "shadow" not in row


async def test_the_shadow_never_fails_a_request_that_its_caller_could_make(upstream, learner):
    async with shadow(upstream, learner, "shadow_explore: 0.5") as waggle:
        nowhere = {"x_waggle_region": "mars"}  # no plan of `auto` stands there
        assert (await waggle.chat("Is it?", headers=nowhere)).status == 400
        answer, row = await ask(waggle, "dear", headers=nowhere)
        assert answer.headers["x-waggle-plan"] == "dear"
        assert "shadow" not in row


async def test_after_the_switch_auto_answers_all_but_a_control_group(upstream, learner):
    learner.steering = Steering(Strategy("bandit", "bandit"), version=1, switched=True)
    async with shadow(upstream, learner) as waggle:
        await taught(waggle, learner)
        rows = [(await ask(waggle, "dear"))[1] for _ in range(100)]
        plans = Counter(row["plan"] for row in rows)
        assert plans[CHEAP] > 85
        kept = [row for row in rows if row["exposures"][0]["variant"] == "current"]
        assert all(row["plan"] == DEAR for row in kept)
        assert all(row["shadow"]["share"] == pytest.approx(0.98) for row in rows)
        answer, _ = await ask(waggle, "auto", headers={"x_llm_backend": "b"})
        assert answer.headers["x-waggle-backend"] == "b"


async def test_route_explains_the_shadow(upstream, learner):
    async with shadow(upstream, learner) as waggle:
        await taught(waggle, learner)
        body = {"model": "dear", "messages": [{"role": "user", "content": "Is it?"}]}
        answer = await waggle.post("/v1/route", body | {"metadata": {"task": "easy"}})
        assert answer.json["plan"] == "dear"
        assert answer.json["shadow"]["plan"] == "cheap"
        assert "auto would have chosen cheap" in answer.json["reason"]
