"""Whether a candidate that was compared on a share of the requests may take over all of them.

It may if it saves dollars and loses no quality, or no more than a margin, by bounds that hold at
every look at once. Each bound alone is wrong with a probability of at most `alpha / 2`, and a false
takeover needs a false bound. The bounds are about the time that was compared: a world that changes
later is not covered.
"""

from dataclasses import dataclass
from math import log
from typing import Literal

from learner.comparison import Comparison
from learner.sequence import Interval, split_evidence
from learner.verdict import MISMATCH, apart_share

_MOST_UNPRICED = 0.005  # the most of the compared units whose cost may be unknown

Obstacle = Literal[
    "", "alike", "few", "split", "judged apart", "unpriced", "saves nothing", "costs more",
    "saving unclear", "worse", "quality unclear",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Takeover:
    """What a candidate would save and lose on a request, and the first obstacle to its takeover."""

    saving: Interval  # dollars
    quality: Interval  # gained
    margin: float
    obstacle: Obstacle

    @property
    def proven(self) -> bool:
        return not self.obstacle

    @property
    def equal(self) -> bool | None:
        """Whether the quality is equal within the margin, or better; None if that is unclear."""
        if self.quality.low >= -self.margin:
            return True
        return False if self.quality.high < -self.margin else None


def takeover_of(comparison: Comparison, margin: float) -> Takeover:
    saving, quality = comparison.saving(), comparison.quality_gain()
    return Takeover(saving, quality, margin, _obstacle(comparison, saving, quality, margin))


def _obstacle(
    comparison: Comparison, saving: Interval, quality: Interval, margin: float
) -> Obstacle:
    compared = sum(comparison.apart.values())
    if comparison.requests and not compared:
        return "alike"
    if comparison.mismatch > -log(MISMATCH):
        return "split"
    if comparison.unpriced > _MOST_UNPRICED * max(compared, 1):
        return "unpriced"
    if quality.high < -margin:
        return "worse"
    if saving.high < 0:
        return "costs more"
    if not comparison.enough:
        return "few"
    judged = comparison.judged["candidate"], comparison.judged["current"]
    if split_evidence(*judged, apart_share(comparison)) > -log(MISMATCH):
        return "judged apart"
    if saving.low <= 0:
        return "saving unclear" if saving.high > 0 else "saves nothing"
    return "" if quality.low >= -margin else "quality unclear"
