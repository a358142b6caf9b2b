"""What an implicit signal is worth, measured by explicit ratings of the same answers.

A user who asks again may dislike the answer, or may want one more. Ratings decide: answers after
which users did this are compared with all other rated answers. The difference, less twice its
standard error, must point where the signal claims, or the signal has no weight. So a signal that
was never compared, that says nothing, or that contradicts the ratings counts for nothing.

Where behaviours of both kinds are noticed, such as complaints and going on, they are contrasted:
the share R of the variance of ratings that behaviours explain says what one of them is worth. What
an answer is expected to be rated after its behaviour differs less between arms than their ratings
do, by the factor R. So a behaviour's distance from the mean is divided by R, and its weight is R:
arms then differ as if rated, and a thousand behaviours say as much as R thousand ratings. Such a
quality may lie outside 0 and 1.

Not covered: users who rate may behave unlike users who do not, and an arm whose users behave
otherwise for reasons other than quality.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from river import stats

from learner.running import restored_mean

_PRIOR = 10.0  # comparisons after which a signal has half of the weight that it has shown
_ERRORS = 2.0  # standard errors by which a difference must exceed zero
_ENOUGH = 30.0  # rated answers with behaviours before these are contrasted
_FARTHEST = 2.0  # from the mean, of the quality that a behaviour stands for


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


@dataclass(frozen=True, slots=True)
class Contrast:
    """What behaviours say of answers beside each other: the quality that each stands for, and the
    weight that all have."""

    mean: float  # rating of all answers with behaviours
    quality: Mapping[str, float]
    weight: float

    def told_by(self, names: Sequence[str]) -> tuple[float, float] | None:
        """The quality and the weight that the most telling of these behaviours stands for."""
        qualities = [self.quality[name] for name in names if name in self.quality]
        if not qualities:
            return None
        return max(qualities, key=lambda quality: abs(quality - self.mean)), self.weight


def contrast(records: Mapping[str, BehaviourRecord], ratings: Ratings) -> Contrast | None:
    """The contrast of these behaviours; None if ratings do not show that they tell answers apart.

    A behaviour whose ratings point away from what it claims takes no part.
    """
    count = sum(record.compared for record in records.values())
    variance = ratings.variance
    if count < _ENOUGH or variance <= 0:
        return None
    mean = sum(r.compared * float(r.rated.get()) for r in records.values()) / count
    apart = {name: float(record.rated.get()) - mean for name, record in records.items()}
    agree = {name: d for name, d in apart.items() if (d > 0) == name.endswith(":good") and d}
    if len({d > 0 for d in agree.values()}) < 2:
        return None
    between = sum(records[name].compared * d * d for name, d in agree.items()) / count
    free = len(records) - 1
    explained = min((between / variance) - free / count, 1.0)
    by_chance = math.sqrt(2 * free) / count
    error = 2 * math.sqrt(max(explained, 0.0) / count) * (1 - explained)
    weight = explained - error
    if explained <= _ERRORS * by_chance or weight <= 0:
        return None
    quality = {
        name: mean + _bounded(_shrunk(records[name], d, explained) / explained)
        for name, d in agree.items()
    }
    return Contrast(mean, quality, weight)


def _shrunk(record: BehaviourRecord, distance: float, explained: float) -> float:
    """A behaviour's distance from the mean; few comparisons leave it near the mean."""
    return distance * record.compared / (record.compared + (1 - explained) / explained)


def _bounded(distance: float) -> float:
    return min(max(distance, -_FARTHEST), _FARTHEST)
