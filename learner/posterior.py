"""The beliefs of a bandit as arrays: the quality of each arm, and the expense of its answers.

These are plain values over numpy, so a program that only decides need not load the learner.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learner.policy import Arm

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Matrices = NDArray[np.float64]  # one matrix for each arm

GRID = 256.0  # grid points in 1: sums of contexts and qualities on this grid are exact
TENTHS = 10.0


def on_grid(value: float) -> float:
    return round(value * GRID) / GRID


def placed(
    context: Mapping[str, float], names: Mapping[str, int], x: NDArray[np.floating[Any]]
) -> None:
    """Write each value of a context, moved to the grid, to the place of its name in `x`.

    A name without a place is left out.
    """
    for name, value in context.items():
        at = names.get(name)
        if at is not None:
            x[at] = value
    x *= GRID
    np.rint(x, out=x)
    x /= GRID


def log_seconds(seconds: Vector) -> Vector:
    """The time term of utility: the logarithm of one plus the time in tenths of seconds."""
    return np.asarray(np.log10(1 + TENTHS * seconds))


@dataclass(frozen=True)
class Posterior:
    """The quality of each arm, normal: its mean is `means @ x`, its variance `x @ spreads @ x`."""

    names: Mapping[str, int]
    arms: tuple[Arm, ...]
    means: Matrix
    spreads: Matrices
    common: Matrices  # the part of the spreads that comes from shared weights
    weights: Vector  # the total weight of each arm's judged answers
    beliefs: Vector  # the probability of each belief

    @cached_property
    def in_order(self) -> tuple[str, ...]:
        """The names of the features by their places."""
        return tuple(sorted(self.names, key=self.names.__getitem__))

    @cached_property
    def _both(self) -> NDArray[np.float32]:
        size = len(self.names)
        return np.concatenate((self.spreads, self.common)).astype(np.float32).reshape(-1, size)

    def variances(self, x: Vector) -> list[float]:
        """The variance of each arm at `x`, and then for each the part that comes from shared
        weights.

        Half of the precision is enough for a variance, and takes half of the time.
        """
        narrow = x.astype(np.float32)
        with np.errstate(invalid="ignore"):  # BLAS may compute beyond the end of a short row
            both: list[float] = ((self._both @ narrow).reshape(-1, len(narrow)) @ narrow).tolist()
        return both


@dataclass(frozen=True, slots=True)
class ExpectedExpenses:
    """The expected expenses of an answer of each arm, for one kind of request."""

    spend: Vector  # multiples of the arm's own rate
    log_seconds: Vector
    seconds: Vector
    tail_seconds: Vector  # NaN for an arm that never answered
    works: Vector  # the probability that the arm does not fail
