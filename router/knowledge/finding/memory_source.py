"""Passages in memory as a source: for tests, for measurements, and for folders without a store."""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from router.documents.languages import SPANISH, language_of
from router.documents.telling import hold_side_by_side
from router.knowledge.finding.source import StoredPassage
from router.knowledge.finding.where import Where

if TYPE_CHECKING:
    from router.encoding.encodes import Vectors

_SATURATION, _LENGTH = 1.2, 0.75  # BM25


class PassagesInMemory:
    """A list of passages that is searched whole."""

    def __init__(self, passages: Iterable[StoredPassage]) -> None:
        import numpy as np

        self._passages = {passage.number: passage for passage in passages}
        self._numbers = list(self._passages)
        self._vectors = np.array([p.vector for p in self._passages.values()], dtype=np.float32)
        self._words = {
            number: Counter(p.words(language_of(f"{p.heading} {p.text}")))
            for number, p in self._passages.items()
        }
        self._holders = Counter(word for counts in self._words.values() for word in counts)
        lengths = [sum(counts.values()) for counts in self._words.values()]
        self._mean = sum(lengths) / max(len(lengths), 1)
        spanish = sum(language_of(p.text) == SPANISH for p in self._passages.values())
        self.language = SPANISH if 2 * spanish > len(self._passages) else "en"

    def size(self) -> int:
        return len(self._passages)

    def admitted(self, where: Where) -> Collection[int] | None:
        if where.open:
            return None
        return {n for n, passage in self._passages.items() if where.admits(passage.metadata)}

    def by_words(self, words: Sequence[str], most: int, among: Collection[int] | None) -> list[int]:
        scores: Counter[int] = Counter()
        for word, holding in zip(words, self.holding(words), strict=True):
            rarity = math.log(1 + (len(self._passages) - holding + 0.5) / (holding + 0.5))
            for number in self._numbers if among is None else among:
                counts = self._words[number]
                times = counts[word]
                if times:
                    long = 1 - _LENGTH + _LENGTH * sum(counts.values()) / self._mean
                    share = times * (_SATURATION + 1) / (times + _SATURATION * long)
                    scores[number] += rarity * share  # type: ignore[assignment]
        return sorted(scores, key=lambda number: (-scores[number], number))[:most]

    def by_meaning(self, vector: "Vectors", most: int, among: Collection[int] | None) -> list[int]:
        if not self._numbers:
            return []
        order = (-(self._vectors @ vector)).argsort(kind="stable").tolist()
        nearest = (self._numbers[n] for n in order)
        return [n for n in nearest if among is None or n in among][:most]

    def read(self, numbers: Sequence[int]) -> list[StoredPassage]:
        return [self._passages[n] for n in numbers if n in self._passages]

    def holding(self, words: Sequence[str]) -> list[int]:
        return [self._holders[word] for word in words]

    def holds_side_by_side(self, pairs: Sequence[tuple[str, str]]) -> bool:
        texts = (passage.words(self.language) for passage in self._passages.values())
        return hold_side_by_side(texts, pairs)

    def vocabulary(self, beginning: str) -> list[str]:
        return [word for word in self._holders if word.startswith(beginning)]
