"""Estimates to a distribution over arms. Pure: nothing is drawn, so every propensity is exact."""

from collections.abc import Callable
from functools import cache
from math import erf, sqrt

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Rule = Callable[[Vector, Vector], Vector]  # means and variances to shares

_NODES = 40
_REACH = 5.0  # standard deviations: what lies further out is less than one in a million
_TABLE = 4096


def thompson(means: Vector, variances: Vector) -> Vector:
    """How likely each arm is the best of all, if each is worth what a normal variable says.

    The integral of its density times the chance that all others lie below, by Gauss and Legendre,
    over where the best can lie at all.
    """
    spreads = np.sqrt(variances)
    low = (means - _REACH * spreads).max()
    high = (means + _REACH * spreads).max()
    nodes, weights, table, scale = _prepared()
    at = low + (high - low) * nodes
    z = (at - means[:, None]) / spreads[:, None]
    place = np.clip(z * scale + _TABLE / 2, 0.0, _TABLE - 1e-9)
    index = place.astype(np.intp)
    below = table[index]
    below += (table[index + 1] - below) * (place - index)
    density = np.exp(-0.5 * z * z)
    density /= spreads[:, None]
    density /= below
    shares: Vector = (density * (below.prod(axis=0) * weights)).sum(axis=1)
    total = shares.sum()
    if not total > 0:  # all mass fell between nodes: one arm is certain
        shares = (means == means.max()).astype(np.float64)
        total = shares.sum()
    return np.asarray(shares / total)


@cache
def _prepared() -> tuple[Vector, Vector, Vector, float]:
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    width = 16.0  # from -8 to 8 standard deviations
    steps = np.linspace(-width / 2, width / 2, _TABLE + 1)
    table = np.array([max(0.5 * (1 + erf(step / sqrt(2))), 1e-15) for step in steps])
    return (nodes + 1) / 2, weights, table, _TABLE / width


def inverse_gap(gamma: float) -> Rule:
    """Each arm a share that shrinks with how far it trails the best: SquareCB's rule."""

    def shares(means: Vector, variances: Vector) -> Vector:  # noqa: ARG001 - a rule is given both
        best = int(means.argmax())
        told = 1 / (len(means) + gamma * (means[best] - means))
        told[best] = 0.0
        told[best] = 1 - told.sum()
        return np.asarray(told)

    return shares


def epsilon(share: float) -> Rule:
    """The best arm, but for a share that is spread over all."""

    def shares(means: Vector, variances: Vector) -> Vector:  # noqa: ARG001 - a rule is given both
        told = np.full(len(means), share / len(means))
        told[int(means.argmax())] += 1 - share
        return told

    return shares


def upper_bound(width: float, sharpness: float = 50.0) -> Rule:
    """The arm that may be worth most, `width` standard deviations up; softened, since a rule that
    is certain of its choice leaves nothing to learn from about the others."""

    def shares(means: Vector, variances: Vector) -> Vector:
        bound = means + width * np.sqrt(variances)
        told = np.exp(sharpness * (bound - bound.max()))
        return np.asarray(told / told.sum())

    return shares


def floored(shares: Vector, floor: float) -> Vector:
    """No arm below the floor."""
    floor = min(floor, 1 / len(shares))
    return shares * (1 - floor * len(shares)) + floor
