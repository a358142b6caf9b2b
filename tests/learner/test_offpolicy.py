"""Estimates of another policy's reward are right within the error that they state."""

import numpy as np
import pytest

from learner.offpolicy import doubly_robust, normalised, weighted


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
