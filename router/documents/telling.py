"""Whether the words of a question tell that some documents are about it. Pure.

A word of everyday language is in any documents now and then: that "order" and "return" occur
somewhere says nothing about orders that were returned. Such a word tells something only where the
documents use it far more often than everyday language does. Any other word tells something if the
documents hold it at all, and so do two words that stand side by side here and there: `false nine`.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from router.documents.content_words import content_words

_LISTS = {"en": "common_en.txt", "es": "common_es.txt"}
_SHARE, _SHIFT = 0.1, 60.0  # a word of rank r is about the share _SHARE / (r + _SHIFT) of a text
_PASSAGE_WORDS = 40  # content words of a passage
_ENOUGH = 4.6  # log of 100: by chance, words would be so frequent once in a hundred stores
# A word that is so many times as frequent as in everyday language tells a little, or all it can.
_LITTLE_FROM, _ALL_FROM = 2.0, 5.0
_LITTLE = 2.0


def tells(counts: Mapping[str, int], passages: int, language: str = "en") -> bool:
    """Whether the words of a question show that documents are about it. `counts`: how many of so
    many passages hold each word."""
    ranks = _ranks(language)
    return (
        sum(
            _evidence(count, passages, ranks[word]) if word in ranks else _ENOUGH
            for word, count in counts.items()
            if count
        )
        >= _ENOUGH
    )


def pairs_of(words: Sequence[str]) -> list[tuple[str, str]]:
    """The words of a question that stand side by side, words without meaning left out."""
    return list(dict.fromkeys(pairwise(words)))


def hold_side_by_side(texts: Iterable[Sequence[str]], pairs: Sequence[tuple[str, str]]) -> bool:
    """Whether a text, given by its content words, holds one of the pairs."""
    wanted = set(pairs)
    return bool(wanted) and any(not wanted.isdisjoint(pairwise(words)) for words in texts)


def _evidence(count: int, passages: int, rank: int) -> float:
    """How surprising it is that so many passages hold an everyday word: minus the log of the
    chance, by Chernoff's bound for a Poisson distribution."""
    share = 1 - (1 - _SHARE / (rank + _SHIFT)) ** _PASSAGE_WORDS
    expected = share * max(passages, count)
    if count < _LITTLE_FROM * expected:
        return 0.0
    surprise = count * math.log(count / expected) - count + expected
    return surprise if count >= _ALL_FROM * expected else min(surprise, _LITTLE)


@lru_cache(maxsize=2)
def _ranks(language: str) -> Mapping[str, int]:
    """The rank of the base form of each everyday word."""
    lines = Path(__file__).with_name(_LISTS[language]).read_text("utf-8").splitlines()
    words = (word for line in lines if not line.startswith("#") for word in line.split())
    bases = (base for word in words for base in content_words(word, language) or [word])
    return {base: rank for rank, base in enumerate(dict.fromkeys(bases))}
