"""Which passages say the same, so that an answer holds each thing once. Pure.

Two passages are alike if most of their runs of words are the same, and all of their numbers and
negations: "the fee is 5 %" and "the fee is 6 %" differ in little else. Alike passages are all kept
and found: each may be the only one that passes a filter.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from router.documents.chunking import SAME, shingles

_SAMPLES = 4  # smallest hashes of a passage; only passages that share one are compared
_FACT = re.compile(
    r"\d+(?:[.,:/-]\d+)*|\b(?:no|not|never|none|without|nor|except|unless|cannot|nunca|sin|jamás|"
    r"excepto|salvo|ni|ningún|ninguna|ninguno)\b|n['\u2019]t\b",
    re.I,
)


def samples_of(text: str) -> tuple[int, ...]:
    """Hashes of which alike passages share at least one: the smallest of its runs of words."""
    return tuple(_signed(each) for each in sorted(shingles(text))[:_SAMPLES])


def repeats(text: str, other: str) -> bool:
    """Whether a passage repeats another one, or nearly does."""
    return next(repeated(text, [other]), None) is not None


def repeated(text: str, others: Iterable[str]) -> Iterator[int]:
    """The places of those among other passages that a passage repeats."""
    own_facts = facts(text)
    own: set[int] = set()
    for place, other in enumerate(others):
        if facts(other) == own_facts:
            own, theirs = own or shingles(text), shingles(other)
            if len(own & theirs) >= SAME * len(own | theirs):
                yield place


def facts(text: str) -> Sequence[str]:
    """The numbers and the negations of a text, sorted."""
    return sorted(match[0].lower() for match in _FACT.finditer(text))


def _signed(hash_: int) -> int:
    """The hash as SQLite keeps whole numbers."""
    return hash_ - 2**64 if hash_ >= 2**63 else hash_
