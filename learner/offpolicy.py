"""Estimates what another policy would have earned, from logged choices and their propensities.

Each logged reward is weighted by how much more often the other policy would have chosen that arm. A
few large weights can distort an estimate arbitrarily (`effective` shows how few), so an estimate
may veto a policy, but never promotes a policy.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class OffPolicyEstimate:
    """The estimated mean reward under the other policy."""

    value: float
    deviation: float  # one standard error
    effective: float  # the effective number of rewards behind the estimate


def weighted(
    rewards: Vector, logged: Vector, wanted: Vector, *, clip: float = 100.0
) -> OffPolicyEstimate:
    """Estimate by inverse propensity weighting: unbiased as long as no weight is clipped."""
    weights = np.minimum(wanted / logged, clip)
    terms = weights * rewards
    return OffPolicyEstimate(float(terms.mean()), _error(terms), _effective(weights))


def normalised(
    rewards: Vector, logged: Vector, wanted: Vector, *, clip: float = 100.0
) -> OffPolicyEstimate:
    """Divide by the sum of the inverse propensity weights: a little biased, but far steadier."""
    weights = np.minimum(wanted / logged, clip)
    total = weights.sum()
    if total <= 0:
        return OffPolicyEstimate(float("nan"), float("inf"), 0.0)
    value = float((weights * rewards).sum() / total)
    terms = weights * (rewards - value) * len(rewards) / total
    return OffPolicyEstimate(value, _error(terms), _effective(weights))


def doubly_robust(
    rewards: Vector,
    logged: Vector,
    wanted: Vector,
    *,
    expected: Vector,
    expected_under: Vector,
    clip: float = 100.0,
) -> OffPolicyEstimate:
    """Correct expected rewards by logged rewards: right if the expectations or the odds are right.

    `expected` is the expected reward of each logged choice, and `expected_under` the mean expected
    reward of the other policy in the same context.
    """
    weights = np.minimum(wanted / logged, clip)
    terms = expected_under + weights * (rewards - expected)
    return OffPolicyEstimate(float(terms.mean()), _error(terms), _effective(weights))


def _error(terms: Vector) -> float:
    return float(terms.std(ddof=1) / np.sqrt(len(terms))) if len(terms) > 1 else float("inf")


def _effective(weights: Vector) -> float:
    squares = float((weights * weights).sum())
    return float(weights.sum() ** 2 / squares) if squares > 0 else 0.0
