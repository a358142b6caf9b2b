"""The words that say what a question or a document is about. Pure."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain

from router.documents import spanish
from router.request.stemming import stem

_WORD = re.compile(r"[a-z0-9]+(?:[-'’][a-z0-9]+)*", re.I)
STOP = frozenset(
    "a about after all also am an and any are as at be because been before being but by can could "
    "did do does doing for from get gets give given gives go goes had has have having he her here "
    "him his how i if in into is it its just like made make makes many may me might mine more most "
    "much must my no not of on one only or other our out over own said same say says she should so "
    "some such take takes tell than that the their them then there these they thing things this "
    "those to too under up us use used uses very was way we were what when where which while who "
    "whom whose why will with without would you your called call calls mean means explain describe "
    "please happen happens happened work works name kind kinds let lets between during each every "
    "first last long need needs needed people person someone somebody something anything anyone "
    "everybody big difference define definition term know known best".split()
)


def content_words(text: str, language: str = "en") -> list[str]:
    """The base forms of the words in an English or Spanish (`es`) text, in order, without stop
    words. All words lose their accents."""
    folded = spanish.folded(text)
    if language == "es":
        bases = map(_spanish_bases, _WORD.findall(folded))
    else:
        bases = map(_english_bases, _WORD.findall(folded.replace("’", "'")))
    return list(chain.from_iterable(bases))


@lru_cache(maxsize=131_072)  # most words of a store come again and again
def _english_bases(written: str) -> tuple[str, ...]:
    """The base form of a folded word, and those of its parts if it has a hyphen."""
    word = written.removesuffix("'s")
    parts = dict.fromkeys((word, *word.split("-")))
    return tuple(stem(part) for part in parts if _telling(part, STOP))


@lru_cache(maxsize=131_072)
def _spanish_bases(word: str) -> tuple[str, ...]:
    return (spanish.stem(word),) if _telling(word, spanish.STOP) else ()


def _telling(word: str, stop: frozenset[str]) -> bool:
    return word not in stop and (len(word) > 1 or word.isdigit())


def rarity(texts: Sequence[Iterable[str]]) -> dict[str, float]:
    """The weight of each word: the fewer texts contain the word, the larger its weight."""
    counts = Counter(word for text in texts for word in set(text))
    return {word: math.log(1 + (len(texts) - n + 0.5) / (n + 0.5)) for word, n in counts.items()}


_LEAST_WEIGHT = 1.2  # least weight of a question, in rarest words; a short question covers little


def covered(question: Sequence[str], words: Iterable[str], weights: Mapping[str, float]) -> float:
    """The share of a question's words that are among `words`, by weight.

    A word that is in no document weighs as much as the rarest word: it suggests that the documents
    do not cover the question.
    """
    if not question:
        return 0.0
    rarest = max(weights.values(), default=1.0)
    present = set(words)
    whole = max(sum(weights.get(word, rarest) for word in question), _LEAST_WEIGHT * rarest)
    return sum(weights.get(word, rarest) for word in question if word in present) / whole
