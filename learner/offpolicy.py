"""Estimates what another policy would have earned, from logged choices and their propensities.

Each logged reward is weighted by how much more often the other policy would have chosen that arm.
An interval holds for one look at rows that were fixed beforehand, not at every look, and only where
`overlap` has nothing against the estimate. Nothing here fits a model: `expectations` does. An
estimate may veto a policy, but never promotes a policy.
"""

from dataclasses import dataclass, field
from math import inf, nan, sqrt

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Bounds = tuple[float, float]
_Z = 1.959964  # 95 % of a normal variable lies within so many standard deviations
_NOTHING: Vector = np.empty(0)


@dataclass(frozen=True, slots=True)
class OffPolicyEstimate:
    """The estimated mean reward under the other policy, with a 95 % interval."""

    value: float
    deviation: float  # one standard error
    effective: float  # the effective number of rewards behind the estimate
    low: float = -inf
    high: float = inf
    rows: "RowInfluence | None" = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class RowInfluence:
    """What each row adds to an estimate; the difference of two estimates needs it."""

    influence: Vector  # the row's pull on the value, times the number of rows
    parts: Vector  # the row's part of all weights
    residuals: Vector  # the reward, less what was expected


def weighted(
    rewards: Vector,
    logged: Vector,
    wanted: Vector,
    *,
    clip: float = 100.0,
    squares: Vector | None = None,
    bounds: Bounds | None = None,
) -> OffPolicyEstimate:
    """Estimate by inverse propensity weighting: unbiased as long as no weight is clipped.

    `squares` is each row's mean squared weight, by the odds of all arms and not only of the chosen
    one (`promised_squares`): it knows of heavy weights that happened not to be drawn. `bounds` are
    the ends of the range of rewards; without them, most of the rewards lie between them.
    """
    weights = _weights(logged, wanted, clip)
    terms = weights * rewards
    n, value = len(weights), float(terms.mean()) if len(weights) else nan
    effective = _effective(weights, squares)
    if n < 2 or not effective:
        return OffPolicyEstimate(value, inf, effective)
    beside = n / effective * (np.array(bounds or bounds_of(rewards)) - value)
    influence = terms - value
    deviation = sqrt(_squared(influence) + float(beside @ beside)) / n
    return _about(value, value, deviation, effective)


def normalised(
    rewards: Vector,
    logged: Vector,
    wanted: Vector,
    *,
    clip: float = 100.0,
    squares: Vector | None = None,
    bounds: Bounds | None = None,
) -> OffPolicyEstimate:
    """Divide by the sum of the inverse propensity weights: a little biased, but far steadier."""
    nothing = np.zeros(len(rewards))
    return doubly_robust(
        rewards,
        logged,
        wanted,
        expected=nothing,
        expected_under=nothing,
        clip=clip,
        squares=squares,
        bounds=bounds,
    )


def doubly_robust(
    rewards: Vector,
    logged: Vector,
    wanted: Vector,
    *,
    expected: Vector,
    expected_under: Vector,
    clip: float = 100.0,
    squares: Vector | None = None,
    bounds: Bounds | None = None,
) -> OffPolicyEstimate:
    """Correct expected rewards by logged rewards: right if the expectations or the odds are right.

    `expected` is the expected reward of each logged choice, and `expected_under` the mean expected
    reward of the other policy in the same context. Neither may come from the row that it corrects.
    The corrections are divided by the sum of their weights. The interval counts one more row at
    each end of the range of rewards, so that few and equal rewards never look certain.
    """
    weights = _weights(logged, wanted, clip)
    n, total = len(weights), float(weights.sum())
    if total <= 0:
        return OffPolicyEstimate(nan, inf, 0.0)
    residuals = rewards - expected
    mean = float(expected_under.mean())
    pull = float(weights @ residuals)
    effective = _effective(weights, squares)
    added = total / effective  # the weight of an added row
    ends = np.array(bounds or bounds_of(rewards)) - mean
    correction = (pull + added * float(ends.sum())) / (total + 2 * added)
    scale = n / (total + 2 * added)
    rows = RowInfluence(
        expected_under - mean + scale * weights * (residuals - correction),
        weights / total,
        residuals - correction,
    )
    beside = scale * added * (ends - correction)
    deviation = _deviation(rows, beside, 1 / effective)
    return _about(mean + pull / total, mean + correction, deviation, effective, rows)


def difference(
    a: OffPolicyEstimate, b: OffPolicyEstimate, *, squares: Vector, bounds: Bounds
) -> OffPolicyEstimate:
    """How much more the first policy earns, if both were estimated from the same rows.

    `squares` is each row's mean squared difference of the two weights, by the odds of all arms.
    """
    if a.rows is None or b.rows is None:
        return OffPolicyEstimate(nan, inf, 0.0)
    parts = a.rows.parts - b.rows.parts
    n, apart = len(parts), float(np.abs(parts).sum())
    if not apart:  # the policies agree on every row
        return OffPolicyEstimate(0.0, 0.0, float(n), 0.0, 0.0)
    rows = RowInfluence(
        a.rows.influence - b.rows.influence, parts, (a.rows.residuals + b.rows.residuals) / 2
    )
    most = max(float(parts @ parts), float(squares.mean()) / n)
    half = n * most / apart * (bounds[1] - bounds[0]) / 2
    deviation = _deviation(rows, np.array([half, -half, half, -half]), most)
    value = a.value - b.value
    return _about(value, value, deviation, min(a.effective, b.effective), rows)


def promised_squares(odds: NDArray[np.float64], wanted: NDArray[np.float64]) -> Vector:
    """Each row's mean squared weight; a column is an arm. Arms without odds are left out."""
    possible = odds > 0
    return np.asarray(
        np.divide(wanted**2, odds, out=np.zeros_like(odds), where=possible).sum(axis=1)
    )


def bounds_of(rewards: Vector) -> Bounds:
    """The range of most rewards, where nothing bounds a reward: a single one may be extreme."""
    if not len(rewards):
        return 0.0, 0.0
    low, high = np.quantile(rewards, [0.05, 0.95])
    return float(low), float(high)


def effective_size(weights: Vector) -> float:
    """How many rows of equal weight tell as much as rows of these weights."""
    squares = float(weights @ weights)
    return float(weights.sum()) ** 2 / squares if squares > 0 else 0.0


def student(freedom: float) -> float:
    """The 97.5th percentile of Student's t; right to .03 from 5 degrees of freedom on."""
    if freedom <= 0:
        return inf
    third, fifth = _Z**3, _Z**5
    first = (third + _Z) / (4 * freedom)
    return _Z + first + (5 * fifth + 16 * third + 3 * _Z) / (96 * freedom**2)


def _weights(logged: Vector, wanted: Vector, clip: float) -> Vector:
    """How much more often the other policy would have chosen so; 0 if it never would have."""
    ratios = np.divide(wanted, logged, out=np.zeros(len(wanted)), where=wanted > 0)
    return np.minimum(ratios, clip)


def _about(
    value: float,
    centre: float,
    deviation: float,
    effective: float,
    rows: RowInfluence | None = None,
) -> OffPolicyEstimate:
    half = student(effective) * deviation
    return OffPolicyEstimate(value, deviation, effective, centre - half, centre + half, rows)


def _deviation(rows: RowInfluence, beside: Vector, squared_parts: float) -> float:
    """The standard error; `beside` is the influence of the added rows.

    It is at least what follows from the mean squared residual and the promised weights. Otherwise,
    heavy rows that were not drawn, or that happened to be alike, would make it too small.
    """
    n, shares = len(rows.parts), np.abs(rows.parts)
    added = float(beside @ beside) / n**2
    residual = float(shares @ rows.residuals**2) / float(shares.sum())
    return sqrt(max(_squared(rows.influence) / n**2, squared_parts * residual) + added)


def _squared(values: Vector) -> float:
    """The sum of the squared distances from the mean."""
    return float(values @ values) - float(values.sum()) ** 2 / max(len(values), 1)


def _effective(weights: Vector, squares: Vector | None) -> float:
    """The effective number of rows: of those drawn, or what the odds promise if that is less."""
    drawn = effective_size(weights)
    if squares is None or not squares.any():
        return drawn
    return min(drawn, len(squares) / float(squares.mean()))
