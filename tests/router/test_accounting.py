"""Accounting: what an answer cost, and what the premium plan's answer would have cost."""

import json
from dataclasses import replace

import pytest
import yaml

from learner.policy import Arm
from router.api.parse import parse_chat
from router.calls.prices import estimated
from router.config.config import Config
from router.domain import Attempt, Decision, Trace, Usage
from router.engine.accounting import accounted, beside_premium
from router.plans.compiled import Plans

BACKENDS = """
backends:
  cheap: {kind: openai, base_url: "http://h/v1", price: {input: 1, output: 2}}
  dear: {kind: openai, base_url: "http://h/v1", price: {input: 10, output: 20, cached_input: 1}}
plans:
  fast: {ask: cheap}
  best: %s
objective: {premium: best}
"""
USAGE = Usage(input_tokens=1000, output_tokens=500)
CHEAP_USD = (1000 * 1 + 500 * 2) / 1e6
DEAR_USD = (1000 * 10 + 500 * 20) / 1e6


def plans(best):
    return Plans(Config.model_validate(yaml.safe_load(BACKENDS % json.dumps(best))))


def request(text="hello"):
    body = {"model": "auto", "messages": [{"role": "user", "content": text}]}
    return parse_chat(json.dumps(body).encode(), {}, request_id="r", key_id="")


def trace(plan, *attempts):
    decision = Decision(Arm(plan), 1.0, "ladder", {Arm(plan): 1.0})
    return Trace(request(), decision, started_at=1.0, attempts=attempts)


def step(backend, cost_usd=0.0):
    return Attempt(backend, 200, "", "", 0.1, cost_usd=cost_usd)


def premium_usd(best, plan="fast", usage=USAGE, *attempts):
    return beside_premium(plans(best), trace(plan, *attempts), usage).premium_cost_usd


def test_a_premium_plan_with_one_call_costs_what_its_backend_takes_for_the_same_tokens():
    assert premium_usd({"ask": "dear"}) == pytest.approx(DEAR_USD)
    cached = replace(USAGE, cached_tokens=1000)
    assert premium_usd({"ask": "dear"}, "fast", cached) == pytest.approx((1000 + 10_000) / 1e6)


@pytest.mark.parametrize(
    ("best", "shortest_way"),
    [
        ({"pipeline": ["cheap", "dear"]}, CHEAP_USD + DEAR_USD),
        ({"cascade": ["cheap", "dear"], "accept": {"regex": "."}}, CHEAP_USD),
        ({"cascade": ["cheap", "dear"], "accept": {"judge": "dear"}}, CHEAP_USD + DEAR_USD),
        ({"fan_out": ["cheap", "dear"], "merge": "fuse", "by": "dear"}, CHEAP_USD + 2 * DEAR_USD),
        ({"refine": {"draft": "cheap", "critic": "dear"}}, CHEAP_USD + DEAR_USD),
    ],
)
def test_a_premium_plan_of_several_steps_counts_by_its_shortest_way(best, shortest_way):
    assert premium_usd(best) == pytest.approx(shortest_way)


def test_a_request_that_took_the_premium_plan_itself_saved_nothing_and_lost_nothing():
    steps = (step("cheap", 0.25), step("dear", 0.5))
    best = {"pipeline": ["cheap", "dear"]}
    assert premium_usd(best, "best", USAGE, *steps) == 0.75
    assert premium_usd(best, "fast", USAGE, *steps) == pytest.approx(CHEAP_USD + DEAR_USD)


def test_the_answering_step_gets_its_tokens_its_price_and_its_provider():
    one_step = trace("fast", step("cheap"))
    result = accounted(plans({"ask": "dear"}), one_step, USAGE, None, settled=False)
    (answering,) = result.attempts
    assert (answering.usage, answering.provider) == (USAGE, "openai")
    assert answering.cost_usd == pytest.approx(CHEAP_USD)
    assert (result.premium_plan, result.premium_cost_usd) == ("best", pytest.approx(DEAR_USD))


def test_tokens_that_a_backend_did_not_count_are_a_quarter_of_the_characters():
    usage = estimated(request("x" * 400), answer_bytes=800)
    assert usage == Usage(input_tokens=100, output_tokens=200, estimated=True)
    assert estimated(request("hi"), answer_bytes=3) == Usage(1, 0, estimated=True)
