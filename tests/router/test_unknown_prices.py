"""An unknown price is unknown: null in every answer and row, never free, and refused by a limit."""

from contextlib import asynccontextmanager

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from router.config.config import Config
from router.keys import new_key
from router.plans.compiled import Plans
from router.plans.costs import Size
from router.routing.bandit import rates_of
from router.telemetry.rows import request_row
from tests.rig import rig
from tests.upstream import Upstream, answer_well, completion

CONFIG = """
backends:
  priced: {{kind: openai, base_url: "{url}", model: m1, price: {{input: 1, output: 2}}}}
  unpriced: {{kind: openai, base_url: "{url}", model: m2}}
plans:
  known: {{ask: priced}}
  unknown: {{ask: unpriced}}
  steps: {{cascade: [priced, unpriced], accept: {{judge: priced}}}}
  capped: {{pipeline: [unpriced, priced], max_cost: 1}}
objective: {{strategy: fixed, plan: unknown}}
reuse: {{mode: "off"}}
keys: {{limits: {limits}}}
"""


@asynccontextmanager
async def running(script=answer_well, *, limits="{}", keys=()):
    async with Upstream(script).listening() as up:
        async with rig(CONFIG.format(url=up.url, limits=limits), keys=keys) as r:
            yield r, up


def config(text):
    return Config.model_validate(yaml.safe_load(text))


async def test_the_cost_of_an_answer_is_null_where_the_price_is_unknown():
    async with running() as (r, _):
        answer = await r.chat()
    assert answer.json["usage"]["cost"] is None
    assert "x-waggle-cost-usd" not in answer.headers
    row = request_row(r.journal.traces[0])
    assert row["cost_usd"] is None
    assert row["attempts"][0]["cost_usd"] is None
    assert row["rate_usd"] == pytest.approx(row["gen_ai_usage_input_tokens"] and row["rate_usd"])


async def test_the_last_event_of_a_stream_says_null_too():
    async with running() as (r, _):
        stream = await r.chat(stream=True, stream_options={"include_usage": True})
    *_, last, done = stream.events
    assert done == "[DONE]"
    assert last["usage"]["cost"] is None


async def test_the_metrics_count_calls_of_unknown_cost_apart():
    async with running() as (r, _):
        await r.chat()
        text = (await r.get("/metrics")).body.decode()
    assert 'waggle_unpriced_calls_total{backend="unpriced"' in text
    assert 'waggle_cost_usd_total{backend="unpriced"' not in text


async def test_a_known_price_still_has_its_cost_beside_an_unknown_one():
    async with running() as (r, _):
        answer = await r.chat(model="known")
    assert answer.json["usage"]["cost"] > 0


async def test_what_was_written_to_a_cache_costs_what_the_price_says():
    usage = {"prompt_tokens": 1000, "completion_tokens": 0, "total_tokens": 1000}
    usage["prompt_tokens_details"] = {"cached_tokens": 100, "cache_write_tokens": 300}

    async def script(wire):
        await wire.json(completion(usage=usage))

    text = CONFIG.replace(
        "price: {{input: 1, output: 2}}",
        "price: {{input: 1, output: 2, cached_input: 0.5, cache_write: 3}}",
    )
    async with Upstream(script).listening() as up:
        async with rig(text.format(url=up.url, limits="{}")) as r:
            answer = await r.chat(model="known")
    assert answer.json["usage"]["cost"] == pytest.approx((600 + 100 * 0.5 + 300 * 3) / 1e6)


async def test_a_ceiling_on_cost_refuses_an_unknown_price_with_the_mend():
    async with running() as (r, up):
        answer = await r.chat(headers={"x-waggle-max-cost": "1", "x-waggle-plans": "unknown"})
        capped = await r.chat(headers={"x-waggle-plans": "capped"})
    assert answer.status == 400
    assert "has no known price (unpriced)" in answer.error["message"]
    assert capped.status == 422
    assert "the price of unpriced is unknown" in capped.error["message"]
    assert "`price` below backends.unpriced" in capped.error["message"]
    assert up.seen == []


@pytest.mark.parametrize("model", ["auto", "unknown", "unpriced"])
async def test_a_key_with_a_limit_of_dollars_refuses_an_unknown_price(model):
    text, key = new_key("k", "", limits={"dollars_per_day": 1})
    headers = {"authorization": f"Bearer {text}", "x-waggle-plans": "unknown"}
    async with running(keys=[key]) as (r, up):
        answer = await r.chat(model=model, headers=headers)
    assert answer.status in (400, 429)
    assert "the price of unpriced is unknown" in answer.error["message"]
    assert "keys.limits.unpriced" in answer.error["message"]
    assert up.seen == []


async def test_a_key_with_a_limit_of_dollars_is_served_by_the_plans_whose_price_is_known():
    text, key = new_key("k", "", limits={"dollars_per_day": 1})
    async with running(keys=[key]) as (r, _):
        answer = await r.chat(headers={"authorization": f"Bearer {text}"})
    assert answer.status == 200
    assert answer.headers["x-waggle-plan"] == "known"


async def test_the_operator_may_allow_unknown_prices():
    text, key = new_key("k", "", limits={"dollars_per_day": 1})
    async with running(limits="{unpriced: allow}", keys=[key]) as (r, _):
        answer = await r.chat(headers={"authorization": f"Bearer {text}"})
    assert answer.status == 200
    assert answer.json["usage"]["cost"] is None


def plans(*prices):
    """A plan `pN` for each price of a backend."""
    server = {"kind": "openai", "base_url": "http://h/v1"}
    backends = {f"b{n}": server | {"price": price} for n, price in enumerate(prices)}
    asking = {f"p{n}": {"ask": f"b{n}"} for n in range(len(prices))}
    return Plans(Config.model_validate({"backends": backends, "plans": asking}))


FREE, CHEAP, DEAR = (
    {"input": dollars, "output": dollars, "cached_input": None} for dollars in (0, 1, 9)
)


@pytest.mark.parametrize(
    ("prices", "premium"),
    [
        ((FREE, None), "p1"),  # never the local model, because it alone has a price
        ((None, CHEAP, DEAR), "p2"),  # a known price, so that a saving can be counted
        ((FREE, CHEAP, None), "p1"),
        ((FREE, FREE), "p0"),
    ],
)
def test_the_premium_plan_is_not_chosen_by_a_price_that_nobody_knows(prices, premium):
    assert plans(*prices).premium == premium


def test_a_plan_of_unknown_cost_is_compared_as_if_it_were_the_dearest():
    compiled = plans(CHEAP, None, DEAR)
    rates = rates_of(compiled, ["p0", "p1", "p2"], Size())
    assert rates["p1"] == rates["p2"] > rates["p0"]
    assert compiled["p1"].cost(Size()).least_usd is None


def test_an_unknown_price_is_not_free_where_all_that_is_known_is_free():
    assert rates_of(plans(FREE, None), ["p1"], Size())["p1"] > 0


def test_a_cascade_has_a_known_least_and_an_unknown_most():
    compiled = Plans(config(CONFIG.format(url="http://h/v1", limits="{}")))
    cost = compiled["steps"].cost(Size())
    assert cost.least_usd is not None
    assert cost.most_usd is None
    assert compiled["steps"].unpriced == ("unpriced",)


@given(st.integers(1, 500_000), st.integers(0, 5_000))
def test_a_plan_costs_what_its_backend_takes_for_a_prompt_of_that_length(tokens, output):
    tier = {"above": 200_000, "input": 2, "output": 30}
    compiled = plans({"input": 1, "output": 10, "tiers": [tier]})
    cost = compiled["p0"].cost(Size(tokens, output)).least_usd
    price = compiled.config.backends["b0"].price
    assert cost == pytest.approx(price.cost_usd(input_tokens=tokens, output_tokens=output))
    assert compiled["p0"].comparable_usd(Size(tokens, output)) == pytest.approx(cost)
