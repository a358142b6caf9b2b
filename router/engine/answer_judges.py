"""Judges whether a remembered answer was right, beside the new answer to the same request.

Only what could have said no counts: a level that proves both answers, tests that came with the
request, a configured judge, the verifying backend. An encoder is never asked: to it, `yes, dogs
can` and `no, dogs cannot` are close. Equal words count as right only beside such a judge: alone,
they could find answers right and never wrong. Without evidence there is no finding.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from router.config.signals import SignalSource
from router.domain import Attempt, Event, Trace, new_id
from router.engine.verifying import Verifying
from router.plans.compiled import Plans
from router.reuse.solution import Solution
from router.signals.inquiries import Inquiry, Try, tests_of
from router.signals.judgements import equal, plain
from router.verified import verified_by

_GOOD, _BAD = 0.7, 0.5  # scores of a judge from which an answer is right, and below which wrong
_OPPOSITES: tuple[set[str], ...] = ({"yes", "no"}, {"true", "false"})


@dataclass(frozen=True, slots=True)
class AnswerFinding:
    """Whether the remembered answer was wrong, what says so, and how much it counts."""

    wrong: bool
    by: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class AnswerJudges:
    verifying: Verifying
    attempt: Try
    note: Callable[[Event], None]
    wall: Callable[[], float]

    async def judge(
        self, plans: Plans, trace: Trace, remembered: Solution, text: str
    ) -> AnswerFinding | None:
        """The first finding about the remembered answer; None if nothing could judge it."""
        finding = by_levels(remembered, trace, text) or by_opposites(remembered.answer, text)
        if finding is not None:
            return finding
        if equal(remembered.answer, text) and self._has_judge(plans, trace):
            return AnswerFinding(False, "equal words")
        finding = await self._by_signals(plans, trace, remembered.answer)
        if finding is not None:
            return finding
        calls: list[Attempt] = []
        agree = await self.verifying.answers_agree(
            plans, trace.request, remembered.answer, text, calls
        )
        for call in calls:
            self._note(trace, call)
        return None if agree is None else AnswerFinding(not agree, "the verifying backend")

    def _has_judge(self, plans: Plans, trace: Trace) -> bool:
        """Whether something would judge these answers if their words were not equal."""
        return plans.verifier is not None or bool(_sources(plans, trace))

    async def _by_signals(self, plans: Plans, trace: Trace, answer: str) -> AnswerFinding | None:
        """What the request's tests, or a judge, say of the remembered answer to this request."""
        for source in _sources(plans, trace):
            inquiry = Inquiry(
                plans.config, source, trace, answer, self.attempt, self.note, self.wall
            )
            tests = source.kind == "tests"
            judgement = await (inquiry.by_tests() if tests else inquiry.by_judge())
            if judgement is not None and not _BAD <= judgement.score < _GOOD:
                return AnswerFinding(judgement.score < _BAD, source.kind, source.believed)
        return None

    def _note(self, trace: Trace, call: Attempt) -> None:
        """Record the cost of a question after the answer; no request pays for it."""
        now = self.wall()
        detail: dict[str, Any] = {
            "request_id": trace.request.id,
            "backend": call.backend,
            "cost_usd": call.cost_usd,
            "latency_ms": round(1000 * call.seconds, 3),
        }
        self.note(Event(new_id(now), now, "signal", "reuse", "asked", detail))


def by_levels(remembered: Solution, trace: Trace, text: str) -> AnswerFinding | None:
    """Whether two proven answers to one calculation are equal."""
    proven = trace.verified is not None and trace.verified.proven
    if not proven or verified_by(remembered.proof) is None:
        return None
    return AnswerFinding(not equal(remembered.answer, text), "verification")


def by_opposites(remembered: str, text: str) -> AnswerFinding | None:
    """Whether one answer begins with yes, and the other with no."""
    begins = {plain(answer).partition(" ")[0].strip(",.;:!") for answer in (remembered, text)}
    return AnswerFinding(True, "opposite words") if begins in _OPPOSITES else None


def _sources(plans: Plans, trace: Trace) -> list[SignalSource]:
    """The configured sources that can judge an answer by what it says; tests come first."""
    config = plans.config
    tests = [s for s in config.signals if s.kind == "tests" and tests_of(trace.request)]
    # A judge that compares plans says nothing about these two answers.
    judges = [s for s in config.signals if s.kind == "judge" and s.against is None]
    return [*tests, *judges]
