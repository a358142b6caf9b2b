"""What a call costs: cached and written tokens, and rates by the length of the prompt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from router.catalog import FREE, Price, PriceAbove

DOLLARS = st.floats(0, 1000).map(lambda dollars: round(dollars, 4))
TOKENS = st.integers(0, 2_000_000)


@st.composite
def prices(draw):
    def rates():
        cached, write = (draw(st.none() | DOLLARS) for _ in range(2))
        return {
            "input": draw(DOLLARS), "output": draw(DOLLARS),
            "cached_input": cached, "cache_write": write,
        }  # fmt: skip

    bounds = sorted(draw(st.sets(st.integers(1, 1_500_000), max_size=3)))
    tiers = tuple(PriceAbove(above=bound, **rates()) for bound in bounds)
    return Price(**rates(), tiers=tiers)


@given(prices(), TOKENS, TOKENS, TOKENS, TOKENS)
def test_a_call_costs_what_its_tokens_cost_at_one_rate(price, fresh, output, cached, written):
    length = fresh + cached + written
    above = [tier for tier in price.tiers if length > tier.above]
    rates = max(above, key=lambda tier: tier.above, default=price)
    reading = rates.input if rates.cached_input is None else rates.cached_input
    writing = rates.input if rates.cache_write is None else rates.cache_write
    dollars = fresh * rates.input + output * rates.output + cached * reading + written * writing
    cost = price.cost_usd(
        input_tokens=length, output_tokens=output, cached_tokens=cached, written_tokens=written
    )
    assert cost == pytest.approx(dollars / 1e6)


@given(prices(), TOKENS, TOKENS, TOKENS, TOKENS)
def test_no_call_costs_more_than_the_most(price, length, output, cached, written):
    cost = price.cost_usd(
        input_tokens=length, output_tokens=output, cached_tokens=cached, written_tokens=written
    )
    most = price.most_usd(input_tokens=length, output_tokens=output)
    assert cost <= most * (1 + 1e-9)


@given(prices(), TOKENS, TOKENS)
def test_a_longer_prompt_has_no_smaller_most(price, length, more):
    shorter = price.most_usd(input_tokens=length, output_tokens=100)
    longer = price.most_usd(input_tokens=length + more, output_tokens=100)
    assert shorter <= longer * (1 + 1e-9)


@given(TOKENS, TOKENS, TOKENS, TOKENS)
def test_a_price_of_zero_is_free(length, output, cached, written):
    tokens = {"input_tokens": length, "output_tokens": output}
    assert FREE.cost_usd(**tokens, cached_tokens=cached, written_tokens=written) == 0


def test_the_bound_of_a_tier_still_pays_the_lower_rate():
    price = Price(input=1, output=0, tiers=(PriceAbove(above=200_000, input=2, output=0),))
    assert price.cost_usd(input_tokens=200_000, output_tokens=0) == pytest.approx(0.2)
    assert price.cost_usd(input_tokens=200_001, output_tokens=0) == pytest.approx(0.400002)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"input": 1}, "output"),
        ({"output": 1}, "input"),
        ({"input": -1, "output": 1}, "greater than or equal to 0"),
        ({"input": 1, "output": 1, "cache_read": 1}, "cache_read"),
    ],
)
def test_half_a_price_is_no_price(fields, problem):
    with pytest.raises(ValidationError, match=problem):
        Price(**fields)


def test_tiers_must_rise():
    tiers = tuple(PriceAbove(above=bound, input=1, output=1) for bound in (200, 100))
    with pytest.raises(ValidationError, match=r"bounds are \[200, 100\]: sort them"):
        Price(input=1, output=1, tiers=tiers)
