"""How many requests of each kind come in a day, and when answers were last judged.

Everything is counted from the times in the rows, so a fold that replays the rows counts the same.
The clock of the reader enters only where a rate is worked out. A rate is a mean over the last seven
days and today. A day in which the service did not run counts as a day without requests.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SILENT_AFTER = 500  # answers without a judged one, after which none is expected any more
_DAY_MICROS = 86_400_000_000
_DAYS = 8  # today, and seven days before it


@dataclass(frozen=True, slots=True)
class DailyRate:
    """Requests a day, as a mean over this many days; of less than a day, just their number."""

    answered: float
    decided: float  # of these, the requests whose plan the bandit drew
    days: float


@dataclass(frozen=True, slots=True)
class JudgedLast:
    """The time of the latest request that was judged, and the answers since its judgement came."""

    request_micros: int  # 0 if no request was ever judged
    answers_since: int


@dataclass
class Arrivals:
    """Counts by day and kind of request; the kind `""` counts every request."""

    first_micros: int = 0  # the time of the first request
    days: dict[int, dict[str, list[int]]] = field(default_factory=dict)
    last: dict[str, list[int]] = field(default_factory=dict)  # judged request, answers since

    def came(self, kind: str, ts_micros: int, *, decided: bool) -> None:
        """Count an answered request. `decided`: the bandit drew its plan."""
        self.first_micros = min(self.first_micros or ts_micros, ts_micros)
        day = ts_micros // _DAY_MICROS
        counts = self.days.pop(day, {})
        self.days[day] = counts
        while len(self.days) > _DAYS:  # the days that were counted last are kept
            del self.days[next(iter(self.days))]
        for name in dict.fromkeys(("", kind)):
            count = counts.setdefault(name, [0, 0])
            count[0] += 1
            count[1] += decided
            self.last.setdefault(name, [0, 0])[1] += 1

    def judged(self, kind: str, ts_micros: int) -> None:
        """Note the first judgement of a request that came in at this time."""
        for name in dict.fromkeys(("", kind)):
            self.last[name] = [max(self.last.get(name, [0, 0])[0], ts_micros), 0]

    @property
    def silent(self) -> bool:
        """Whether answers are no longer judged."""
        return self.last.get("", [0, 0])[1] >= SILENT_AFTER

    def rate(self, kind: str, now: float) -> DailyRate:
        now_micros = int(now * 1e6)
        today = now_micros // _DAY_MICROS
        counts = [
            count[kind]
            for day, count in self.days.items()
            if today - _DAYS < day <= today and kind in count
        ]
        since = max(self.first_micros or now_micros, (today - _DAYS + 1) * _DAY_MICROS)
        days = max((now_micros - since) / _DAY_MICROS, 1.0)
        answered, decided = (sum(count[at] for count in counts) for at in (0, 1))
        return DailyRate(answered / days, decided / days, days)

    def judged_last(self, kind: str) -> JudgedLast:
        return JudgedLast(*self.last.get(kind, (0, 0)))

    def state(self) -> dict[str, Any]:
        """The counts as values for a snapshot."""
        days = [[day, counts] for day, counts in self.days.items()]
        return {"first_micros": self.first_micros, "days": days, "last": self.last}

    @classmethod
    def restored(cls, stored: Mapping[str, Any]) -> "Arrivals":
        return cls(
            int(stored["first_micros"]),
            {
                int(day): {kind: [int(n) for n in count] for kind, count in counts.items()}
                for day, counts in stored["days"]
            },
            {kind: [int(n) for n in last] for kind, last in stored["last"].items()},
        )
