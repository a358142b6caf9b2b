"""Other words for the words of a question: what the source spells otherwise, and calls otherwise.

A word that no passage holds is looked up among the words of the passages: a slip of the keyboard or
of the ear (`livros`, `finalty`) finds the word that was meant. A short list of everyday synonyms
covers what a person says and a document does not.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

from router.documents.content_words import content_words
from router.documents.languages import ENGLISH, SPANISH

_LISTS = {ENGLISH: "synonyms_en.txt", SPANISH: "synonyms_es.txt"}
_SHORTEST = 5  # letters of a word that may be misspelled
_MOST_SPELLINGS = 3
# Letters that sound alike in Spanish, and are confused in writing.
_SOUNDS = str.maketrans({"v": "b", "z": "s", "c": "s", "q": "k", "y": "i"})


@lru_cache(maxsize=2)
def synonyms(language: str) -> dict[str, tuple[str, ...]]:
    """For the base form of a word, the base forms of its synonyms."""
    groups: dict[str, set[str]] = {}
    for line in Path(__file__).with_name(_LISTS[language]).read_text("utf-8").splitlines():
        if line.startswith("#"):
            continue
        words = {base for word in line.split() for base in content_words(word, language)[:1]}
        for word in words:
            groups.setdefault(word, set()).update(words - {word})
    return {word: tuple(sorted(others)) for word, others in groups.items()}


def respelled(
    word: str, language: str, vocabulary: Callable[[str], Sequence[str]]
) -> tuple[str, ...]:
    """The base forms of words of the source that a misspelled word may have been."""
    if len(word) < _SHORTEST or not word.isalpha():
        return ()
    beginnings = dict.fromkeys((word[:2], word[0] + word[2], word[1::-1]))
    near: dict[str, int] = {}
    for beginning in beginnings:
        for base in vocabulary(beginning):
            distance = _distance(word, base)
            if language == SPANISH and _sound(word) == _sound(base):
                distance = 0
            if distance <= 1 and len(base) >= _SHORTEST - 1:
                near[base] = min(distance, near.get(base, 2))
    best = sorted(near, key=lambda base: (near[base], base))
    return tuple(best[:_MOST_SPELLINGS])


def _sound(word: str) -> str:
    return word.replace("h", "").translate(_SOUNDS).replace("ll", "i")


def _distance(first: str, second: str) -> int:
    """0 for equal words, 1 for one letter more, less, other or swapped with the next, else 2."""
    if first == second:
        return 0
    if abs(len(first) - len(second)) > 1:
        return 2
    n = 0
    while n < min(len(first), len(second)) and first[n] == second[n]:
        n += 1
    a, b = first[n:], second[n:]
    swapped = len(a) > 1 and a[:2] == b[1::-1] and a[2:] == b[2:] and len(b) > 1
    return 1 if a[1:] == b[1:] or a[1:] == b or a == b[1:] or swapped else 2
