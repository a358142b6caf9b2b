"""The kind of a request: what the request needs, what its words say, and what is usual near it.

A request that needs tools, images or JSON is of that kind. Any other request belongs to each kind
in part: words are one sign among others, and a prompt's neighbourhood is another. So the likeliest
kind survives a missing question mark, a slip of the keyboard or a word of the same meaning.
"""

import re
from collections.abc import Sequence

from router.request.plain import bare, folded

SORTS = ("text", "question", "reasoning", "code", "json", "tools", "images", "statistics")
BY_WORDS = SORTS[:4]  # the kinds that only words tell apart
_HEAD, _TAIL = 120, 200  # characters at the start and the end of a prompt where it asks
_NEARBY = 3.0  # what a prompt's neighbourhood weighs beside the signs in its words
_PLAIN, _ASKS, _HARD, _CODE = 0.5, 2.0, 2.5, 4.0  # what each sign of a kind weighs
_MARK = 0.2  # a question mark beside a word that asks
_QUESTION = re.compile(
    r"\b(?:what|whats|who|whom|whose|which|when|where|how|why|"
    r"que|cual|cuales|quien|quienes|cuando|donde|como|cuanto|cuanta|cuantos|cuantas)\b|"
    r"^\W{0,3}(?:is|are|was|were|do|does|did|has|have|should|(?:can|could|will|would)(?! you)|"
    r"es|son|hay|puede|pueden|tiene|tienen)\b"
)


def asks(words: str) -> float:
    """How much a prompt looks like a question, from 0 to 1. A question mark alone says little."""
    words = bare(words)
    head = folded(words[:_HEAD])
    tail = folded(words[-_TAIL:]) if len(words) > _HEAD else ""
    start = max(tail.rfind(mark) for mark in (". ", "\n", ": ")) + 1
    sign = 1.0 if _QUESTION.search(head) or _QUESTION.search(tail[start:]) else 0.0
    return min(1.0, sign + (_MARK if words.rstrip().endswith("?") else 0.0))


def needed(needs: frozenset[str]) -> str:
    """The kind of a request that needs something; empty if it needs only words."""
    return next((need for need in ("images", "tools", "json") if need in needs), "")


def by_words(*, question: float, hard: int, code: int) -> tuple[float, ...]:
    """How much a prompt's words speak for each of `BY_WORDS`; the sum is 1."""
    signs = (_PLAIN, _ASKS * question, _HARD * min(hard, 2), _CODE * min(code, 2))
    total = sum(signs)
    return tuple(sign / total for sign in signs)


def weighed(words: Sequence[float], nearby: Sequence[float] | None) -> tuple[float, ...]:
    """The share of each of `BY_WORDS` by words and neighbourhood; the sum is 1.

    Words count the more, the more signs of a kind they hold.
    """
    if nearby is None:
        return tuple(round(share, 3) for share in words)
    signs = _PLAIN / words[0]
    shares = [signs * own + _NEARBY * near for own, near in zip(words, nearby, strict=True)]
    total = sum(shares)
    return tuple(round(share / total, 3) for share in shares)
