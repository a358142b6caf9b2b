"""What arms take: money, time and failures, by kind of request. Always seen, so never explored for.

Money is counted in multiples of an arm's own rate, so that a change of its price is known at once
and needs no relearning. Means fade: what was long ago counts less and less.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import exp, log
from typing import Any

from river import stats

from learner.policy import Arm, Outcome

_FADE = 0.03
_TAIL = 0.95
_WINDOW = 128
_LEAST_SPEND = 1e-3
_LEAST_SECONDS = 1e-4
_ENOUGH = 5  # outcomes of a kind before it is believed over the arm's own mean


class Fading:
    """River's exponentially weighted mean, which can be written down and read again."""

    def __init__(self, mean: float | None = None) -> None:
        self._mean = stats.EWMean(fading_factor=_FADE)
        self._any = mean is not None
        if mean is not None:
            self._mean.update(mean)  # its first value is its mean

    def see(self, value: float) -> None:
        self._mean.update(value)
        self._any = True

    @property
    def mean(self) -> float | None:
        return self._mean.get() if self._any else None


@dataclass
class UsualExpense:
    """Of one arm, or of one arm with one kind of request."""

    seen: int = 0
    spend: Fading = field(default_factory=Fading)  # logarithm
    seconds: Fading = field(default_factory=Fading)  # logarithm
    failures: Fading = field(default_factory=Fading)
    recent: deque[float] = field(default_factory=lambda: deque(maxlen=_WINDOW))

    def __post_init__(self) -> None:
        self._tail = stats.RollingQuantile(_TAIL, _WINDOW)
        for seconds in self.recent:
            self._tail.update(seconds)

    def see(self, outcome: Outcome) -> None:
        self.seen += 1
        self.failures.see(float(outcome.failed))
        self.recent.append(outcome.seconds)
        self._tail.update(outcome.seconds)
        self.seconds.see(log(max(outcome.seconds, _LEAST_SECONDS)))
        if not outcome.failed:
            self.spend.see(log(max(outcome.spend, _LEAST_SPEND)))

    @property
    def tail_seconds(self) -> float | None:
        return self._tail.get() if self.recent else None

    def state(self) -> dict[str, Any]:
        return {
            "seen": self.seen,
            "spend": self.spend.mean,
            "seconds": self.seconds.mean,
            "failures": self.failures.mean,
            "recent": list(self.recent),
        }

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> "UsualExpense":
        return cls(
            state["seen"],
            Fading(state["spend"]),
            Fading(state["seconds"]),
            Fading(state["failures"]),
            deque(state["recent"], maxlen=_WINDOW),
        )


@dataclass(frozen=True, slots=True)
class Expense:
    """What one answer of an arm is expected to take."""

    spend: float = 1.0  # times the arm's rate
    seconds: float | None = None  # unknown
    tail_seconds: float | None = None
    failure: float = 0.0
    seen: int = 0


@dataclass
class Expenses:
    """Of every arm, by kind of request; `""` stands for all of them."""

    _usual: dict[tuple[Arm, str], UsualExpense] = field(default_factory=dict)

    def see(self, outcome: Outcome, kind: str) -> None:
        for key in dict.fromkeys(((outcome.arm, ""), (outcome.arm, kind))):
            self._usual.setdefault(key, UsualExpense()).see(outcome)

    def of(self, arm: Arm, kind: str = "") -> Expense:
        usual = self._usual.get((arm, kind))
        if usual is None or usual.seen < _ENOUGH:
            usual = self._usual.get((arm, ""))
        if usual is None:
            return Expense()
        spend, seconds = usual.spend.mean, usual.seconds.mean
        return Expense(
            1.0 if spend is None else exp(spend),
            None if seconds is None else exp(seconds),
            usual.tail_seconds,
            # One failure of one call says little: as if three good ones had gone before.
            (usual.failures.mean or 0.0) * usual.seen / (usual.seen + 3),
            usual.seen,
        )

    def kinds(self) -> Iterable[str]:
        return sorted({kind for _, kind in self._usual})

    def drop(self, arm: Arm) -> None:
        self._usual = {key: usual for key, usual in self._usual.items() if key[0] != arm}

    def state(self) -> list[Any]:
        return [[arm, kind, usual.state()] for (arm, kind), usual in self._usual.items()]

    @classmethod
    def restored(cls, state: Iterable[Any]) -> "Expenses":
        return cls({(Arm(arm), kind): UsualExpense.of(told) for arm, kind, told in state})
