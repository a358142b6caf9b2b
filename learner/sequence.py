"""Means and differences with intervals that hold at every look at once.

The intervals are asymptotic: they rest on an estimated variance, and are wider while there are few
values. `experiments/trials` measures how often they are wrong.
"""

from dataclasses import dataclass, field
from math import inf, lgamma, log, sqrt

import numpy as np
from numpy.typing import NDArray

from learner.assignment import Side
from learner.policy import Context

_TIGHT_AT = 500  # compared units at which the interval is tightest
MIXING = 7.94 / _TIGHT_AT  # (2 ln 20 + ln(1 + 2 ln 20)) / n
_MOST_NAMES = 32  # the most covariates
_RIDGE = 8.0
_LIGHTEST, _HEAVIEST = 0.02, 50.0
_MOST_UNITS = 2**53  # more units add nothing to the evidence against a split


@dataclass(frozen=True, slots=True)
class ComparedUnit:
    """A unit for which the two sides decide differently, and the outcome of its answer."""

    side: Side
    chance: float  # the probability that the unit falls on its side; above 0
    context: Context
    log_cost: float
    seconds: float
    failed: bool
    quality: float | None = None  # None until the answer is judged
    utility: float | None = None
    dollars: float | None = None  # None if nobody knows the cost
    group: str = ""  # of requests that are alike

    def __post_init__(self) -> None:
        if not 0 < self.chance <= 1:
            raise ValueError(
                f"chance = {self.chance}: a unit that is on a side had a chance above 0, at most 1"
            )


@dataclass(frozen=True, slots=True)
class Interval:
    low: float
    mean: float
    high: float

    @property
    def opposite(self) -> "Interval":
        return Interval(-self.high, -self.mean, -self.low)

    def times(self, share: float) -> "Interval":
        return Interval(self.low * share, self.mean * share, self.high * share)

    def __str__(self) -> str:
        return f"{self.mean:+.4f} [{self.low:+.4f}, {self.high:+.4f}]"


UNKNOWN = Interval(-inf, 0.0, inf)


@dataclass(slots=True)
class RunningMoments:
    """The mean and spread of values that arrive one by one; no value is larger than `span`."""

    span: float
    n: int = 0
    mean: float = 0.0
    squares: float = 0.0
    mixing: float = MIXING  # larger: the interval is tightest at fewer values

    def add(self, value: float, span: float = 0.0) -> None:
        self.span = max(self.span, span)
        self.n += 1
        apart = value - self.mean
        self.mean += apart / self.n
        self.squares += apart * (value - self.mean)

    @property
    def variance(self) -> float:
        # Count one more value of the largest size, since rare values may not have arrived yet.
        return (self.squares + self.span**2) / max(self.n, 1)

    @property
    def error(self) -> float:
        """The standard error of the mean, as if one more value of the largest size had come."""
        return sqrt(self.variance / self.n) if self.n else inf

    def radius(self, alpha: float) -> float:
        return self.radius_after(self.n, alpha)

    def radius_after(self, n: float, alpha: float) -> float:
        """The radius after `n` values that spread like the values so far."""
        if self.n < 2 or n <= 0:
            return inf
        mixed = n * self.mixing
        return sqrt(self.variance * 2 * (mixed + 1) / (n * mixed) * log(sqrt(mixed + 1) / alpha))

    def evidence_of_none(self, mean: float) -> float:
        """Evidence that the true mean is 0 and not this: the log of how much likelier that is."""
        return self.n * mean * (mean / 2 - self.mean) / self.variance

    def interval(self, alpha: float) -> Interval:
        radius = self.radius(alpha)
        return Interval(self.mean - radius, self.mean, self.mean + radius)


@dataclass
class Adjustment:
    """Predicts the value of a unit from its context alone, by online ridge regression.

    The prediction uses only units before this one.
    """

    names: dict[str, int] = field(default_factory=lambda: {"": 0})
    _spread: NDArray[np.float64] = field(default_factory=lambda: _wide_spread())
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


def _wide_spread() -> NDArray[np.float64]:
    spread = np.eye(_MOST_NAMES) / _RIDGE
    spread[0, 0] = 100.0  # wide, so the first values set the intercept
    return spread


@dataclass
class Contrast:
    """The difference between both sides of a trial, over units that they decide differently."""

    span: float = 1.0
    mixing: float = MIXING
    values: RunningMoments = field(init=False)
    adjustment: Adjustment = field(default_factory=Adjustment)

    def __post_init__(self) -> None:
        self.values = RunningMoments(self.span, mixing=self.mixing)

    def add(self, unit: ComparedUnit, value: float) -> float:
        """Add a unit's share of the difference, and return it; no prediction, good or bad, makes
        it biased."""
        x = self.adjustment.vector(unit.context)
        beyond = value - self.adjustment.expected(x)
        sign = 1 if unit.side == "candidate" else -1
        share = sign * beyond / unit.chance
        self.values.add(share, self.span / unit.chance)
        # It is best to predict the value of the *other* side, so the rarer side weighs more.
        odds = (1 - unit.chance) / unit.chance
        self.adjustment.learn(x, value, min(max(odds, _LIGHTEST), _HEAVIEST))
        return share


def split_evidence(candidate: int, current: int, share: float) -> float:
    """Evidence against the split: the log of how much likelier another split makes these counts.

    Anyone may look at this evidence at any time: if the split is as intended, the evidence ever
    exceeds `-log(p)` with a probability of at most `p`. Where one side is to get every unit, a
    single unit of the other side is infinite evidence.
    """
    if share <= 0 or share >= 1:
        return inf if (candidate if share <= 0 else current) else 0.0
    candidate, current = min(candidate, _MOST_UNITS), min(current, _MOST_UNITS)
    a, b = 50 * share, 50 * (1 - share)
    mixed = _log_beta(a + candidate, b + current) - _log_beta(a, b)
    return mixed - candidate * log(share) - current * log(1 - share)


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)
