"""Estimates of heirs: arms that began as a parent arm, and may be chosen only in places.

An heir's quality in a context is its parent's, plus an offset that the heir's own answers show. An
heir is no arm of the bandit's posterior, and so says nothing about other arms or other places.
These are plain values over numpy, so a program that only decides need not load the learner.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

import numpy as np

from learner.guarding import LEAST_VARIANCE
from learner.policy import Arm, Context
from learner.posterior import ExpectedExpenses, Matrix, Vector
from learner.preference import Estimate, Preference
from learner.weighing import of_kind

_FEWEST = 40.0  # judged answers of its own before anything is chosen in an heir's place


@dataclass(frozen=True)
class Inherited:
    """What is known of heirs beside what is known of their parents."""

    arms: tuple[Arm, ...]
    parents: tuple[Arm, ...]
    offsets: Matrix  # the weights by which an heir's quality differs from its parent's
    spreads: Matrix  # (arms, size, size): the covariance of an heir's weights, in single precision
    weights: Vector  # of each heir's own judged answers
    expected: Mapping[str, ExpectedExpenses]  # by kind; "" stands for any other kind

    def place(self, arm: str) -> int | None:
        """The place of an heir that has shown enough to be compared; None for any other arm."""
        for at, heir in enumerate(self.arms):
            if heir == arm and self.weights[at] >= _FEWEST:
                return at
        return None

    def estimate(
        self,
        at: int,
        context: Context,
        x: Vector,
        *,
        of_parent: float,
        preference: Preference,
        usd: float,
        wait: float = 0.0,
    ) -> Estimate:
        """What is expected of an heir in a context, `x` as an array, in which its parent has the
        quality `of_parent`. `usd` is the heir's own rate."""
        narrow, expected = x.astype(np.float32), of_kind(self.expected, context)
        variance = max(float(narrow @ self.spreads[at] @ narrow), LEAST_VARIANCE)
        quality = min(max(of_parent + float(self.offsets[at] @ x), 0.0), 1.0)
        works, cost = float(expected.works[at]), float(expected.spend[at]) * usd
        seconds = max(float(expected.seconds[at]) + wait, 0.0)
        utility = quality * works - preference.price(cost, seconds)
        return Estimate(
            self.arms[at], quality, sqrt(variance), cost, seconds, 1 - works, utility, 1.0
        )
