"""Audits of a trained model: what its teacher answers to a share of the requests it is sure of.

A part of the task's requests always goes to the teacher alone: the control of an adopted plan, the
other sides of its trial. The model is asked about these afterwards, for nothing, by the function
that serves. It is wrong to differ more often than it did on its test rows. An answer of the teacher
that was judged bad speaks against nobody.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import log

from router.encoding.encodes import Encodes
from router.models.features import features_of, words_of
from router.models.head import Head
from router.models.models import OpenModel
from router.training.closed import reader_in
from router.training.data_rows import Message
from router.training.examples import GOOD
from router.training.lessons.subjects import Subject
from router.training.logged_rows import messages_of
from router.trials.logged import LoggedTelemetry

MOST = 400  # the first audits after a plan began, and the latest ones
_ALARM = log(1000)
_CHANCE, _LEAST_USUAL = 0.02, 0.03
_ENOUGH = log(20)  # of evidence that it does not
_WRONG = 0.05  # the least share of differing answers, above twice the usual one, that is an alarm

_ROWS = f"""
SELECT r.request_id, r.prompt, r.prompt_parts, r.answer
FROM (SELECT * FROM all_requests WHERE ts >= make_timestamp($since)) r
LEFT JOIN (FROM judged WHERE request_ts >= make_timestamp($since)) j
     ON j.request_id = r.request_id AND j.request_ts = r.ts
WHERE r.plan <> $plan AND r.gen_ai_operation_name = 'chat' AND r.status = 200
      AND r.prompt IS NOT NULL AND r.answer IS NOT NULL AND NOT coalesce(r.no_store, false)
      AND coalesce(r.gen_ai_provider_name, '') <> 'learned'
      AND (j.quality IS NULL OR j.quality >= {GOOD})
      AND ($task = '' OR r.kind = $task) AND ($pattern = '' OR r.pattern = $pattern)
ORDER BY r.ts DESC LIMIT {MOST}
"""


@dataclass(frozen=True, slots=True)
class Audit:
    """How often the model was sure, and how often it differed then. `alarm`: too often by now;
    `passed`: surely not too often, over all audits."""

    sure: int
    differed: int
    alarm: bool
    passed: bool

    def __str__(self) -> str:
        return f"it differs from its teacher in {self.differed} of {self.sure} audits"


def audited(
    telemetry: LoggedTelemetry,
    subject: Subject,
    plan: str,
    model: OpenModel,
    since: int,
    encoder: Encodes | None,
    before: dict[str, bool | None],
) -> Audit:
    """The audit of the requests since some time. `before` holds what came of the requests that were
    audited already, and takes the others in."""
    query = subject.query((), since)
    given = {"since": since, "plan": plan, "task": query.task, "pattern": query.pattern}
    rows = telemetry.named_rows(_ROWS, given)
    rows.reverse()
    new = [row for row in rows if row[0] not in before]
    exchanges = [(messages_of(prompt, parts), answer) for _, prompt, parts, answer in new]
    outcomes = differences(model, exchanges, encoder)
    before.update({row[0]: outcome for row, outcome in zip(new, outcomes, strict=True)})
    usual = float(model.card.metrics.get("differs", 0.0))
    return audit_of([before[row[0]] for row in rows], usual)


def differences(
    model: OpenModel, exchanges: Iterable[tuple[tuple[Message, ...], str]], encoder: Encodes | None
) -> list[bool | None]:
    """Whether the model's answer differs from the teacher's, each time; None where it is unsure, or
    where the teacher's answer cannot be read."""
    head = model.model
    if not isinstance(head, Head):
        return [None for _ in exchanges]
    reader = reader_in(head.slots, model.card.parameters.get("frames", ()))
    outcomes: list[bool | None] = []
    for messages, answer in exchanges:
        words = words_of([{"role": each.role, "content": each.content} for each in messages])
        guess = head.guess(features_of(words, encoder if head.encoder else None))
        taught = reader.read(answer)
        own = reader.read(guess.answer)
        outcomes.append(None if guess.unsure or taught is None else own != taught)
    return outcomes


def audit_of(outcomes: list[bool | None], usual: float) -> Audit:
    """Wald's sequential test of whether the model differs much more often than it usually does, and
    a cumulative sum of the same evidence that notices if it begins to."""
    rate = max(usual + _CHANCE, _LEAST_USUAL)
    wrong = min(2 * rate + _WRONG, 0.9)
    total, evidence, alarm, passed = 0.0, 0.0, False, False
    sure = [differs for differs in outcomes if differs is not None]
    for differs in sure:
        step = log(wrong / rate) if differs else log((1 - wrong) / (1 - rate))
        total, evidence = total + step, max(0.0, evidence + step)
        alarm, passed = alarm or evidence > _ALARM, passed or total < -_ENOUGH
    return Audit(len(sure), sum(sure), alarm, passed)
