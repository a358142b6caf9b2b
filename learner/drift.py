"""Noticing that an arm is not what it was: Page and Hinkley's test on what its estimate missed by.

Each arm has a detector of its own. It looks at residuals in units of their usual spread, so one
threshold serves all; while an arm's estimate is still forming, its residuals are not looked at.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from river.drift import PageHinkley

from learner.policy import Arm

_FORMING = 60  # judged answers before an arm's residuals mean anything
_USUAL_SPREAD = 0.42
_THRESHOLD = 34.0
_SLACK = 0.15
_SAVED = ("_sum_increase", "_sum_decrease", "_min_increase", "_max_decrease")


@dataclass
class Detectors:
    _tests: dict[Arm, PageHinkley] = field(default_factory=dict)
    _seen: dict[Arm, int] = field(default_factory=dict)

    def see(self, arm: Arm, residual: float) -> bool:
        """Whether with this one the arm has drifted."""
        self._seen[arm] = self._seen.get(arm, 0) + 1
        if self._seen[arm] <= _FORMING:
            return False
        test = self._tests.get(arm)
        if test is None:
            test = self._tests[arm] = _new()
        test.update(residual / _USUAL_SPREAD)  # type: ignore[no-untyped-call]
        if test.drift_detected:
            self.drop(arm)
            return True
        return False

    def drop(self, arm: Arm) -> None:
        self._tests.pop(arm, None)
        self._seen.pop(arm, None)

    def state(self) -> dict[str, Any]:
        told: dict[str, Any] = {}
        for arm, seen in self._seen.items():
            test = self._tests.get(arm)
            told[arm] = [seen, None]
            if test is not None:
                mean = test._x_mean
                told[arm][1] = [mean.n, mean.get(), *(getattr(test, name) for name in _SAVED)]
        return told

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> "Detectors":
        told = cls()
        for arm, (seen, saved) in state.items():
            told._seen[Arm(arm)] = seen
            if saved is not None:
                test = told._tests[Arm(arm)] = _new()
                test._x_mean.n, test._x_mean._mean = saved[0], saved[1]
                for name, value in zip(_SAVED, saved[2:], strict=True):
                    setattr(test, name, value)
        return told


def _new() -> PageHinkley:
    return PageHinkley(min_instances=30, delta=_SLACK, threshold=_THRESHOLD, mode="both")
