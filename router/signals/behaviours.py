"""What became of an answer: names of behaviours, and how Waggle notices some of them itself.

A behaviour is an implicit signal. It is stored with the weight 0, so it changes no reported
quality; the learner gives it the weight that ratings of the same answers have shown
(`learner/behaviour.py`).

Routers share hashes of the last message of a conversation, never its words.

Not covered: a request that follows within a second at another router, which does not know of the
answer yet; and two users who open a conversation with the same words, under the same key and at the
same time: they look like one user.
"""

from collections.abc import Mapping

from learner.trust import IMPLICIT
from router.domain import About, LastAnswer, Signal, Trace, new_id
from router.signals.next_step import next_step
from router.signals.turns import Turn, place_of, tool_failed

# The score of an answer that came to this, if the behaviour means what it seems to mean.
CLAIMS: Mapping[str, float] = {
    "retried": 0.0,
    "rephrased": 0.0,
    "edited": 0.0,
    "corrected": 0.0,
    "abandoned": 0.0,
    "tool_failed": 0.0,
    "refused": 0.0,
    "cut": 0.0,
    "deleted": 0.0,
    "copied": 1.0,
    "accepted": 1.0,
    "shared": 1.0,
    "thanked": 1.0,
    "continued": 1.0,
}
_SYNONYMS: Mapping[str, str] = {
    "retry": "retried",
    "regenerate": "retried",
    "regenerated": "retried",
    "rephrase": "rephrased",
    "edit": "edited",
    "complained": "corrected",
    "tool_error": "tool_failed",
    "refusal": "refused",
    "truncated": "cut",
    "abandon": "abandoned",
    "delete": "deleted",
    "discarded": "deleted",
    "copy": "copied",
    "accept": "accepted",
    "share": "shared",
    "thanks": "thanked",
}
WITHIN_SECONDS = 600.0  # between an answer and what the user does next
_LEFT, _FAILED = 499, 400
# Strategies whose answers teach nothing about plans: the caller, a rule or memory chose them.
_UNJUDGED = ("named", "compared", "computed", "reuse", "")


def behaviour_of(metric: str) -> str:
    """The behaviour that a metric of feedback names; empty if the metric names none."""
    plain = metric.lower().replace("-", "_")
    name = _SYNONYMS.get(plain, plain)
    return name if name in CLAIMS else ""


def claimed(behaviour: str, amount: float) -> float:
    """The score that a behaviour claims. `amount` is from 0 (not at all) to 1 (wholly)."""
    return amount if CLAIMS[behaviour] else 1 - amount


def noticed(before: LastAnswer | None, trace: Trace, turn: Turn, now: float) -> list[Signal]:
    """The signals that a request at this `turn` gives: about the answer before it, and about its
    own."""
    if trace.operation != "chat":
        return []
    signals = []
    if before is not None and 0 <= trace.started_at - before.at <= WITHIN_SECONDS:
        behaviour = _of_the_user(before, turn)
        if behaviour:
            signals.append(_signal(behaviour, before.about, now))
    if trace.decision.strategy in _UNJUDGED:
        return signals
    if trace.status == _LEFT:
        signals.append(_signal("abandoned", trace.about, now))
    elif trace.ended and trace.status < _FAILED:
        signals.append(_signal(trace.ended, trace.about, now))
    return signals


def _of_the_user(before: LastAnswer, turn: Turn) -> str:
    """What a request shows of the answer before it; empty if it shows nothing."""
    match place_of(turn, before):
        case "again":
            return "retried"
        case "inside":
            return "tool_failed" if tool_failed(turn, before) else ""
        case "after":
            return next_step(before.words, turn.words, turn.hashes) or _went_on(turn)
        case "instead":
            return next_step(before.words, turn.words, turn.hashes, in_place=True)
    return ""


def _went_on(turn: Turn) -> str:
    """Whoever goes on without a complaint is content, more often than not."""
    return "continued" if turn.earlier else ""


def last_answer(trace: Trace, turn: Turn, now: float) -> LastAnswer:
    """What routers remember of this answer, to notice what the user does next."""
    return LastAnswer(trace.about, turn.hashes, now, turn.earlier, len(turn.since), turn.last)


def _signal(behaviour: str, about: About, now: float) -> Signal:
    return Signal(
        new_id(now), now, about, IMPLICIT, behaviour, "noticed", CLAIMS[behaviour], weight=0.0
    )
