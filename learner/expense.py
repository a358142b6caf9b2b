"""What an arm's answers cost: money, time and failures, by kind of request.

Every answer shows its expenses, so no exploring is needed to learn them. Money is counted in
multiples of an arm's own rate, so a change of its price takes effect at once, without relearning.
Means fade: old answers count less and less. The running statistics are River's.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, log
from typing import Any

import numpy as np
from river import stats

from learner.policy import Arm, Outcome
from learner.posterior import ExpectedExpenses, log_seconds
from learner.running import FadingMean

_TAIL = 0.95
_WINDOW = 128
_LEAST_SPEND = 1e-3
_LEAST_SECONDS = 1e-4
_ENOUGH = 5  # outcomes of a kind before its own means are used


@dataclass
class UsualExpense:
    """The usual expense of an arm, or of an arm on one kind of request."""

    seen: int = 0
    log_spend: FadingMean = field(default_factory=FadingMean)
    log_seconds: FadingMean = field(default_factory=FadingMean)
    failures: FadingMean = field(default_factory=FadingMean)
    recent: deque[float] = field(default_factory=lambda: deque(maxlen=_WINDOW))

    def __post_init__(self) -> None:
        self._tail = stats.RollingQuantile(_TAIL, _WINDOW)
        for seconds in self.recent:
            self._tail.update(seconds)

    def see(self, outcome: Outcome) -> None:
        self.seen += 1
        self.failures.update(float(outcome.failed))
        self.recent.append(outcome.seconds)
        self._tail.update(outcome.seconds)
        self.log_seconds.update(log(max(outcome.seconds, _LEAST_SECONDS)))
        if not outcome.failed:
            self.log_spend.update(log(max(outcome.spend, _LEAST_SPEND)))

    @property
    def tail_seconds(self) -> float | None:
        return self._tail.get() if self.recent else None

    def state(self) -> dict[str, Any]:
        return {
            "seen": self.seen,
            "spend": self.log_spend.mean,
            "seconds": self.log_seconds.mean,
            "failures": self.failures.mean,
            "recent": list(self.recent),
        }

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> "UsualExpense":
        return cls(
            state["seen"],
            FadingMean(state["spend"]),
            FadingMean(state["seconds"]),
            FadingMean(state["failures"]),
            deque(state["recent"], maxlen=_WINDOW),
        )


@dataclass(frozen=True, slots=True)
class Expense:
    """The expected expense of an answer of an arm."""

    spend: float = 1.0  # a multiple of the arm's rate
    seconds: float | None = None
    tail_seconds: float | None = None
    failure: float = 0.0
    seen: int = 0


@dataclass
class Expenses:
    """The usual expenses of every arm, by kind of request; the kind `""` stands for all kinds."""

    _usual: dict[tuple[Arm, str], UsualExpense] = field(default_factory=dict)

    def see(self, outcome: Outcome, kind: str) -> None:
        for key in dict.fromkeys(((outcome.arm, ""), (outcome.arm, kind))):
            usual = self._usual.get(key)
            if usual is None:
                usual = self._usual[key] = UsualExpense()
            usual.see(outcome)

    def of(self, arm: Arm, kind: str = "") -> Expense:
        usual = self._usual.get((arm, kind))
        if usual is None or usual.seen < _ENOUGH:
            usual = self._usual.get((arm, ""))
        if usual is None:
            return Expense()
        log_spend, log_seconds = usual.log_spend.mean, usual.log_seconds.mean
        return Expense(
            1.0 if log_spend is None else exp(log_spend),
            None if log_seconds is None else exp(log_seconds),
            usual.tail_seconds,
            # One failure in one call proves little: count three imaginary calls without a failure.
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
        return cls({(Arm(arm), kind): UsualExpense.restored(usual) for arm, kind, usual in state})


def as_expected(expenses: Sequence[Expense], usual_seconds: float) -> ExpectedExpenses:
    """The expenses of arms as arrays; an arm without a time is taken to need the usual one."""
    seconds = np.array([usual_seconds if e.seconds is None else e.seconds for e in expenses])
    tails = [np.nan if e.tail_seconds is None else e.tail_seconds for e in expenses]
    return ExpectedExpenses(
        np.array([e.spend for e in expenses]),
        log_seconds(seconds),
        seconds,
        np.array(tails),
        np.array([1 - e.failure for e in expenses]),
    )
