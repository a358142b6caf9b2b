"""Says when logged choices cannot tell what another policy would have earned, and how far they can.

A log tells nothing about choices that it never gave a chance, and little about choices that it
hardly ever made. No weighting mends that; only other requests do.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from learner.policy import Arm

ENOUGH = 30.0  # the least effective number of rewards; with fewer, the intervals do not hold
MOST_UNCOVERED = 0.005  # the most of a policy's choices that the log may be silent about
Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Overlap:
    """How much of a policy's choices the log covers."""

    uncovered: float  # the share of choices that the log gave no chance, or never rewarded
    arms: tuple[Arm, ...]  # the arms of these choices, the most frequent first
    effective: float

    @property
    def enough(self) -> bool:
        return self.covered and self.effective >= ENOUGH

    @property
    def covered(self) -> bool:
        return self.uncovered <= MOST_UNCOVERED


def overlap_of(odds: Matrix, wanted: Matrix, arms: Sequence[Arm], effective: float) -> Overlap:
    """The overlap of a policy, which `wanted` these arms (columns), and a log with these odds."""
    silent = np.where(odds > 0, 0.0, wanted).mean(axis=0) if len(wanted) else np.zeros(len(arms))
    order = sorted(map(int, np.flatnonzero(silent > 0)), key=lambda at: -silent[at])
    return Overlap(float(silent.sum()), tuple(arms[at] for at in order), effective)
