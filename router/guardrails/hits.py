"""What guards that look for words find in a text, and what they put in its place. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from router.config.guardrails import Guard
from router.guardrails.personal import personal_spans
from router.guardrails.words import WordList

TEXT_KINDS = ("redact", "words")  # the kinds of guards that look for words
_PERSONAL_WINDOW = 128  # characters of a stream that may hold the begin of personal data


@dataclass(frozen=True, slots=True)
class Hit:
    """A place that a guard acts on. `rule` and `label` never quote it."""

    start: int
    end: int
    rule: str
    label: str  # of its placeholder


def hits_in(guard: Guard, text: str) -> list[Hit]:
    """The places of a text that a guard of the kind redact or words acts on, in order."""
    if guard.kind == "redact":
        spans = personal_spans(text, guard.find)
        return [Hit(span.start, span.end, span.kind, span.kind.upper()) for span in spans]
    word_spans = WordList(guard.words, guard.regexes, guard.whole_words).spans(text)
    return [Hit(span.start, span.end, span.rule, "WORD") for span in word_spans]


def window_of(guard: Guard) -> int:
    """How many characters of a stream wait, so that a hit is seen before its first character goes
    out."""
    if guard.kind == "redact":
        return _PERSONAL_WINDOW
    longest = max(map(len, guard.words), default=0) + 16
    return max(longest, guard.window if guard.regexes else 0)


def replaced_hits(text: str, hits: Sequence[Hit], stand_in: Callable[[str, Hit], str]) -> str:
    pieces, last = [], 0
    for hit in hits:
        pieces += [text[last : hit.start], stand_in(text[hit.start : hit.end], hit)]
        last = hit.end
    return "".join([*pieces, text[last:]])


def masked(words: str, hit: Hit) -> str:  # noqa: ARG001 - called like any stand-in
    """What stands for a hit in an answer. Nothing puts it back."""
    return f"[{hit.label}]"
