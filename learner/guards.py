"""The harms that forbid an adoption, even if the candidate's answers are better."""

from bisect import insort
from dataclasses import dataclass, field
from typing import Literal

from learner.assignment import Side
from learner.sequence import Interval, RunningMoments

_MOST_TIMES = 4000  # the most latencies of the current side that are remembered
_ENOUGH_TIMES = 40
_TAIL = 0.05
_LEAST_SLOWER = 0.02  # seconds

GuardState = Literal["held", "unknown", "breached"]


@dataclass(frozen=True, slots=True)
class Guard:
    """A measure that a candidate must not make worse."""

    name: str
    state: GuardState
    interval: Interval
    bound: float

    @classmethod
    def at_least(cls, name: str, interval: Interval, bound: float) -> "Guard":
        held, breached = interval.low > bound, interval.high < bound
        return cls(name, "held" if held else "breached" if breached else "unknown", interval, bound)

    @classmethod
    def at_most(cls, name: str, interval: Interval, bound: float) -> "Guard":
        held, breached = interval.high < bound, interval.low > bound
        return cls(name, "held" if held else "breached" if breached else "unknown", interval, bound)

    def __str__(self) -> str:
        return f"{self.name} {self.state} ({self.interval}, bound {self.bound:+g})"


@dataclass
class LatencyTail:
    """Whether the candidate's 95th percentile is more than `times` times the current side's."""

    times: float
    over: RunningMoments = field(default_factory=lambda: RunningMoments(1.0))
    _current: list[float] = field(default_factory=list)

    def add(self, side: Side, seconds: float) -> None:
        if side == "current":
            if len(self._current) < _MOST_TIMES:
                insort(self._current, seconds)
        elif len(self._current) >= _ENOUGH_TIMES:
            usual = self.usual
            bound = max(self.times * usual, usual + _LEAST_SLOWER)
            self.over.add(float(seconds > bound) - _TAIL)

    @property
    def usual(self) -> float:
        """The 95th percentile of the current side, in seconds."""
        at = min(int((1 - _TAIL) * len(self._current)), len(self._current) - 1)
        return self._current[at] if self._current else 0.0
