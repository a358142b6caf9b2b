"""What a bandit believes, as arrays: the quality of each arm, and what each arm takes.

Plain values over numpy: whoever decides by them need not load what learns.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from learner.policy import Arm

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Matrices = NDArray[np.float64]  # one matrix an arm

_GRID = 256.0  # steps to one: contexts and qualities lie on this grid, on which sums are exact
_TENTHS = 10.0


def on_grid(value: float) -> float:
    return round(value * _GRID) / _GRID


def log_seconds(seconds: Vector) -> Vector:
    """Time as utility counts it: the logarithm of one plus tenths of seconds."""
    return np.asarray(np.log10(1 + _TENTHS * seconds))


@dataclass(frozen=True, slots=True)
class Posterior:
    """Quality of each arm as one normal variable: `means @ x` with variance `x @ spreads @ x`."""

    names: Mapping[str, int]
    arms: tuple[Arm, ...]
    means: Matrix
    spreads: Matrices
    common: Matrices  # the part of the spreads that comes from weights that arms share
    weights: Vector  # by arm: the weight of its judged answers
    beliefs: Vector  # how likely each belief is by now


@dataclass(frozen=True, slots=True)
class ExpectedExpenses:
    """What an answer of each arm is expected to take, for one kind of request."""

    spend: Vector  # multiples of the arm's own rate
    log_seconds: Vector
    seconds: Vector
    tail_seconds: Vector  # NaN where no answer was seen
    works: Vector  # how likely an answer comes at all
