"""Names patterns by their telling words. Pure.

The learner sees no prompts. A router tells it a word of a pattern only if several different
requests of the pattern used the word (`routing/pattern_words.py`).
"""

from collections.abc import Iterable

from router.growth.pattern_book import KnownPattern
from router.request.patterns import bucket

_MOST_WORDS = 12  # kept for each pattern
_IN_NAME = 3


def most_telling(history: KnownPattern, more: Iterable[str]) -> tuple[str, ...]:
    """The most telling words of a pattern, among those that it has and some more. Of several forms
    of a word, the shortest stays."""
    centre = history.pattern.centre
    words: dict[int, str] = {}
    for word in sorted({*history.words, *more}, key=lambda word: (len(word), word)):
        words.setdefault(bucket(word), word)
    telling = sorted((b for b in words if b in centre), key=lambda b: (-centre[b], words[b]))
    return tuple(words[b] for b in telling[:_MOST_WORDS])


def name_of(id_: str, words: Iterable[str]) -> str:
    """The name of a pattern with these words; its id if it has none."""
    return " ".join(list(words)[:_IN_NAME]) or id_
