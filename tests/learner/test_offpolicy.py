"""Estimates of another policy's reward are right within the error that they state."""

import numpy as np
import pytest
from scipy.stats import t

from learner.expectations import cross_fitted, known_shares
from learner.offpolicy import (
    difference,
    doubly_robust,
    normalised,
    promised_squares,
    student,
    weighted,
)
from learner.overlap import overlap_of


def logged(count=20_000, seed=1):
    """A log of two arms, drawn 80 to 20, to estimate a policy that draws them 20 to 80."""
    chance = np.random.default_rng(seed)
    second = chance.random(count) < 0.2
    rewards = (chance.random(count) < np.where(second, 0.7, 0.4)).astype(float)
    return rewards, np.where(second, 0.2, 0.8), np.where(second, 0.8, 0.2), second


TRUTH = 0.2 * 0.4 + 0.8 * 0.7


@pytest.mark.parametrize("estimate", [weighted, normalised])
def test_estimates_find_the_truth_within_their_error(estimate):
    rewards, had, wanted, _ = logged()
    estimated = estimate(rewards, had, wanted)
    assert abs(estimated.value - TRUTH) < 3.5 * estimated.deviation
    assert 0 < estimated.deviation < 0.02
    assert estimated.effective < len(rewards)


def test_a_model_that_is_wrong_is_corrected_and_one_that_is_right_helps():
    rewards, had, wanted, second = logged()
    good = np.where(second, 0.7, 0.4)
    right = doubly_robust(
        rewards, had, wanted, expected=good, expected_under=np.full(len(good), TRUTH)
    )
    zero = np.zeros(len(good))
    wrong = doubly_robust(rewards, had, wanted, expected=zero, expected_under=zero)
    for estimated in (right, wrong):
        assert abs(estimated.value - TRUTH) < 3.5 * estimated.deviation
    assert right.deviation < wrong.deviation


def intervals(estimate, seeds=range(400), count=300):
    """The share of small logs whose interval contains the truth."""
    held = 0
    for seed in seeds:
        rewards, had, wanted, second = logged(count, seed)
        odds = np.tile([0.8, 0.2], (count, 1))
        squares = promised_squares(odds, np.tile([0.2, 0.8], (count, 1)))
        estimated = estimate(rewards, had, wanted, second, squares)
        held += estimated.low <= TRUTH <= estimated.high
    return held / len(seeds)


def fitted(rewards, had, wanted, second, squares, shares=(0.2, 0.8)):
    arms, nothing = second.astype(int), np.zeros(len(rewards), dtype=int)
    observed = np.ones(len(rewards), dtype=bool)
    expected = cross_fitted(nothing, arms, rewards, observed, arm_count=2)
    return doubly_robust(
        rewards,
        had,
        wanted,
        expected=expected[np.arange(len(arms)), arms],
        expected_under=expected @ shares,
        squares=squares,
        bounds=(0.0, 1.0),
    )


@pytest.mark.parametrize(
    "estimate",
    [
        lambda r, had, wanted, _, squares: weighted(r, had, wanted, squares=squares),
        lambda r, had, wanted, _, squares: normalised(r, had, wanted, squares=squares),
        fitted,
    ],
)
def test_the_interval_of_a_small_log_holds_the_truth_as_often_as_it_says(estimate):
    assert 0.93 <= intervals(estimate) <= 0.99


def test_rewards_that_are_all_alike_still_leave_a_doubt():
    rewards, half = np.ones(40), np.full(40, 0.5)
    estimated = normalised(rewards, half, np.ones(40), bounds=(0.0, 1.0))
    assert estimated.value == 1
    assert 0.8 < estimated.low < 0.97


def test_heavy_weights_that_were_not_drawn_still_count():
    """One row in ten would have a weight of 100, but every draw took the likely arm."""
    odds = np.tile([1.0, 0.0], (200, 1))
    odds[::10] = [0.99, 0.01]
    wanted = np.where(odds[:, 1:] > 0, [0.0, 1.0], [1.0, 0.0])
    taken = wanted[:, 0]
    rewards = np.ones(200)
    blind = normalised(rewards, odds[:, 0], taken)
    aware = normalised(rewards, odds[:, 0], taken, squares=promised_squares(odds, wanted))
    assert blind.effective == pytest.approx(180)
    assert aware.effective == pytest.approx(200 / (0.9 + 0.1 * 100))
    assert not overlap_of(odds, wanted, ["a", "b"], aware.effective).enough


def test_equal_policies_differ_by_nothing_and_a_clear_lead_is_seen():
    rewards, had, wanted, second = logged(3000)
    squares = promised_squares(np.tile([0.8, 0.2], (3000, 1)), np.tile([0.2, 0.8], (3000, 1)))
    ours = fitted(rewards, had, wanted, second, squares)
    same = difference(ours, ours, squares=np.zeros(3000), bounds=(0.0, 1.0))
    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)
    theirs = fitted(rewards, had, had, second, np.ones(3000), shares=(0.8, 0.2))
    apart = promised_squares(np.tile([0.8, 0.2], (3000, 1)), np.tile([-0.6, 0.6], (3000, 1)))
    lead = difference(ours, theirs, squares=apart, bounds=(0.0, 1.0))
    assert lead.low < 0.6 * 0.3 < lead.high
    assert lead.low > 0


def test_a_row_has_no_part_in_what_is_expected_of_it():
    chance = np.random.default_rng(1)
    groups, arms = chance.integers(3, size=60), chance.integers(2, size=60)
    rewards, observed = chance.random(60), np.ones(60, dtype=bool)
    before = cross_fitted(groups, arms, rewards, observed, arm_count=2)
    rewards[7] += 100
    after = cross_fitted(groups, arms, rewards, observed, arm_count=2)
    assert before[7] == pytest.approx(after[7])
    assert before[8] != pytest.approx(after[8])


def test_the_share_of_known_rewards_is_that_of_the_arm_in_its_group_if_there_are_enough():
    groups, arms = np.repeat([0, 0, 1], 40), np.repeat([0, 1, 0], 40)
    observed = np.concatenate([np.arange(40) < 10, np.arange(40) < 20, np.arange(40) < 30])
    shares = known_shares(groups, arms, observed, arm_count=3)
    assert shares[0].tolist() == [0.25, 0.5, 0.5]  # nobody saw arm 2: the share of all
    assert shares[-1].tolist() == [0.75, 0.5, 0.5]  # nobody saw arm 1 here: its share elsewhere


def test_an_arm_whose_rewards_stay_unknown_is_silent():
    nothing, arms = np.zeros(80, dtype=int), np.repeat([0, 1], 40)
    shares = known_shares(nothing, arms, arms == 0, arm_count=2)
    assert shares[0].tolist() == [1.0, 0.0]


def test_choices_that_the_log_never_gave_a_chance_are_named():
    odds = np.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]])
    wanted = np.array([[0.0, 0.5, 0.5], [0.0, 1.0, 0.0]])
    overlap = overlap_of(odds, wanted, ["a", "b", "c"], 1000.0)
    assert overlap.uncovered == 0.75
    assert overlap.arms == ("b", "c")
    assert not overlap.enough


@pytest.mark.parametrize("freedom", [5, 8, 30, 400])
def test_the_factor_of_an_interval_is_students(freedom):
    assert student(freedom) == pytest.approx(t.ppf(0.975, freedom), abs=0.03)
