"""Within an agent's session the policy stays, escalates or comes back, prompt caches counted."""

import json

import pytest

from learner.policy import Arm
from learner.preference import Estimate
from router.api.parse import parse_chat
from router.config.config import Config
from router.domain import About, Home, Trajectory, Warm
from router.plans.compiled import Plans
from router.plans.costs import Size
from router.request.complexity import complexity
from router.request.context import numbers
from router.routing.bandit import Chosen
from router.routing.case import Surroundings, case_of
from router.routing.decide import chain_of
from router.routing.escalating import SETTLES, next_step
from router.routing.warmth import KEPT_SECONDS, cached_tokens, lasting_rates, warm_rates
from router.telemetry.rows import request_row
from tests.rig import rig
from tests.router.test_bandit import EASY, HARD, YAML, TaughtLearner
from tests.router.test_trajectory import EDIT, FAILS, TOOLS, session
from tests.upstream import Upstream

PLANS = Plans(
    Config.model_validate(
        {
            "backends": {
                "small": {"kind": "openai", "base_url": "http://h/v1", "model": "tiny",
                          "price": {"input": 0.25, "cached_input": 0.025, "output": 2}},
                "large": {"kind": "openai", "base_url": "http://h/v1", "model": "big",
                          "price": {"input": 4, "cached_input": 0.4, "cache_write": 5,
                                    "output": 20}},
            },
            "plans": {"cheap": {"ask": "small"}, "dear": {"ask": "large", "fallback": ["small"]}},
        }
    )
)  # fmt: skip
CHEAP, DEAR = Arm("cheap"), Arm("dear")
STUCK = Trajectory("edit", turns=9, errors_in_row=3)
CALM = Trajectory("edit", turns=9)


def home(*plans, at=100.0):
    """Where a session lives that these plans answered, a turn each."""
    turns = tuple(About(f"r{n}", n, plan=plan) for n, plan in enumerate(plans))
    backends = {"cheap": "small", "dear": "large"}
    warm = {backends[plan]: Warm(backends[plan], 10_000, at) for plan in plans}
    return Home(plans[-1], backends[plans[-1]], at, warm=tuple(warm.values()), turns=turns)


def estimated(cheap, dear, odds, deviation=0.01):
    estimates = tuple(
        Estimate(arm, utility, deviation, 0.01, 1.0, 0.0, utility, odds[arm])
        for arm, utility in ((CHEAP, cheap), (DEAR, dear))
    )
    return Chosen(odds, estimates, "dear is expected to be worth more")


def test_a_stuck_session_is_drawn_anew_from_the_policys_odds():
    choice = estimated(0.2, 0.7, {CHEAP: 0.1, DEAR: 0.9})
    step = next_step(STUCK, home("cheap", "cheap", "cheap"), choice)
    assert (step.odds, step.strategy) == ({CHEAP: 0.1, DEAR: 0.9}, "escalate")
    assert "stuck (3 errors in a row)" in step.reason


@pytest.mark.parametrize(
    ("here", "cheap", "dear", "plan"),
    [
        ("cheap", 0.700, 0.705, CHEAP),  # too little for a move
        ("cheap", 0.60, 0.75, DEAR),
        ("dear", 0.75, 0.60, CHEAP),  # comes back
        ("dear", 0.62, 0.60, CHEAP),
    ],
)
def test_a_calm_session_moves_only_for_a_clear_gain(here, cheap, dear, plan):
    odds = {CHEAP: 0.98, DEAR: 0.02} if cheap > dear else {CHEAP: 0.02, DEAR: 0.98}
    step = next_step(CALM, home(*[here] * 5), estimated(cheap, dear, odds))
    if plan == here:
        assert step.odds[here] > 0.85
    else:
        assert (step.odds, step.strategy) == ({plan: 1.0}, "moved")


def test_a_calm_session_in_doubt_tries_another_plan_about_once_in_the_turns_ahead():
    choice = estimated(0.7, 0.69, {CHEAP: 0.7, DEAR: 0.3})
    step = next_step(CALM, home(*["cheap"] * 5), choice)
    assert step.strategy == "escalate"
    assert step.odds == pytest.approx({CHEAP: 1 - 0.3 / 9, DEAR: 0.3 / 9})
    assert sum(step.odds.values()) == pytest.approx(1)


def test_what_is_as_good_as_settled_is_not_tried():
    choice = estimated(0.8, 0.6, {CHEAP: 0.99, DEAR: 0.01})
    step = next_step(CALM, home("cheap"), choice)
    assert (step.odds, step.strategy) == ({CHEAP: 1.0}, "sticky")


@pytest.mark.parametrize("trajectory", [CALM, STUCK])
def test_a_session_settles_after_a_move_before_it_moves_again(trajectory):
    back = estimated(0.9, 0.1, {CHEAP: 0.9, DEAR: 0.1})
    for stayed in range(1, SETTLES):
        step = next_step(trajectory, home("cheap", "cheap", *["dear"] * stayed), back)
        assert (step.odds, step.strategy) == ({DEAR: 1.0}, "sticky")
        assert "settles first" in step.reason
    step = next_step(trajectory, home("cheap", *["dear"] * SETTLES), back)
    assert step.odds[CHEAP] > 0.8


def test_a_session_that_never_moved_needs_no_time_to_settle():
    choice = estimated(0.2, 0.7, {CHEAP: 0.0, DEAR: 1.0})
    assert next_step(STUCK, home("cheap"), choice).odds[DEAR] == 1.0


def test_a_move_pays_for_the_cache_it_loses_unless_the_other_plan_still_has_one():
    size, lives = Size(10_000, 0), home("cheap", "cheap")
    rates = warm_rates(PLANS, (CHEAP, DEAR), size, lives, now=110.0)
    assert rates["cheap"] == pytest.approx(10_000 * 0.025e-6)  # all of it cached
    assert rates["dear"] == pytest.approx(10_000 * 5e-6)  # written anew
    both = warm_rates(PLANS, (CHEAP, DEAR), size, home("cheap", "dear"), now=110.0)
    assert both["dear"] == pytest.approx(10_000 * 0.4e-6)
    assert both["cheap"] == rates["cheap"]
    late = warm_rates(PLANS, (CHEAP, DEAR), size, lives, now=100 + KEPT_SECONDS)
    assert late["cheap"] == pytest.approx(10_000 * 0.25e-6)  # the cache has gone cold


def test_the_price_of_moving_is_spread_over_the_turns_that_a_move_lasts():
    lives, size = home("dear", "dear"), Size(10_000, 0)
    usual, once = 10_000 * 0.025e-6, 10_000 * (0.25 - 0.025) * 1e-6
    for turns in (1, 2, 10):
        rates = lasting_rates(PLANS, (CHEAP, DEAR), size, lives, now=110.0, turns=turns)
        assert rates["cheap"] == pytest.approx(usual + once / turns)
        assert rates["dear"] == pytest.approx(10_000 * 0.4e-6)


def test_only_what_was_read_before_is_cached_and_no_short_prompt():
    lives = home("cheap")
    assert cached_tokens(lives, "small", tokens=12_000, now=101.0) == 10_000
    assert cached_tokens(lives, "small", tokens=8_000, now=101.0) == 8_000
    assert cached_tokens(lives, "small", tokens=500, now=101.0) == 0
    assert cached_tokens(lives, "large", tokens=8_000, now=101.0) == 0


def agents_request(messages, **fields):
    body = {"model": "auto", "messages": messages, **fields}
    return parse_chat(json.dumps(body).encode(), {}, request_id="r", key_id="k")


def test_prompt_caches_count_in_agents_sessions_and_nowhere_else():
    around = Surroundings(home=home("cheap"), now=101.0)
    chat = [{"role": "user", "content": "word " * 9_000}, {"role": "assistant", "content": "Oh"}]
    plain = case_of(PLANS, agents_request([*chat, chat[0]]), around)
    assert plain.rates([DEAR]) == case_of(PLANS, plain.request, Surroundings()).rates([DEAR])
    steps = (FAILS, EDIT, ("Bash", {"command": "cat log"}, "word " * 9_000))
    agents = case_of(PLANS, agents_request(session(*steps), tools=TOOLS), around)
    cold = case_of(PLANS, agents.request, Surroundings())
    assert agents.rates([CHEAP])["cheap"] < cold.rates([CHEAP])["cheap"]
    assert agents.features.context["path.cached"] > 0.5
    assert "path.cached" not in plain.features.context


def test_who_stays_by_draw_asks_the_backend_that_has_the_cache():
    asking = agents_request(session(FAILS), tools=TOOLS)
    lives = Home("dear", "small", 1.0)
    tree = PLANS["dear"].tree
    chain = chain_of(PLANS, tree, asking, strategy="escalate", home=lives)
    assert chain == ("small", "large")
    assert chain_of(PLANS, tree, asking, strategy="escalate", home=None) == ("large", "small")


LOOK = ("Grep", {"pattern": "login"}, "a.py")
STEPS = (LOOK, FAILS, EDIT, FAILS)  # two failing test runs in a row: stuck
WORKED = (*STEPS, EDIT, ("Bash", {"command": "pytest -q"}, "4 passed in 0.2s"))


async def test_a_running_router_escalates_a_stuck_session_and_comes_back(upstream):
    learner = TaughtLearner()
    async with rig(YAML.format(url=upstream.url), learner=learner) as waggle:
        first = await turn(waggle, (), x_waggle_plans="cheap")
        assert first.headers["x-waggle-plan"] == "cheap"
        for steps, good in (((LOOK,), EASY), (STEPS, HARD), (WORKED, EASY)):
            reading = agents_request(session(*steps), tools=TOOLS).reading
            score = complexity(reading, waggle.engine.plans.weights)
            row = numbers(reading, score, tagged=False)
            learner.see(row, "", good)
        await waggle.background.follow()

        calm = await turn(waggle, (LOOK,))
        assert calm.headers["x-waggle-plan"] == "cheap"
        stuck = (await waggle.post("/v1/route", asking(STEPS))).json
        assert stuck["strategy"] == "escalate"
        assert stuck["probabilities"]["dear"] > 0.9
        assert "2 failing test runs in a row" in stuck["reason"]
        escalated = await turn(waggle, STEPS)
        trace = waggle.journal.traces[-1]
        assert escalated.headers["x-waggle-plan"] == "dear"
        assert trace.decision.propensity == trace.decision.probabilities["dear"]

        settling = (await waggle.post("/v1/route", asking(WORKED))).json
        assert (settling["plan"], settling["strategy"]) == ("dear", "sticky")
        await turn(waggle, WORKED)
        back = await turn(waggle, WORKED)
        assert back.headers["x-waggle-plan"] == "cheap"
        assert waggle.journal.traces[-1].decision.strategy == "moved"
        row = request_row(waggle.journal.traces[-1])
        assert (row["agent"], row["strategy"]) == ("edit", "moved")


def asking(steps):
    return {"model": "auto", "messages": session(*steps), "tools": TOOLS}


async def turn(waggle, steps, **headers):
    answer = await waggle.post("/v1/chat/completions", asking(steps), **headers)
    assert answer.status == 200, answer.body
    return answer


@pytest.fixture
async def upstream():
    async with Upstream().listening() as server:
        yield server
