"""Notices that an arm became worse or better, from the likelihood ratio of its last answers.

For each place among an arm's last answers, the test asks how much likelier the answers are if the
arm's quality changed there than if it did not. Answers are compared with earlier answers of the
same arm, never with estimates: estimates follow the answers, and so hide a change.

An arm may also look worse because it gets harder requests. So the test looks at the qualities
twice, as they are and without what the context explains, and a change must show in both.

Not covered: an arm with fewer than a few dozen answers before the change, changes that are slower
than the window is long, and a change of what judges the answers, which looks like drift.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learner.policy import Arm

_WINDOW = 400  # the most answers of an arm that are compared
_DROPPED = 50  # the oldest answers that a full window drops at once
_LOOKS_EVERY = 5  # answers of an arm between two looks
_LEAST_BEFORE = 30
_LEAST_AFTER = 5
# Log-likelihood ratios, chosen by experiments/drift. A policy that learns sends an arm the requests
# that it is good at, which looks like a rise.
_FALL = 9.0
_RISE = 10.5
_UNEXPLAINED = 5.0  # the least ratio of the qualities without what the context explains
_GRID = 256  # Qualities are kept as whole numbers of this fraction, so that sums are exact.
_LEAST_CHANCE = 1e-3
_Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Change:
    """A place among some values where their mean changed, and the likelihood ratio for it."""

    place: int
    by: float  # the mean from that place on, minus the mean before
    log_ratio: float


def likeliest_change(values: Sequence[float]) -> Change | None:
    """The likeliest change of the mean of values that are mostly between 0 and 1.

    The ratio is that of values that are 0 or 1. Values between them vary less about the same means,
    so for them the ratio is too small rather than too large.
    """
    size = len(values)
    before = np.arange(_LEAST_BEFORE, size - _LEAST_AFTER + 1)
    if not len(before):
        return None
    sums = np.cumsum(np.asarray(values, dtype=np.float64))
    after = size - before
    earlier = sums[before - 1] / before
    later = (sums[-1] - sums[before - 1]) / after
    mean = sums[-1] / size
    ratios = before * _divergence(earlier, mean) + after * _divergence(later, mean)
    best = int(ratios.argmax())
    return Change(int(before[best]), float(later[best] - earlier[best]), float(ratios[best]))


def _divergence(chances: _Numbers, usual: float) -> _Numbers:
    """What an answer of these chances says, on average, against the usual chance."""
    chances = np.clip(chances, 0.0, 1.0)
    usual = _inside(usual)
    good, bad = np.log(_inside(chances) / usual), np.log(_inside(1 - chances) / (1 - usual))
    return np.asarray(chances * good + (1 - chances) * bad)


def _inside(chances: Any) -> Any:
    return np.clip(chances, _LEAST_CHANCE, 1 - _LEAST_CHANCE)


@dataclass(slots=True)
class Window:
    """The last answers of an arm: their qualities, and the qualities that the context leaves."""

    qualities: list[int] = field(default_factory=list)  # in parts of the grid
    unexplained: list[int] = field(default_factory=list)

    def add(self, quality: float, explained: float) -> float | None:
        """Add an answer. If the arm has changed, tell by how much, and forget what came before."""
        self.qualities.append(round(quality * _GRID))
        self.unexplained.append(round((quality - explained) * _GRID))
        if len(self.qualities) % _LOOKS_EVERY:
            return None
        change = self._change()
        if change is not None:
            self._keep_from(change.place)
            return change.by
        if len(self.qualities) >= _WINDOW:
            self._keep_from(_DROPPED)
        return None

    def _change(self) -> Change | None:
        plain = likeliest_change([value / _GRID for value in self.qualities])
        if plain is None or plain.log_ratio <= (_FALL if plain.by < 0 else _RISE):
            return None
        rest = likeliest_change([value / _GRID for value in self.unexplained])
        if rest is None or rest.log_ratio <= _UNEXPLAINED or (rest.by < 0) != (plain.by < 0):
            return None
        return plain

    def _keep_from(self, place: int) -> None:
        del self.qualities[:place], self.unexplained[:place]


@dataclass
class Detectors:
    """A window for each arm. After a change, the window begins with the change."""

    _windows: dict[Arm, Window] = field(default_factory=dict)

    def see(self, arm: Arm, quality: float, explained: float = 0.0) -> float | None:
        """By how much the arm has changed, if this answer shows that it has.

        `explained` is how much more quality the context promises than the arm's usual context.
        """
        return self._windows.setdefault(arm, Window()).add(quality, explained)

    def drop(self, arm: Arm) -> None:
        self._windows.pop(arm, None)

    def state(self) -> dict[str, Any]:
        windows = self._windows.items()
        return {arm: [window.qualities, window.unexplained] for arm, window in windows}

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> "Detectors":
        """The detectors of a snapshot. Those of another test, in older snapshots, begin anew."""
        return cls(
            {
                Arm(arm): Window(list(values[0]), list(values[1]))
                for arm, values in state.items()
                if all(isinstance(part, list) for part in values)
            }
        )
