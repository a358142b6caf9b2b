"""Budgets of keys, nested teams and tags under fifty calls side by side on two routers."""

import pytest

from experiments.budgets.scene import round_of
from tests.sparing import slow_after


@pytest.mark.parametrize("seed", slow_after(1, [101, 102]))
async def test_no_budget_of_a_hierarchy_is_exceeded_by_more_than_one_call(seed):
    figures = await round_of(seed)
    over = {name: usd for name, usd in figures.excess.items() if usd > figures.dearest_usd}
    assert over == {}
    assert figures.answered > 10
    assert figures.granted > 0.8


async def test_without_budgets_the_same_calls_spend_more_than_any_budget_allows():
    figures = await round_of(101, bounded=False)
    assert figures.answered == figures.calls
    assert figures.worst > 1
