"""What an implicit signal is worth, measured by explicit ratings of the same answers.

A user who asks again may dislike the answer, or may want one more. Ratings decide: answers after
which users did this are compared with all other rated answers. The difference, less twice its
standard error, must point where the signal claims, or the signal has no weight. So a signal that
was never compared, that says nothing, or that contradicts the ratings counts for nothing.

Not covered: users who rate may behave unlike users who do not.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from river import stats

from learner.running import restored_mean

_PRIOR = 10.0  # comparisons after which a signal has half of the weight that it has shown
_ERRORS = 2.0  # standard errors by which a difference must exceed zero


@dataclass
class Ratings:
    """The mean of all explicit ratings and of their squares, each answer once."""

    mean: stats.Mean = field(default_factory=stats.Mean)
    squared: stats.Mean = field(default_factory=stats.Mean)

    def update(self, rating: float) -> None:
        self.mean.update(rating)
        self.squared.update(rating * rating)

    @property
    def count(self) -> float:
        return float(self.mean.n)

    @property
    def variance(self) -> float:
        return max(float(self.squared.get()) - float(self.mean.get()) ** 2, 0.0)

    def state(self) -> list[float]:
        return [self.count, self.mean.get(), self.squared.get()]

    @classmethod
    def restored(cls, state: Sequence[float]) -> "Ratings":
        count, mean, squared = state
        return cls(restored_mean(count, mean), restored_mean(count, squared))


@dataclass
class BehaviourRecord:
    """The explicit ratings of answers after which users did one thing."""

    rated: stats.Mean = field(default_factory=stats.Mean)

    def update(self, rating: float) -> None:
        self.rated.update(rating)

    @property
    def compared(self) -> float:
        return float(self.rated.n)

    def expected(self, ratings: Ratings) -> float:
        """The rating to expect after this behaviour; few comparisons leave it at the mean."""
        total = self.compared * float(self.rated.get()) + _PRIOR * float(ratings.mean.get())
        return min(max(total / (self.compared + _PRIOR), 0.0), 1.0)

    def weight(self, ratings: Ratings, *, good: bool) -> float:
        """From 0 (says nothing, or the opposite of what it claims) to 1 (as good as a rating)."""
        others = ratings.count - self.compared
        if self.compared <= 0 or others <= 0:
            return 0.0
        other = self.others(ratings)
        lift = float(self.rated.get()) - other if good else other - float(self.rated.get())
        error = math.sqrt(ratings.variance * (1 / self.compared + 1 / others))
        most = 1 - other if good else other
        if most <= 0:
            return 0.0
        share = self.compared / (self.compared + _PRIOR)
        return share * min(max(lift - _ERRORS * error, 0.0) / most, 1.0)

    def others(self, ratings: Ratings) -> float:
        """The mean rating of all other answers, which must be more than none."""
        others = ratings.count - self.compared
        total = ratings.count * float(ratings.mean.get()) - self.compared * float(self.rated.get())
        return min(max(total / others, 0.0), 1.0)

    def state(self) -> list[float]:
        return [self.compared, self.rated.get()]

    @classmethod
    def restored(cls, state: Sequence[float]) -> "BehaviourRecord":
        return cls(restored_mean(*state))
