"""The scale of a table's scores: how they become numbers from 0 to 1, by a rule that is told."""

from collections.abc import Iterable
from dataclasses import dataclass

_SCALES = (1.0, 5.0, 10.0, 100.0)


class NoScale(ValueError):
    """The scores fit no usual scale. The message says how to name theirs."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The worst and the best score of a scale."""

    low: float
    high: float

    def share(self, score: float) -> float:
        return min(max((score - self.low) / (self.high - self.low), 0.0), 1.0)

    @property
    def rule(self) -> str:
        if (self.low, self.high) == (0.0, 1.0):
            return "scores count as they are, from 0 to 1"
        return f"scores from {self.low:g} to {self.high:g} count from 0 to 1"


def scale_named(text: str) -> Scale:
    """The scale in a text such as `1..5`."""
    low, mark, high = text.partition("..")
    try:
        scale = Scale(float(low), float(high)) if mark else None
    except ValueError:
        scale = None
    if scale is None or not scale.low < scale.high:
        raise NoScale(f"{text!r} is no scale: write the worst and the best score, such as 1..5")
    return scale


def scale_of(scores: Iterable[float]) -> Scale:
    """The smallest of 0..1, 0..5, 0..10 and 0..100 that no score exceeds."""
    lowest, highest = 0.0, 0.0
    for score in scores:
        lowest, highest = min(lowest, score), max(highest, score)
    fitting = [best for best in _SCALES if highest <= best]
    if lowest < 0 or not fitting:
        raise NoScale(
            f"scores from {lowest:g} to {highest:g} fit none of the scales 0..1, 0..5, 0..10 and "
            "0..100: name theirs with --scale LOW..HIGH"
        )
    return Scale(0.0, fitting[0])
