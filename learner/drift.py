"""Noticing that an arm changed: Page and Hinkley's test on how far its estimates were off.

Each arm has a test of its own. The test looks at residuals in units of their usual spread, so one
threshold serves all arms. It passes over the residuals of an arm whose estimate is still forming.

The running mean is River's. The cumulative sums are ours: River's `PageHinkley` cannot be written
down and read again through its public names; the tests hold ours against it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any

from river import stats

from learner.policy import Arm
from learner.running import restored_mean

_FORMING = 60  # judged answers before an arm's residuals mean anything
_USUAL_SPREAD = 0.42
_THRESHOLD = 34.0
_SLACK = 0.15
_FADE = 1 - 0.0001
_LEAST_VALUES = 30


@dataclass(slots=True)
class PageHinkleyTest:
    """Whether values moved away from their mean, up or down, as River's `PageHinkley` tells."""

    mean: stats.Mean = field(default_factory=stats.Mean)
    rise: float = 0.0
    fall: float = 0.0
    lowest_rise: float = inf
    highest_fall: float = -1.0

    def update(self, value: float) -> bool:
        """Take in a value; whether the values have drifted by now."""
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
    """A test for each arm. A drift starts the test of its arm anew."""

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
