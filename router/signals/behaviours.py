"""What users did with an answer: names of behaviours, and how Waggle notices some of them itself.

A behaviour is an implicit signal. It is stored with the weight 0, so it changes no reported
quality; the learner gives it the weight that ratings of the same answers have shown
(`learner/behaviour.py`).

Not covered: a router notices only the requests that it serves itself, and it takes two users who
open a conversation with the same words, under the same key and at the same time, for one user.
"""

import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

from learner.trust import IMPLICIT
from router.documents.content_words import content_words
from router.domain import About, Signal, Trace, new_id

# The score of an answer that a user treated so, if the behaviour means what it seems to mean.
CLAIMS: Mapping[str, float] = {
    "retried": 0.0,
    "rephrased": 0.0,
    "edited": 0.0,
    "abandoned": 0.0,
    "deleted": 0.0,
    "copied": 1.0,
    "accepted": 1.0,
    "shared": 1.0,
    "thanked": 1.0,
}
_SYNONYMS: Mapping[str, str] = {
    "retry": "retried",
    "regenerate": "retried",
    "regenerated": "retried",
    "rephrase": "rephrased",
    "edit": "edited",
    "abandon": "abandoned",
    "delete": "deleted",
    "discarded": "deleted",
    "copy": "copied",
    "accept": "accepted",
    "share": "shared",
    "thanks": "thanked",
}
_THANKS = re.compile(
    r"\s{0,3}(?:ok(?:ay)?[,.! ]{0,3})?(?:great|perfect|super|gracias|muchas gracias|danke|merci|"
    r"thanks|thank you|thx)\b[^?]{0,40}",
    re.I,
)
_WITHIN_SECONDS = 600.0
_MOST = 5_000
_LONGEST = 2_000  # characters of a message that are compared
_ALIKE = 0.5  # the share of content words that a rephrased message keeps
_LEFT = 499
_UNJUDGED = ("named", "computed", "reuse", "")  # nobody but the caller or a rule chose the plan


def behaviour_of(metric: str) -> str:
    """The behaviour that a metric of feedback names; empty if the metric names none."""
    plain = metric.lower().replace("-", "_")
    name = _SYNONYMS.get(plain, plain)
    return name if name in CLAIMS else ""


def claimed(behaviour: str, amount: float) -> float:
    """The score that a behaviour claims. `amount` is from 0 (not at all) to 1 (wholly)."""
    return amount if CLAIMS[behaviour] else 1 - amount


def next_step(before: str, now: str) -> str:
    """What a user did who wrote `now` after the answer to `before`; empty if nothing is clear."""
    first, second = before[:_LONGEST].strip(), now[:_LONGEST].strip()
    if not first or not second:
        return ""
    if " ".join(first.lower().split()) == " ".join(second.lower().split()):
        return "retried"
    if _THANKS.fullmatch(second):
        return "thanked"
    words = frozenset(content_words(first)), frozenset(content_words(second))
    union = words[0] | words[1]
    alike = len(words[0] & words[1]) / len(union) if union else 0.0
    return "rephrased" if alike >= _ALIKE else ""


@dataclass(frozen=True, slots=True)
class _LastRequest:
    """The last answered request of a conversation. Its words stay in memory only."""

    about: About
    words: str
    at: float


@dataclass
class Behaviours:
    """The conversations of a router, in which it notices what users do next."""

    _waiting: OrderedDict[str, _LastRequest] = field(default_factory=OrderedDict)

    def notice(self, trace: Trace, now: float) -> list[Signal]:
        """The signals about earlier answers, and about this answer, that this request gives."""
        if trace.operation != "chat" or trace.decision.strategy in _UNJUDGED:
            return []
        session, words = trace.request.session, trace.request.reading.last_words[:_LONGEST]
        signals = []
        before = self._waiting.pop(session, None)
        if before is not None and 0 <= trace.started_at - before.at <= _WITHIN_SECONDS:
            behaviour = next_step(before.words, words)
            if behaviour:
                signals.append(_signal(behaviour, before.about, now))
        if trace.status == _LEFT:
            signals.append(_signal("abandoned", trace.about, now))
        elif trace.status == 200:
            self._waiting[session] = _LastRequest(trace.about, words, now)
            if len(self._waiting) > _MOST:
                self._waiting.popitem(last=False)
        return signals


def _signal(behaviour: str, about: About, now: float) -> Signal:
    return Signal(
        new_id(now), now, about, IMPLICIT, behaviour, "noticed", CLAIMS[behaviour], weight=0.0
    )
