"""What another policy would have brought, from what was logged with its odds. Pure.

Estimates weigh each logged reward by how much more often the other policy would have taken that
arm. They may veto a policy and never promote one: a few large weights can carry them anywhere,
which `effective` tells.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimated:
    value: float
    deviation: float  # one standard error
    effective: float  # how many logged rewards it is worth


def weighted(rewards: Vector, logged: Vector, wanted: Vector, *, clip: float = 100.0) -> Estimated:
    """Inverse propensity weighting: unbiased, where nothing is clipped."""
    weights = np.minimum(wanted / logged, clip)
    terms = weights * rewards
    return Estimated(float(terms.mean()), _error(terms), _effective(weights))


def normalised(
    rewards: Vector, logged: Vector, wanted: Vector, *, clip: float = 100.0
) -> Estimated:
    """The same over the sum of weights: a little biased, far steadier."""
    weights = np.minimum(wanted / logged, clip)
    total = weights.sum()
    if total <= 0:
        return Estimated(float("nan"), float("inf"), 0.0)
    value = float((weights * rewards).sum() / total)
    terms = weights * (rewards - value) * len(rewards) / total
    return Estimated(value, _error(terms), _effective(weights))


def doubly_robust(
    rewards: Vector,
    logged: Vector,
    wanted: Vector,
    *,
    expected: Vector,
    expected_under: Vector,
    clip: float = 100.0,
) -> Estimated:
    """`expected` rewards of what was taken, and on average under the other policy, corrected by
    what was logged: right where either the expectations or the odds are."""
    weights = np.minimum(wanted / logged, clip)
    terms = expected_under + weights * (rewards - expected)
    return Estimated(float(terms.mean()), _error(terms), _effective(weights))


def _error(terms: Vector) -> float:
    return float(terms.std(ddof=1) / np.sqrt(len(terms))) if len(terms) > 1 else float("inf")


def _effective(weights: Vector) -> float:
    squares = float((weights * weights).sum())
    return float(weights.sum() ** 2 / squares) if squares > 0 else 0.0
