"""How much each source of quality is trusted, measured against explicit ratings.

A check or a judge is a witness. Where the app rated the same answer, the witness's score is
compared with that rating. Later scores of the witness are corrected by its usual error, and its
weight grows as the error gets smaller. A witness that was never compared has the weight that it was
given.

What a user did next, such as asking again, is an implicit signal. It has no weight until ratings
show that it says something: `learner/behaviour.py`.

The running means are River's.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from river import stats

from learner.behaviour import BehaviourRecord, Ratings, contrast
from learner.running import restored_mean

_PRIOR = 10.0  # the given weight counts as much as this many comparisons
_MOVES_AFTER = 20.0  # comparisons after which a score is corrected by half of its usual error
_LEAST_WEIGHT = 0.02
_WITNESSES = frozenset({"check", "judge", "outcome"})
IMPLICIT = "implicit"  # every source that is neither a witness nor this one is an explicit rating


@dataclass(frozen=True, slots=True)
class SourceScore:
    """The latest score of one source for one answer."""

    source: str
    metric: str
    score: float
    weight: float

    @property
    def implicit(self) -> bool:
        return self.source == IMPLICIT

    @property
    def explicit(self) -> bool:
        return self.source not in _WITNESSES and not self.implicit

    @property
    def name(self) -> str:
        """The name of the source's record; an implicit signal has one for good and one for bad."""
        if self.implicit:
            return f"{self.metric}:{'good' if self.score >= 0.5 else 'bad'}"
        return f"{self.source}:{self.metric}"


@dataclass
class WitnessRecord:
    """How far a witness's scores differed from explicit ratings of the same answers."""

    bias: stats.Mean = field(default_factory=stats.Mean)
    miss: stats.Mean = field(default_factory=stats.Mean)

    @property
    def compared(self) -> float:
        return float(self.bias.n)


@dataclass
class Trust:
    """The record of every witness, and the corrected scores and weights that follow from it."""

    _records: dict[str, WitnessRecord] = field(default_factory=dict)
    _behaviours: dict[str, BehaviourRecord] = field(default_factory=dict)
    _ratings: Ratings = field(default_factory=Ratings)

    def quality(self, scores: Sequence[SourceScore]) -> tuple[float, float] | None:
        """The quality of an answer and the weight of that estimate, if any score has weight.

        An implicit signal adds nothing to an explicit rating of the same answer. The quality that
        implicit signals stand for may lie outside 0 and 1: see `learner/behaviour.py`.
        """
        rated = any(score.explicit for score in scores)
        implicit = [] if rated else [score.name for score in scores if score.implicit]
        behaved = self._contrasted(implicit)
        estimates = [self._corrected(score) for score in scores if not score.implicit]
        estimates += [self.behaved(name) for name in implicit] if behaved is None else [behaved]
        total = weighed = 0.0
        for corrected, weight in estimates:
            total += weight
            weighed += weight * corrected
        if total <= 0:
            return None
        return weighed / total, min(total, 1.0)

    def compare(self, now: Sequence[SourceScore], before: Sequence[SourceScore] = ()) -> None:
        """Update the record of each source that scored an answer with explicit ratings.

        Each source is compared once for each answer: `before` are the scores of the last call.
        """
        truth = _rating(now)
        if truth is None:
            return
        rated_before = _rating(before) is not None
        compared = {score.name for score in before} if rated_before else set()
        if not rated_before:
            self._ratings.update(truth)
        for score in now:
            if score.explicit or score.name in compared:
                continue
            if score.implicit:
                behaviour = self._behaviours.setdefault(score.name, BehaviourRecord())
                behaviour.update(truth)
            else:
                record = self._records.setdefault(score.name, WitnessRecord())
                record.bias.update(truth - score.score)
                record.miss.update(abs(truth - score.score))

    def believed(self, name: str, given: float) -> float:
        """The present weight of a witness; an error of half the scale leaves almost no weight."""
        record = self._records.get(name)
        if record is None:
            return given
        closeness = 1 - 2 * record.miss.get()
        share = record.compared / (record.compared + _PRIOR)
        return max((1 - share) * given + share * closeness, _LEAST_WEIGHT)

    def _corrected(self, score: SourceScore) -> tuple[float, float]:
        record = None if score.explicit else self._records.get(score.name)
        if record is None:
            return score.score, score.weight
        share = record.compared / (record.compared + _MOVES_AFTER)
        moved = min(max(score.score + share * record.bias.get(), 0.0), 1.0)
        return moved, self.believed(score.name, score.weight)

    def behaved(self, name: str) -> tuple[float, float]:
        """The quality that an implicit signal stands for, and its weight: 0 if never compared."""
        record = self._behaviours.get(name)
        if record is None:
            return 0.5, 0.0
        return record.expected(self._ratings), record.weight(
            self._ratings, good=name.endswith(":good")
        )

    def _contrasted(self, names: Sequence[str]) -> tuple[float, float] | None:
        beside = contrast(self._behaviours, self._ratings) if names else None
        return None if beside is None else beside.told_by(names)

    @property
    def rated(self) -> float:
        """How many answers have ratings."""
        return self._ratings.count

    def behaviours_weight(self) -> float:
        """The weight of a behaviour that is contrasted with others; 0 if none is."""
        beside = contrast(self._behaviours, self._ratings)
        return 0.0 if beside is None else beside.weight

    def earned(self, name: str) -> float:
        """The weight that a behaviour has now, beside others or alone."""
        beside = contrast(self._behaviours, self._ratings)
        if beside is not None and name in beside.quality:
            return beside.weight
        return self.behaved(name)[1]

    def records(self) -> Iterable[tuple[str, WitnessRecord]]:
        return self._records.items()

    def behaviours(self) -> Iterable[tuple[str, BehaviourRecord]]:
        return self._behaviours.items()

    def state(self) -> dict[str, Any]:
        return {
            "witnesses": {
                name: [r.bias.n, r.bias.get(), r.miss.n, r.miss.get()]
                for name, r in self._records.items()
            },
            "behaviours": {name: r.state() for name, r in self._behaviours.items()},
            "ratings": self._ratings.state(),
        }

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> "Trust":
        return cls(
            {
                name: WitnessRecord(restored_mean(n, bias), restored_mean(m, miss))
                for name, (n, bias, m, miss) in state["witnesses"].items()
            },
            {name: BehaviourRecord.restored(r) for name, r in state["behaviours"].items()},
            Ratings.restored(state["ratings"]),
        )


def _rating(scores: Sequence[SourceScore]) -> float | None:
    """The mean of the explicit ratings, by their weights; None if no rating has weight."""
    ratings = [score for score in scores if score.explicit]
    total = sum(rating.weight for rating in ratings)
    if total <= 0:
        return None
    return sum(rating.score * rating.weight for rating in ratings) / total
