"""What another policy would have earned, estimated from logged choices and their odds. Pure.

Each logged reward is weighted by how much more often the other policy would have taken that arm. A
few large weights can carry an estimate anywhere (`effective` shows it), so an estimate may veto a
policy and never promotes one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class OffPolicyEstimate:
    """The mean reward under the other policy."""

    value: float
    deviation: float  # one standard error
    effective: float  # how many equally weighted rewards the estimate is worth


def weighted(
    rewards: Vector, logged: Vector, wanted: Vector, *, clip: float = 100.0
) -> OffPolicyEstimate:
    """Inverse propensity weighting: unbiased as long as no weight is clipped."""
    weights = np.minimum(wanted / logged, clip)
    terms = weights * rewards
    return OffPolicyEstimate(float(terms.mean()), _error(terms), _effective(weights))


def normalised(
    rewards: Vector, logged: Vector, wanted: Vector, *, clip: float = 100.0
) -> OffPolicyEstimate:
    """Inverse propensity weighting over the sum of weights: a little biased, far steadier."""
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
    """Expected rewards, corrected by the logged ones: right if either the rewards or the odds are.

    `expected` is for the arms that were taken, `expected_under` the mean under the other policy.
    """
    weights = np.minimum(wanted / logged, clip)
    terms = expected_under + weights * (rewards - expected)
    return OffPolicyEstimate(float(terms.mean()), _error(terms), _effective(weights))


def _error(terms: Vector) -> float:
    return float(terms.std(ddof=1) / np.sqrt(len(terms))) if len(terms) > 1 else float("inf")


def _effective(weights: Vector) -> float:
    squares = float((weights * weights).sum())
    return float(weights.sum() ** 2 / squares) if squares > 0 else 0.0
