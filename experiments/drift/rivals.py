"""River's tests for drift, fed with the scores of the same answers, a test for each model."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from river.drift import ADWIN, KSWIN, PageHinkley


@dataclass(frozen=True, slots=True)
class Answer:
    at: int  # answers given until then, this one counted; 0 for those of a warm start
    arm: int
    quality: float


@dataclass(frozen=True, slots=True)
class Notice:
    at: int
    arm: int


RIVALS: Mapping[str, Callable[[], Any]] = {
    "ADWIN, as it comes": ADWIN,
    "ADWIN, looking at each answer": lambda: ADWIN(  # type: ignore[no-untyped-call]
        delta=0.05, clock=1, min_window_length=5, grace_period=10
    ),
    "KSWIN": lambda: KSWIN(alpha=0.0001, window_size=100, stat_size=30, seed=1),
    "Page and Hinkley, as it comes": PageHinkley,
    "Page and Hinkley, tighter": lambda: PageHinkley(delta=0.1, threshold=8.0),
}


def noticed_by(answers: Sequence[Answer]) -> dict[str, list[Notice]]:
    return {name: _noticed(make, answers) for name, make in RIVALS.items()}


def _noticed(make: Callable[[], Any], answers: Sequence[Answer]) -> list[Notice]:
    tests: dict[int, Any] = {}
    notices = []
    for answer in answers:
        test = tests.setdefault(answer.arm, make())
        test.update(answer.quality)
        if test.drift_detected:
            notices.append(Notice(answer.at, answer.arm))
            del tests[answer.arm]
    return notices
