"""Turns estimates into a distribution over arms; without chance, so propensities are exact."""

from collections.abc import Callable, Sequence
from functools import cache
from math import erf, sqrt

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Rule = Callable[[Vector, Vector], Vector]  # from means and variances to shares

_NODES = 40
_REACH = 5.0  # standard deviations: fewer than one value in a million is further away
_TABLE, _WIDTH = 1 << 16, 16.0  # places, from -8 to 8 standard deviations
_LEAST = 1e-15


def thompson(means: Vector, variances: Vector) -> Vector:
    """The probability that each arm is the best, if the worth of each arm is normally distributed.

    For each arm, Gauss-Legendre quadrature integrates the arm's density times the probability that
    all other arms are lower, over the range in which the best worth can lie.
    """
    return np.asarray(thompson_each(means[None], variances[None])[0])


def thompson_each(means: Matrix, variances: Matrix) -> Matrix:
    """The same for several rows of arms at once, which takes hardly longer than one row."""
    spreads = np.sqrt(variances)
    reach = _REACH * spreads
    low = np.maximum.reduce(means - reach, axis=1, keepdims=True)
    high = np.maximum.reduce(means + reach, axis=1, keepdims=True)
    nodes, weights = _prepared()
    places = low + (high - low) * nodes
    z = places[:, None, :] - means[:, :, None]
    z /= spreads[:, :, None]
    below = lower(z)
    z *= z
    z *= -0.5
    density = np.exp(z, out=z)
    density /= below
    others = np.multiply.reduce(below, axis=1)
    others *= weights
    shares: Matrix = np.matmul(density, others[:, :, None])[:, :, 0]
    shares /= spreads
    totals = np.add.reduce(shares, axis=1, keepdims=True)
    for row in range(len(totals)):
        if not totals[row, 0] > 0:  # all mass is between the nodes: one arm is certainly best
            shares[row] = means[row] == means[row].max()
            totals[row] = shares[row].sum()
    shares /= totals
    return shares


def lower(z: Vector) -> Vector:
    """The probability that a standard normal value is below `z`, from a table: to four places."""
    places = z * (_TABLE / _WIDTH)
    places += _TABLE / 2
    return _normal().take(places.astype(np.intp), mode="clip")


@cache
def _prepared() -> tuple[Vector, Vector]:
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    return (nodes + 1) / 2, weights


@cache
def _normal() -> Vector:
    middles = (np.arange(_TABLE) + 0.5 - _TABLE / 2) * (_WIDTH / _TABLE)
    return np.array([max(0.5 * (1 + erf(middle / sqrt(2))), _LEAST) for middle in middles])


def inverse_gap(gamma: float) -> Rule:
    """SquareCB's rule: an arm gets a smaller share the further its mean is below the best mean."""

    def shares(means: Vector, variances: Vector) -> Vector:  # noqa: ARG001 - every rule gets both
        best = int(means.argmax())
        split = 1 / (len(means) + gamma * (means[best] - means))
        split[best] = 0.0
        split[best] = 1 - split.sum()
        return np.asarray(split)

    return shares


def epsilon(share: float) -> Rule:
    """Choose the best arm, except for a share that is spread evenly over all arms."""

    def shares(means: Vector, variances: Vector) -> Vector:  # noqa: ARG001 - every rule gets both
        split = np.full(len(means), share / len(means))
        split[int(means.argmax())] += 1 - share
        return split

    return shares


def upper_bound(width: float, sharpness: float = 50.0) -> Rule:
    """Prefer the arm with the highest upper bound, `width` standard deviations above its mean.

    The preference is softened, because a rule that always chooses one arm learns nothing about the
    others.
    """

    def shares(means: Vector, variances: Vector) -> Vector:
        bound = means + width * np.sqrt(variances)
        odds = np.exp(sharpness * (bound - bound.max()))
        return np.asarray(odds / odds.sum())

    return shares


def floored(shares: Sequence[float], floor: float) -> list[float]:
    """Raise the shares so that no arm is below the floor."""
    floor = min(floor, 1 / len(shares))
    scale = 1 - floor * len(shares)
    return [share * scale + floor for share in shares]
