"""What users did with an answer: names of behaviours, and how Waggle notices some of them itself.

A behaviour is an implicit signal. It is stored with the weight 0, so it changes no reported
quality; the learner gives it the weight that ratings of the same answers have shown
(`learner/behaviour.py`).

Routers share hashes of the last message of a conversation, never its words.

Not covered: a request that follows within a second at another router, which does not know of the
answer yet; and two users who open a conversation with the same words, under the same key and at the
same time: they look like one user.
"""

import re
from collections.abc import Mapping
from hashlib import blake2b
from zlib import crc32

from learner.trust import IMPLICIT
from router.documents.content_words import content_words
from router.domain import About, LastAnswer, Signal, Trace, new_id

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
WITHIN_SECONDS = 600.0  # between an answer and what the user does next
_LONGEST = 1_000  # characters of a message that are compared
_MOST_WORDS = 32  # content words of a message that are compared
_DIGEST = 8  # bytes
_ALIKE = 0.5  # the share of content words that a rephrased message keeps
_LEFT = 499
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


def hashed(text: str) -> bytes:
    """A digest of a message, and after it a hash of each of its first content words."""
    cut = text[:_LONGEST]
    whole = blake2b(" ".join(cut.lower().split()).encode(errors="replace"), digest_size=_DIGEST)
    hashes = {crc32(word.encode(errors="replace")) for word in content_words(cut)[:_MOST_WORDS]}
    return whole.digest() + b"".join(number.to_bytes(4) for number in sorted(hashes))


def next_step(before: bytes, text: str) -> str:
    """What a user did who wrote `text` after the answer to the message with the hashes `before`;
    empty if nothing is clear."""
    if not text.strip():
        return ""
    now = hashed(text)
    if now[:_DIGEST] == before[:_DIGEST]:
        return "retried"
    if _THANKS.fullmatch(text.strip()[:_LONGEST]):
        return "thanked"
    words, earlier = _hashes_in(now), _hashes_in(before)
    union = words | earlier
    alike = len(words & earlier) / len(union) if union else 0.0
    return "rephrased" if alike >= _ALIKE else ""


def _hashes_in(message: bytes) -> frozenset[bytes]:
    return frozenset(message[at : at + 4] for at in range(_DIGEST, len(message), 4))


def noticed(before: LastAnswer | None, trace: Trace, now: float) -> list[Signal]:
    """The signals that a request gives: about the answer before it, and about its own."""
    if trace.operation != "chat":
        return []
    signals = []
    if before is not None and 0 <= trace.started_at - before.at <= WITHIN_SECONDS:
        behaviour = next_step(before.words, trace.request.reading.last_words)
        if behaviour:
            signals.append(_signal(behaviour, before.about, now))
    if trace.status == _LEFT and trace.decision.strategy not in _UNJUDGED:
        signals.append(_signal("abandoned", trace.about, now))
    return signals


def last_answer(trace: Trace, now: float) -> LastAnswer:
    """What routers remember of this answer, to notice what the user does next."""
    return LastAnswer(trace.about, hashed(trace.request.reading.last_words), now)


def _signal(behaviour: str, about: About, now: float) -> Signal:
    return Signal(
        new_id(now), now, about, IMPLICIT, behaviour, "noticed", CLAIMS[behaviour], weight=0.0
    )
