"""Which arm is best on the whole, and which arms are worth a try."""

import numpy as np
import pytest

from learner.standing import Standing, standing


def of(counts, good):
    """The standing of arms with so many answers, of which so many were good."""
    good = np.array(good, dtype=float)
    return standing(np.array(counts, dtype=float), good, good)


def test_an_arm_without_answers_stands_near_the_other_arms():
    stands = of([50, 50, 0], [40, 40, 0])
    assert abs(stands.means[2] - 0.8) < 0.06
    assert stands.variances[2] > 5 * stands.variances[0]


def test_a_few_lucky_answers_move_an_arm_little():
    stands = of([200, 3], [160, 3])
    assert 0.8 < stands.means[1] < 0.88


def test_arms_that_are_alike_are_seen_to_differ_little():
    alike, apart = of([100] * 4, [70, 72, 69, 71]), of([100] * 4, [20, 90, 50, 70])
    assert np.ptp(alike.means) < 0.03
    assert np.ptp(apart.means) > 0.6


def test_at_most_the_given_share_goes_to_tries_that_cost_more_than_allowed():
    stands = of([40, 0, 0, 0], [38, 0, 0, 0])
    tried, untried = (
        stands.shares(stands.means, stands.variances, most=most) for most in (0.1, 0.0)
    )
    assert tried.sum() == pytest.approx(1)
    assert untried @ (stands.means.max() - stands.means) <= stands.allowance + 1e-9
    assert 0.05 < untried[0] - tried[0] <= 0.1


def test_an_arm_that_can_no_longer_win_is_not_tried():
    stands = of([2000, 2000], [1600, 1000])
    assert stands.shares(stands.means, stands.variances, most=0.1)[1] < 1e-6


def test_telling_the_best_arms_apart_costs_no_more_than_allowed():
    worth, variances = np.array([0.8, 0.78, 0.5]), np.array([0.01, 0.01, 0.0001])
    stands = Standing(worth, variances, judged=300.0)
    shares = stands.shares(worth, variances, most=0.0)
    assert shares @ (worth.max() - worth) <= stands.allowance + 1e-9
    assert shares[1] > 0.05


def test_what_it_may_cost_falls_with_the_answers():
    costs = [Standing(np.ones(2), np.ones(2), judged=n).allowance for n in (0, 100, 1000, 10_000)]
    assert costs == sorted(costs, reverse=True)
    assert costs[-1] < costs[0] / 10


def test_the_noise_of_answers_is_learned():
    certain = standing(np.array([50.0, 50.0]), np.array([40.0, 30.0]), np.array([32.0, 18.0]))
    coins = of([50, 50], [40, 30])
    assert certain.noise < coins.noise / 2
