"""How much each source of quality is trusted, measured against explicit ratings.

A check or a judge is a witness. Where the app rated the same answer, the witness's score is
compared with that rating. Later scores of the witness are corrected by its usual error, and its
weight grows as the error gets smaller. A source that was never compared has the weight that it was
given.

The running means are River's.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from river import stats

from learner.running import restored_mean

_PRIOR = 10.0  # the given weight counts as much as this many comparisons
_MOVES_AFTER = 20.0  # comparisons after which a score is corrected by half of its usual error
_LEAST_WEIGHT = 0.02
_WITNESSES = frozenset({"check", "judge"})  # every other source is an explicit rating


@dataclass(frozen=True, slots=True)
class SourceScore:
    """The latest score of one source for one answer."""

    source: str
    metric: str
    score: float
    weight: float

    @property
    def explicit(self) -> bool:
        return self.source not in _WITNESSES

    @property
    def name(self) -> str:
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

    def quality(self, scores: Sequence[SourceScore]) -> tuple[float, float] | None:
        """The quality of an answer and the weight of that estimate, if any score has weight."""
        total = weighed = 0.0
        for score in scores:
            corrected, weight = self._corrected(score)
            total += weight
            weighed += weight * corrected
        if total <= 0:
            return None
        return weighed / total, min(total, 1.0)

    def compare(self, scores: Sequence[SourceScore]) -> None:
        """Update the record of each witness that scored an answer with explicit ratings."""
        ratings = [score for score in scores if score.explicit]
        total = sum(rating.weight for rating in ratings)
        if total <= 0:
            return
        truth = sum(rating.score * rating.weight for rating in ratings) / total
        for score in scores:
            if not score.explicit:
                record = self._records.setdefault(score.name, WitnessRecord())
                record.bias.update(truth - score.score)
                record.miss.update(abs(truth - score.score))

    def believed(self, name: str, given: float) -> float:
        """The present weight of a source; an error of half the scale leaves almost no weight."""
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

    def records(self) -> Iterable[tuple[str, WitnessRecord]]:
        return self._records.items()

    def state(self) -> dict[str, Any]:
        return {
            name: [r.bias.n, r.bias.get(), r.miss.n, r.miss.get()]
            for name, r in self._records.items()
        }

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> "Trust":
        return cls(
            {
                name: WitnessRecord(restored_mean(n, bias), restored_mean(m, miss))
                for name, (n, bias, m, miss) in state.items()
            }
        )
