"""The result of an evaluation: rows, and each plan's quality, cost and latency with intervals.

Quality has the interval of Wilson, which holds for any scores between 0 and 1 and for few answers.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from router.evaluation.ledger import Ledger
from router.evaluation.questions import Question

_Z = 1.96
COLUMNS: Mapping[str, str] = {
    "prompt_id": "VARCHAR",
    "prompt": "VARCHAR",
    "kind": "VARCHAR",
    "task": "VARCHAR",
    "plan": "VARCHAR",
    "model": "VARCHAR",
    "score": "DOUBLE",
    "scored_by": "VARCHAR",
    "reason": "VARCHAR",
    "cost_usd": "DOUBLE",
    "latency_s": "DOUBLE",
    "input_tokens": "BIGINT",
    "output_tokens": "BIGINT",
}


@dataclass(frozen=True, slots=True)
class Interval:
    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class PlanSummary:
    plan: str
    answered: int
    scored: int
    refused: int
    quality: Interval | None
    usd_per_1k: Interval | None
    seconds: Interval | None
    p95_seconds: float | None


def outcome_rows(
    questions: Sequence[Question], plans: Sequence[str], ledger: Ledger
) -> list[dict[str, Any]]:
    """A row for each answer, without the answers that plans refused to give."""
    rows = []
    for question in questions:
        for plan in plans:
            answer = ledger.answers.get((question.id, plan))
            if answer is None or answer.refusal:
                continue
            score = ledger.scores.get((question.id, plan))
            rows.append(
                {
                    "prompt_id": question.id,
                    "prompt": question.prompt,
                    "kind": question.kind,
                    "task": question.task or None,
                    "plan": plan,
                    "model": answer.backend or None,
                    "score": None if score is None else score.score,
                    "scored_by": None if score is None else score.by,
                    "reason": None if score is None else score.reason,
                    "cost_usd": answer.cost_usd,
                    "latency_s": round(answer.seconds, 6),
                    "input_tokens": answer.input_tokens,
                    "output_tokens": answer.output_tokens,
                }
            )
    return rows


def summaries(
    questions: Sequence[Question], plans: Sequence[str], ledger: Ledger
) -> list[PlanSummary]:
    return [_summary(questions, plan, ledger) for plan in plans]


def _summary(questions: Sequence[Question], plan: str, ledger: Ledger) -> PlanSummary:
    keys = [(question.id, plan) for question in questions]
    answers = [ledger.answers[key] for key in keys if key in ledger.answers]
    given = [answer for answer in answers if not answer.refusal]
    scores = [ledger.scores[key].score for key in keys if key in ledger.scores]
    given_scores = [score for score in scores if score is not None]
    seconds = sorted(answer.seconds for answer in given)
    return PlanSummary(
        plan,
        len(given),
        len(given_scores),
        len(answers) - len(given),
        share_interval(given_scores),
        mean_interval([1000 * a.cost_usd for a in given if a.cost_usd is not None]),
        mean_interval(seconds),
        seconds[min(math.ceil(0.95 * len(seconds)), len(seconds)) - 1] if seconds else None,
    )


def share_interval(scores: Sequence[float]) -> Interval | None:
    """The mean of scores from 0 to 1 with Wilson's interval, as if each were one trial."""
    if not scores:
        return None
    n, mean = len(scores), sum(scores) / len(scores)
    centre = (mean + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    reach = _Z * math.sqrt(mean * (1 - mean) / n + _Z**2 / (4 * n * n)) / (1 + _Z**2 / n)
    return Interval(mean, max(centre - reach, 0.0), min(centre + reach, 1.0))


def mean_interval(values: Sequence[float]) -> Interval | None:
    """The mean of values above 0, and twice its standard error on both sides."""
    if not values:
        return None
    n, mean = len(values), sum(values) / len(values)
    if n == 1:
        return Interval(mean, 0.0, math.inf) if mean else Interval(0.0, 0.0, 0.0)
    deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / (n - 1))
    reach = _Z * deviation / math.sqrt(n)
    return Interval(mean, max(mean - reach, 0.0), mean + reach)
