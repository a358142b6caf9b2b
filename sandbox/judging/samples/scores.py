"""Turns the values of a column into scores that are uniform from 0 to 1 if the column is right.

The score of a value is the share of the distribution below it. A value that stands for several,
because it is rounded, clipped or a label, gets a random score within its share. So all columns,
whatever their distribution, rounding and bounds, meet the same tests, whose error rates are exact.
The random part depends on the column and its name alone, so that a verdict can be repeated.
"""

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from sandbox.judging.check import Column
from sandbox.judging.curves import cdf, cells
from sandbox.spec import Field

_INSIDE = 1e-16  # scores keep this distance from 0 and 1
_LOOKED_AT = 24  # values that show how a column is rounded
_FINEST = 9  # decimals; a column with more is not rounded
_SPARSE = 0.2  # values that a fine column expects at each place
_COARSEST = 0.05  # share of the distribution in the middle cell of a column that rounds by itself


@dataclass(frozen=True, slots=True)
class Scores:
    """Uniform scores; and for rounded values and labels, the chance of each record's value."""

    uniform: Column
    chances: Column | None = None

    @property
    def fine(self) -> bool:
        """Whether values hardly ever repeat by chance."""
        return self.chances is None or len(self.uniform) * float(self.chances.mean()) < _SPARSE

    @property
    def centred(self) -> Column:
        """The scores with mean 0 and variance 1: what is left is their order."""
        return _standard(self.uniform)

    @property
    def bowl(self) -> Column:
        """High at both ends and low in the middle, with mean 0 and variance 1."""
        return _standard((self.uniform - 0.5) ** 2)


def _standard(x: Column) -> Column:
    apart = x - x.mean()
    return np.asarray(apart / math.sqrt(max(float(apart @ apart) / len(x), 1e-300)))


def scores_of_numbers(field: Field, x: Column) -> Scores:
    step: float | Column = rounding_step(field, x)
    if not step and np.array_equal(
        x, x.astype(np.float32)
    ):  # 32 bits: each value rounds in its way
        step = np.spacing(np.abs(x).astype(np.float32)).astype(np.float64)
    lower, upper = cells(field, x, step)
    if not np.any(step):
        if field.clip and (field.low is not None or field.high is not None):
            return Scores(_between(lower, upper, x, field.name))
        return Scores(np.clip(lower, _INSIDE, 1 - _INSIDE))
    return Scores(_between(lower, upper, x, field.name), upper - lower)


def scores_of_choices(name: str, choices: Column, weights: Sequence[float]) -> Scores:
    """Scores of labels, given as their positions among the weights."""
    ends = np.cumsum(weights) / math.fsum(weights)
    upper = ends[choices]
    lower = np.where(choices > 0, ends[choices - 1], 0.0)
    return Scores(_between(lower, upper, choices, name), upper - lower)


def scores_of_whole(name: str, x: Column, first: int, last: int) -> Scores:
    """Scores of whole numbers, such as days, that are all equally likely."""
    count = last - first + 1
    lower = (x - first) / count
    return Scores(_between(lower, lower + 1 / count, x, name), np.full(len(x), 1 / count))


def scores_of_ranks(name: str, x: Column) -> Scores:
    """Scores of a column whose distribution nobody stated. Equal values come in random order."""
    dice = _dice(x, name).random(len(x))
    order = np.lexsort((dice, x))
    uniform = np.empty(len(x))
    uniform[order] = (np.arange(len(x)) + 0.5) / len(x)
    return Scores(uniform)


def _between(lower: Column, upper: Column, x: Column, name: str) -> Column:
    share = _dice(x, name).random(len(x))
    return np.asarray(np.clip(lower + share * (upper - lower), _INSIDE, 1 - _INSIDE))


def _dice(x: Column, name: str) -> np.random.Generator:
    return np.random.default_rng(
        zlib.crc32(np.ascontiguousarray(x).tobytes(), zlib.crc32(name.encode()))
    )


def rounding_step(field: Field, x: Column) -> float:
    """The distance of neighbouring values: stated by the spec, or seen in the values; 0 if none."""
    of = field.distribution
    assert of is not None
    if of.discrete:
        return 1.0
    if field.decimals is not None:
        return float(10.0**-field.decimals)
    places = max(_places(value) for value in x[:_LOOKED_AT].tolist())
    if not -_FINEST <= places <= _FINEST or not _rounded(x, places):
        return 0.0
    step, middle = float(10.0**-places), float(np.median(x))
    below, above = cdf(of, np.array([middle - step / 2, middle + step / 2]))
    return step if above - below <= _COARSEST else 0.0


def _places(value: float) -> int:
    """The decimals with which a number is written; below 0 if it ends in zeros before the point."""
    exponent = Decimal(repr(value)).normalize().as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def _rounded(x: Column, places: int) -> bool:
    return bool(np.allclose(x, np.round(x, places), rtol=1e-12, atol=0.0))
