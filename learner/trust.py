"""How far each source of quality is believed, measured against those who say it for themselves.

A check or a judge is a witness: where an answer was also rated by whoever asked for it, its word is
held against that rating. Its score is moved by how much it is usually off, and its weight follows
how close it then comes. A source nobody could check keeps the weight it was given.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from river import stats

_PRIOR = 10.0  # as many comparisons as its given weight counts for
_MOVES_AFTER = 20.0
_WITNESSES = frozenset({"check", "judge"})  # all others speak for themselves


@dataclass(frozen=True, slots=True)
class SourceScore:
    """The latest word of one source on one answer."""

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
class Record:
    """What was found when a witness was held against ratings."""

    bias: stats.Mean = field(default_factory=stats.Mean)
    miss: stats.Mean = field(default_factory=stats.Mean)

    @property
    def compared(self) -> float:
        return float(self.bias.n)


@dataclass
class Trust:
    _records: dict[str, Record] = field(default_factory=dict)

    def quality(self, said: Sequence[SourceScore]) -> tuple[float, float] | None:
        """Quality and how much it is believed; nothing where nobody said anything."""
        total = weighed = 0.0
        for one in said:
            score, weight = self._heard(one)
            total += weight
            weighed += weight * score
        if total <= 0:
            return None
        return weighed / total, min(total, 1.0)

    def compare(self, said: Sequence[SourceScore]) -> None:
        """Hold witnesses against ratings of the same answer."""
        ratings = [one for one in said if one.explicit]
        total = sum(one.weight for one in ratings)
        if total <= 0:
            return
        truth = sum(one.score * one.weight for one in ratings) / total
        for one in said:
            if not one.explicit:
                record = self._records.setdefault(one.name, Record())
                record.bias.update(truth - one.score)
                record.miss.update(abs(truth - one.score))

    def believed(self, name: str, given: float) -> float:
        """The weight of a source by now. One that is right by half the scale knows nothing."""
        record = self._records.get(name)
        if record is None:
            return given
        close = 1 - 2 * record.miss.get()
        share = record.compared / (record.compared + _PRIOR)
        return max((1 - share) * given + share * close, 0.02)

    def _heard(self, one: SourceScore) -> tuple[float, float]:
        if one.explicit:
            return one.score, one.weight
        record = self._records.get(one.name)
        if record is None:
            return one.score, one.weight
        share = record.compared / (record.compared + _MOVES_AFTER)
        moved = min(max(one.score + share * record.bias.get(), 0.0), 1.0)
        return moved, self.believed(one.name, one.weight)

    def records(self) -> Iterable[tuple[str, Record]]:
        return self._records.items()

    def state(self) -> dict[str, Any]:
        return {
            name: [r.bias.n, r.bias.get(), r.miss.n, r.miss.get()]
            for name, r in self._records.items()
        }

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> "Trust":
        told = cls()
        for name, (n, bias, m, miss) in state.items():
            record = told._records[name] = Record()
            record.bias.n, record.bias._mean = n, bias
            record.miss.n, record.miss._mean = m, miss
        return told
