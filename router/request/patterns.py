"""Patterns: requests that are alike in traffic, and the pattern that a request belongs to.

The learner finds patterns, and routers follow them: a pattern is a centre of weighed words and,
where requests have sentence vectors, a centre of meaning. A request belongs to the pattern that it
resembles most, if it resembles that pattern enough. The beginnings of words are hashed, and many
share a bucket, so the buckets in a row tell no word.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from math import sqrt
from typing import TYPE_CHECKING
from zlib import crc32

from router.domain import Reading
from router.request.marks import MOST_MARKS, marks
from router.request.plain import bare, folded
from router.request.terms import BUCKETS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

MOST_PATTERNS = 64
MOST_WORDS = 32  # different words of a request
MOST_TERMS = MOST_WORDS + MOST_MARKS
_BEFORE = 8  # of these, words of the conversation before the user's last message
_END = 8  # and words at the end of a long message, where often the question stands
_HEAD, _TAIL = 700, 200  # characters read of a message
_WORD, _ASCII_WORD = re.compile(r"[^\W\d_]{2,}"), re.compile(r"[a-z]{2,}")
_LONGEST = 24  # letters
_BEGINNING = 5  # letters of a word that are hashed
_NONE = -1
_COMMON_WORDS = """
the of and to in is it on at an as by be or if so my me we he she you your for are was that this
with from have has had not but can could would will do does did how what when where who which
there their they them our its am im been
der die das und ist nicht ein eine einen zu den dem mit von fur wie auf ich es im bitte
le la les des et est une un pour dans que qui pas sur avec du de en je vous
el los las una con del al por para como mas se lo su mi no si favor
il gli che di per non sono della os uma nao do da em het een van op voor met
"""
_COMMON = frozenset(_COMMON_WORDS.split())


@dataclass(frozen=True)
class Pattern:
    """Requests that are alike. `centre` weighs buckets of words and marks: for those that tell the
    requests of the pattern from others, or others from them. `meaning` does so for sentence vectors
    under a lens; empty: the pattern is one of words alone."""

    id: str  # such as `p7`; never given to another pattern
    name: str
    centre: Mapping[int, float]
    least: float  # how much a request must resemble it, by words alone
    meaning: tuple[float, ...] = ()
    least_meant: float = 1.0  # how much, by words and meaning together


@dataclass(frozen=True)
class Patterns:
    """The patterns of one moment, as the learner published them. A word of a request weighs as much
    as it is rare. To an encoder of one language, all requests of another language are alike: so
    meaning is counted from the middle of the request's own language."""

    version: int
    patterns: tuple[Pattern, ...] = ()
    rarity: Mapping[int, float] = field(default_factory=dict)
    rarest: float = 1.0  # the rarity of every other bucket
    lens: int = 0  # the lens through which `meaning` was seen
    middles: Mapping[str, tuple[float, ...]] = field(default_factory=dict)  # of each language

    def of(
        self, terms: Sequence[int], vector: Sequence[float] | None = None, language: str = ""
    ) -> str:
        """The id of the pattern that a request belongs to; empty if it belongs to none.

        `vector` is the request's meaning under the lens of these patterns.
        """
        if not self.patterns or not terms:
            return ""
        seen = self._by_bucket.take(terms, axis=0).sum(axis=0)
        over = seen[1:] / (sqrt(float(seen[0])) or 1.0)
        if vector is not None and len(self._meanings):
            over *= self._words_part
            over += self._meant(vector, language)
            over -= self._least_meant
        else:
            over -= self._least
        at = int(over.argmax())
        return self.patterns[at].id if over[at] >= 0 else ""

    def named(self, id_: str) -> Pattern | None:
        return next((pattern for pattern in self.patterns if pattern.id == id_), None)

    def _meant(self, vector: Sequence[float], language: str) -> "Matrix":
        """The part that meaning has in how much a request resembles each pattern."""
        import numpy as np

        seen = np.array(vector, dtype=np.float32)
        middle = self._middles.get(language)
        if middle is not None:
            seen -= middle
        meant: Matrix = self._meanings @ seen
        meant /= sqrt(float(seen @ seen)) or 1.0
        return meant

    @cached_property
    def _by_bucket(self) -> "Matrix":
        """A row for each bucket: its rarity squared, and its weight in each pattern."""
        import numpy as np

        table = np.zeros((BUCKETS, 1 + len(self.patterns)), dtype=np.float32)
        rarity = np.full(BUCKETS, self.rarest, dtype=np.float32)
        rarity[list(self.rarity)] = list(self.rarity.values())
        for at, pattern in enumerate(self.patterns, 1):
            table[list(pattern.centre), at] = list(pattern.centre.values())
        table *= rarity[:, None]
        table[:, 0] = rarity * rarity
        return table

    @cached_property
    def _least(self) -> "Matrix":
        import numpy as np

        return np.array([pattern.least for pattern in self.patterns], dtype=np.float32)

    @cached_property
    def _least_meant(self) -> "Matrix":
        import numpy as np

        return np.array(
            [p.least_meant if p.meaning else p.least for p in self.patterns], dtype=np.float32
        )

    @cached_property
    def _middles(self) -> "Mapping[str, Matrix]":
        import numpy as np

        return {name: np.array(each, dtype=np.float32) for name, each in self.middles.items()}

    @cached_property
    def _words_part(self) -> "Matrix":
        """The part of words in likeness: a half where a pattern has a meaning."""
        import numpy as np

        return np.array([0.5 if p.meaning else 1.0 for p in self.patterns], dtype=np.float32)

    @cached_property
    def _meanings(self) -> "Matrix":
        """Half of each pattern's meaning, and zeros for a pattern of words alone."""
        import numpy as np

        size = max((len(pattern.meaning) for pattern in self.patterns), default=0)
        if not size:
            return np.zeros((0, 0), dtype=np.float32)
        none = (0.0,) * size
        halves: Matrix = np.array([p.meaning or none for p in self.patterns], dtype=np.float32)
        halves /= 2
        return halves


def own_words(text: str) -> list[str]:
    """The different words of a message in their order, small and without accents.

    Common words are left out, and so is every number; of a long message, its beginning and its end
    are read.
    """
    return [word for word in _words(text) if bucket(word) != _NONE]


def own_terms(reading: Reading) -> tuple[int, ...]:
    """The buckets of a request's own words, at most 32: those of the user's last message first,
    then some of the conversation before it; and at last those of the marks in the message. A
    request without words of its own has no terms."""
    last = _buckets(reading.last_words)
    before: list[int] = []
    if len(reading.words) > len(reading.last_words) + 1:
        earlier = _buckets(reading.words[: _HEAD + _TAIL])
        before = [at for at in earlier if at not in last][:_BEFORE]
    room = MOST_WORDS - len(before)
    if len(last) > room:
        last = last[: room - _END] + last[-_END:]
    words = (*last, *before)
    return tuple(
        dict.fromkeys((*words, *sorted(marks(_read(reading.last_words))))) if words else ()
    )


def _buckets(text: str) -> list[int]:
    buckets = dict.fromkeys(map(bucket, _words(text)))
    buckets.pop(_NONE, None)
    return list(buckets)


def _words(text: str) -> list[str]:
    small = folded(bare(_read(text)))
    return (_ASCII_WORD if small.isascii() else _WORD).findall(small)


def _read(text: str) -> str:
    return text if len(text) <= _HEAD + _TAIL else f"{text[:_HEAD]} {text[-_TAIL:]}"


@lru_cache(maxsize=16_384)
def bucket(word: str) -> int:
    """The bucket of a word; -1 for a common word, and for a long one, which hardly comes again.

    Only the beginning of a word counts, so that its forms, and many misspellings, are one.
    """
    if word in _COMMON or len(word) > _LONGEST:
        return _NONE
    return crc32(word[:_BEGINNING].encode("utf-8", "replace")) % BUCKETS
