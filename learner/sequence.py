"""Means and differences with intervals that hold at every look at once.

They are asymptotic: they rest on a variance estimated as it comes, made wider while little is
known. What `experiments/trials` measures of them is what is claimed of them.
"""

from dataclasses import dataclass, field
from math import inf, lgamma, log, sqrt

import numpy as np
from numpy.typing import NDArray

from learner.assignment import Side
from learner.policy import Context

_TIGHT_AT = 500  # compared units at which the interval is tightest
MIXING = 7.94 / _TIGHT_AT  # (2 ln 20 + ln(1 + 2 ln 20)) / n
_MOST_NAMES = 32  # covariates
_RIDGE = 8.0
_HEAVIEST = 50.0


@dataclass(frozen=True, slots=True)
class Exposed:
    """A unit that the two sides would have treated apart, and what came of it."""

    side: Side
    chance: float  # that it fell on this side
    context: Context
    log_cost: float
    seconds: float
    failed: bool
    quality: float | None = None  # None: nobody said
    utility: float | None = None


@dataclass(frozen=True, slots=True)
class Interval:
    low: float
    mean: float
    high: float

    def times(self, share: float) -> "Interval":
        return Interval(self.low * share, self.mean * share, self.high * share)

    def __str__(self) -> str:
        return f"{self.mean:+.4f} [{self.low:+.4f}, {self.high:+.4f}]"


UNKNOWN = Interval(-inf, 0.0, inf)


@dataclass(slots=True)
class RunningMoments:
    """A mean of values that come one by one. `span`: how large one may be."""

    span: float
    n: int = 0
    mean: float = 0.0
    squares: float = 0.0

    def add(self, value: float, span: float = 0.0) -> None:
        self.span = max(self.span, span)
        self.n += 1
        apart = value - self.mean
        self.mean += apart / self.n
        self.squares += apart * (value - self.mean)

    def radius(self, alpha: float) -> float:
        if self.n < 2:
            return inf
        # One value more, as far out as they go: of what is rare, none may have been seen yet.
        variance = (self.squares + self.span**2) / self.n
        mixed = self.n * MIXING
        return sqrt(variance * 2 * (mixed + 1) / (self.n * mixed) * log(sqrt(mixed + 1) / alpha))

    def interval(self, alpha: float) -> Interval:
        radius = self.radius(alpha)
        return Interval(self.mean - radius, self.mean, self.mean + radius)


@dataclass
class Adjustment:
    """What is to be expected of a unit, by what was known of it before it was decided: ridge
    regression, one unit at a time. It only ever knows units that came before."""

    names: dict[str, int] = field(default_factory=lambda: {"": 0})
    _spread: NDArray[np.float64] = field(default_factory=lambda: _wide(_MOST_NAMES))
    _weights: NDArray[np.float64] = field(default_factory=lambda: np.zeros(_MOST_NAMES))

    def vector(self, context: Context) -> NDArray[np.float64]:
        x = np.zeros(_MOST_NAMES)
        x[0] = 1.0
        for name, value in context.items():
            at = self.names.get(name)
            if at is None and len(self.names) < _MOST_NAMES:
                at = self.names[name] = len(self.names)
            if at is not None:
                x[at] = value
        return x

    def expected(self, x: NDArray[np.float64]) -> float:
        return float(self._weights @ x)

    def learn(self, x: NDArray[np.float64], value: float, weight: float) -> None:
        lean = self._spread @ x
        gain = lean / (1 / weight + float(x @ lean))
        self._weights += gain * (value - float(self._weights @ x))
        self._spread -= np.outer(gain, lean)


def _wide(size: int) -> NDArray[np.float64]:
    told = np.eye(size) / _RIDGE
    told[0, 0] = 100.0  # what is usual is known from the first on
    return told


@dataclass
class Contrast:
    """How far the candidate is from the current side, over units that were decided apart."""

    span: float = 1.0
    values: RunningMoments = field(init=False)
    adjustment: Adjustment = field(default_factory=Adjustment)

    def __post_init__(self) -> None:
        self.values = RunningMoments(self.span)

    def add(self, one: Exposed, value: float) -> float:
        """The value's part in the difference; unbiased whatever was expected of it."""
        x = self.adjustment.vector(one.context)
        beyond = value - self.adjustment.expected(x)
        sign = 1 if one.side == "candidate" else -1
        told = sign * beyond / one.chance
        self.values.add(told, self.span / one.chance)
        # What serves best is what would be expected of the *other* side: rarer sides count more.
        self.adjustment.learn(x, value, min(max((1 - one.chance) / one.chance, 0.02), _HEAVIEST))
        return beyond


def split_evidence(candidate: int, current: int, share: float) -> float:
    """Log of how much likelier some other split made these counts; it may be watched for ever, and
    exceeds `-log(p)` with a chance of `p` where the split is what it was to be."""
    a, b = 50 * share, 50 * (1 - share)
    mixed = (
        (lgamma(a + candidate) - lgamma(a))
        + (lgamma(b + current) - lgamma(b))
        - (lgamma(a + b + candidate + current) - lgamma(a + b))
    )
    return mixed - candidate * log(share) - current * log(1 - share)
