"""Odds from estimates are exact, sum to one, and never fall below the floor."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from learner.explore import epsilon, floored, inverse_gap, thompson, upper_bound

means = arrays(np.float64, st.integers(2, 12), elements=st.floats(-2, 2))
RULES = {
    "thompson": thompson,
    "inverse gap": inverse_gap(20.0),
    "epsilon": epsilon(0.1),
    "upper bound": upper_bound(1.0),
}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
@given(means, st.floats(1e-6, 2))
def test_shares_sum_to_one_and_none_is_negative(rule, values, spread):
    shares = rule(values, np.full(len(values), spread))
    assert shares.sum() == pytest.approx(1)
    assert shares.min() >= -1e-12


def test_thompsons_shares_are_how_often_each_arm_would_be_the_best_draw():
    values, variances = np.array([0.5, 0.55, 0.3, 0.52]), np.array([0.01, 0.02, 0.09, 0.0001])
    drawn = np.random.default_rng(1).normal(values, np.sqrt(variances), (400_000, 4)).argmax(axis=1)
    counted = np.bincount(drawn, minlength=4) / len(drawn)
    assert thompson(values, variances) == pytest.approx(counted, abs=0.004)


def test_of_two_arms_the_share_is_the_normal_integral_itself():
    # P(N(0.1, 0.04) > N(0, 0.05)) = Phi(0.1 / 0.3)
    assert thompson(np.array([0.1, 0.0]), np.array([0.04, 0.05]))[0] == pytest.approx(
        0.63056, abs=1e-4
    )


@given(st.floats(-1, 1), st.floats(1e-4, 1), st.integers(2, 10))
def test_equal_arms_share_alike(mean, variance, count):
    shares = thompson(np.full(count, mean), np.full(count, variance))
    assert shares == pytest.approx(np.full(count, 1 / count))


def test_an_arm_that_is_surely_best_takes_all_and_the_floor_gives_some_back():
    shares = thompson(np.array([1.0, 0.0, -1.0]), np.full(3, 1e-9))
    assert shares == pytest.approx([1, 0, 0], abs=1e-9)
    assert floored(shares, 0.01) == pytest.approx([0.98, 0.01, 0.01])
    assert floored(shares, 0.9) == pytest.approx(np.full(3, 1 / 3))


def test_a_larger_gap_leaves_less_to_the_rest():
    near, far = (inverse_gap(50.0)(np.array([0.5, v]), np.zeros(2))[1] for v in (0.45, 0.1))
    assert far < near < 0.5
