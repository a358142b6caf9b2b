"""Notices that an arm changed: Page and Hinkley's test on the errors of its estimates.

Each arm has its own test. The test divides residuals by their usual spread, so one threshold serves
all arms. While an arm's estimate is still forming, the test ignores its residuals.

The running mean is River's. The cumulative sums are ours, because River's `PageHinkley` cannot be
saved and restored through its public names; the tests compare our sums with River's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any

from river import stats

from learner.policy import Arm
from learner.running import restored_mean

_FORMING = 60  # judged answers before the test uses an arm's residuals
_USUAL_SPREAD = 0.42
_THRESHOLD = 34.0
_SLACK = 0.15
_FADE = 1 - 0.0001
_LEAST_VALUES = 30


@dataclass(slots=True)
class PageHinkleyTest:
    """Detects that values moved away from their mean, up or down, just as River's `PageHinkley`."""

    mean: stats.Mean = field(default_factory=stats.Mean)
    rise: float = 0.0
    fall: float = 0.0
    lowest_rise: float = inf
    highest_fall: float = -1.0

    def update(self, value: float) -> bool:
        """Add a value, and tell whether the values have drifted."""
        self.mean.update(value)
        apart = value - self.mean.get()
        self.rise = _FADE * self.rise + apart - _SLACK
        self.fall = _FADE * self.fall + apart + _SLACK
        self.lowest_rise = min(self.lowest_rise, self.rise)
        self.highest_fall = max(self.highest_fall, self.fall)
        if self.mean.n < _LEAST_VALUES:
            return False
        return max(self.rise - self.lowest_rise, self.highest_fall - self.fall) > _THRESHOLD

    def state(self) -> list[float]:
        mean = self.mean
        return [mean.n, mean.get(), self.rise, self.fall, self.lowest_rise, self.highest_fall]

    @classmethod
    def restored(cls, state: list[float]) -> "PageHinkleyTest":
        count, mean, *sums = state
        return cls(restored_mean(count, mean), *sums)


@dataclass
class Detectors:
    """A test for each arm. When an arm drifts, its test begins again."""

    _tests: dict[Arm, PageHinkleyTest] = field(default_factory=dict)
    _seen: dict[Arm, int] = field(default_factory=dict)

    def see(self, arm: Arm, residual: float) -> bool:
        """Whether this residual shows that the arm has drifted."""
        self._seen[arm] = self._seen.get(arm, 0) + 1
        if self._seen[arm] <= _FORMING:
            return False
        drifted = self._tests.setdefault(arm, PageHinkleyTest()).update(residual / _USUAL_SPREAD)
        if drifted:
            self.drop(arm)
        return drifted

    def drop(self, arm: Arm) -> None:
        self._tests.pop(arm, None)
        self._seen.pop(arm, None)

    def state(self) -> dict[str, Any]:
        return {
            arm: [seen, self._tests[arm].state() if arm in self._tests else None]
            for arm, seen in self._seen.items()
        }

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> "Detectors":
        return cls(
            {Arm(arm): PageHinkleyTest.restored(sums) for arm, (_, sums) in state.items() if sums},
            {Arm(arm): seen for arm, (seen, _) in state.items()},
        )
