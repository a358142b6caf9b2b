"""Answers that go bad after thousands of good checks are noticed; good ones are left alone."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.reuse.watch import ALARM, doubt_after, resting, suspicion

BUDGETS = [0.001, 0.01, 0.05, 0.3, 0.5]


@pytest.mark.parametrize("budget", BUDGETS)
@given(doubt=st.floats(0, ALARM / 6), weight=st.floats(0.1, 1))
def test_a_check_within_the_budget_adds_no_more_than_its_weight_on_average(budget, doubt, weight):
    """That is what makes false alarms rare: so many checks pass as the alarm is high."""
    after = {w: doubt_after(doubt, budget, wrong=w, weight=weight) for w in (True, False)}
    mean = budget * after[True] + (1 - budget) * after[False]
    assert mean <= (doubt + weight) * (1 + 1e-9)


@pytest.mark.parametrize("budget", BUDGETS)
def test_right_checks_alone_leave_a_doubt_that_raises_no_suspicion(budget):
    doubt = 0.0
    for _ in range(20_000):
        doubt = doubt_after(doubt, budget, wrong=False)
    assert doubt <= resting(budget) * (1 + 1e-9)
    assert suspicion(doubt, budget) < 0.01


def test_wrong_checks_raise_the_suspicion_up_to_the_alarm():
    doubts = [resting(0.01)]
    while doubts[-1] < ALARM:
        doubts.append(doubt_after(doubts[-1], 0.01, wrong=True))
    assert len(doubts) <= 5
    assert all(a < b for a, b in pairwise(suspicion(doubt, 0.01) for doubt in doubts))
    assert suspicion(doubts[-1], 0.01) == 1.0


def _alarm_after(budget: float, share: float, seed: int, most: int) -> int | None:
    """The check at which the alarm comes, after 3,000 right checks and so many wrong ones."""
    doubt, chance = resting(budget), np.random.default_rng(seed)
    for n, wrong in enumerate(chance.random(most) < share, 1):
        doubt = doubt_after(doubt, budget, wrong=bool(wrong))
        if doubt >= ALARM:
            return n
    return None


def test_five_percent_wrong_raise_the_alarm_within_200_checks():
    alarms = [_alarm_after(0.01, 0.05, seed, 200) for seed in range(100)]
    assert sum(alarm is not None for alarm in alarms) >= 95


def test_a_third_of_the_budget_raises_hardly_an_alarm_in_2000_checks():
    alarms = [_alarm_after(0.01, 0.003, seed, 2000) for seed in range(100)]
    assert sum(alarm is not None for alarm in alarms) <= 10
