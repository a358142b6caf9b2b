import json

import pytest
import yaml

from router.api.parse import parse_chat
from router.config.config import Config
from router.domain import Home
from router.plans.compiled import Plans
from router.routing.case import Surroundings
from router.routing.decide import chain_of, route
from router.routing.deciders import Deciders
from router.routing.ladder import policy_of
from router.routing.named import named
from router.wire.errors import Unroutable

CONFIG = Config.model_validate(
    yaml.safe_load("""
backends:
  small: {kind: openai, base_url: "http://h/v1", model: tiny-1, capabilities: [chat],
          context_window: 100}
  large: {kind: openai, base_url: "http://h/v1"}
  maker: {kind: generator}
plans:
  fast: {ask: small, fallback: [large]}
  premium: {ask: large}
  mock: {ask: maker}
objective: {ladder: {rungs: [fast, premium], cuts: [4]}}
""")
)
PLANS = Plans(CONFIG)
EASY = "What is the capital of France?"
HARD = "Prove why, compare, analyse and derive it step by step"


def request(text=EASY, model="auto", **fields):
    body = {"model": model, "messages": [{"role": "user", "content": text}], **fields}
    return parse_chat(json.dumps(body).encode(), {}, request_id="r", key_id="k")


def decided(asking, around=Surroundings(), uniform=0.5):  # noqa: B008 - frozen
    return route(PLANS, Deciders(policy_of(PLANS)), asking, around, uniform=uniform)


def chain(decision, asking, home=None):
    tree = PLANS[decision.plan].tree
    return chain_of(PLANS, tree, asking, strategy=decision.strategy, home=home)


def test_easy_goes_low_and_hard_goes_high_with_the_reason():
    assert decided(request(EASY)).plan == "fast"
    hard = decided(request(HARD))
    assert hard.plan == "premium"
    assert "complexity" in hard.reason
    assert "question" in hard.reason


def test_a_plan_that_cannot_answer_is_out_and_says_why():
    decision = decided(request(EASY))
    assert "no JSON" not in decision.reason
    assert "JSON shape" in decision.ineligible["mock"]
    assert set(decision.probabilities) == {"fast", "premium"}


def test_tools_go_past_a_backend_that_has_none():
    asking = request(tools=[{"type": "function", "function": {"name": "f"}}])
    assert chain(decided(asking), asking) == ("large",)


def test_a_prompt_that_is_too_long_goes_to_a_larger_window():
    asking = request("word " * 200)
    assert chain(decided(asking), asking) == ("large",)


def test_a_key_is_held_to_its_plans():
    decision = decided(request(HARD), Surroundings(allowed=("fast",)))
    assert decision.plan == "fast"
    assert decision.ineligible["premium"] == "this key may not use it"


def test_a_request_that_no_plan_can_answer_gets_a_400_with_each_reason():
    with pytest.raises(Unroutable) as error:
        decided(request(EASY), Surroundings(allowed=("mock",)))
    assert error.value.status == 400
    assert "mock: maker makes records" in error.value.message


def test_backends_are_tried_if_all_of_them_rest():
    decision = decided(request(EASY), Surroundings(down=("small", "large")))
    assert decision.plan == "fast"


def test_a_plan_with_one_backend_up_is_not_resting():
    assert decided(request(EASY), Surroundings(down=("small",))).plan == "fast"


HOME = Home("premium", "large", 1.0)


def test_a_conversation_stays_where_it_lives_though_the_rule_says_otherwise():
    decision = decided(request(EASY), Surroundings(home=HOME))
    assert (decision.plan, decision.strategy, decision.propensity) == ("premium", "sticky", 1.0)


def test_a_conversation_moves_if_its_backend_is_down():
    decision = decided(request(EASY), Surroundings(home=HOME, down=("large",)))
    assert decision.strategy == "ladder"


def test_a_conversation_stays_with_the_fallback_that_answered_first():
    asking, home = request(EASY), Home("fast", "large", 1.0)
    decision = decided(asking, Surroundings(home=home))
    assert chain(decision, asking, home) == ("large", "small")


@pytest.mark.parametrize(
    ("model", "plan"), [("premium", "premium"), ("small", "small"), ("tiny-1", "small")]
)
def test_a_name_bypasses_routing(model, plan):
    decision = named(PLANS, request(model=model), "", Surroundings())
    assert (decision.plan, decision.strategy) == (plan, "named")


def test_a_backend_named_beside_the_model_wins_over_it():
    assert named(PLANS, request(model="premium"), "small", Surroundings()).plan == "small"


@pytest.mark.parametrize(
    ("model", "backend", "status", "code"),
    [("gpt-9", "", 404, "model_not_found"), ("auto", "smal", 400, "unknown_backend")],
)
def test_an_unknown_name_is_an_error_never_a_silent_fallback(model, backend, status, code):
    with pytest.raises(Unroutable) as error:
        named(PLANS, request(model=model), backend, Surroundings())
    assert (error.value.status, error.value.code) == (status, code)


@pytest.mark.parametrize(("model", "backend"), [("premium", ""), ("maker", ""), ("auto", "maker")])
def test_a_name_does_not_get_around_a_keys_plans(model, backend):
    with pytest.raises(Unroutable, match="may not use") as error:
        named(PLANS, request(model=model), backend, Surroundings(allowed=("fast",)))
    assert error.value.status == 403
