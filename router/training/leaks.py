"""Finds rows that hold a text of a benchmark or of the held-out rows: whole, changed a little, or
in other words.

A text is held by a row if most runs of three words of the text stand in the request or the answer,
with all of its numbers and, misspellings aside, all of its words; or if the request is a near copy
or a paraphrase of the text.

Not covered: texts of fewer than four words, unless a message is nothing else; translations.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from router.training.benchmark_files import HeldOut
from router.training.data_rows import DataRow
from router.training.meaning import LEAST_COSINE, Meaning
from router.training.minhash import in_common, meeting
from router.training.slips import Vocabulary, slips_alone, vocabulary_of
from router.training.wording import (
    Wording,
    numbers_of,
    runs_in,
    shingles,
    wordings,
    words_of,
)

if TYPE_CHECKING:
    from router.training.meaning import Vectors

_RUN = 3
_SHORT = 4  # a text of fewer words is held only by a message that is nothing else
_GRAMMAR = frozenset(("a", "an", "and", "are", "but", "is", "it", "its", "of", "or", "so", "the"))
_HELD = 0.6  # the share of a text's runs that a row holds
_WORTH_A_LOOK = 0.4
_NEAREST = 4  # rows that are compared with each text by meaning
_BLOCK = 1024


@dataclass(frozen=True, slots=True)
class Leak:
    """A row that is not for training, and the place of the text that it holds."""

    id: str
    place: str
    kind: Literal["held", "near", "paraphrase"]


def leaks(
    rows: Sequence[DataRow],
    vectors: "Vectors | None",
    held_out: Sequence[HeldOut],
    meaning: Meaning | None,
) -> list[Leak]:
    """The rows that hold one of these texts, each row once."""
    if not rows or not held_out:
        return []
    search = _Search(rows, held_out, vectors, meaning)
    search.by_runs()
    search.by_words()
    search.by_meaning()
    return [search.leaks[place] for place in sorted(search.leaks)]


@dataclass
class _Search:
    rows: Sequence[DataRow]
    held_out: Sequence[HeldOut]
    vectors: "Vectors | None"
    meaning: Meaning | None
    leaks: dict[int, Leak] = field(default_factory=dict)
    _own: list[Wording] = field(default_factory=list)  # of the rows
    _texts: list[Wording] = field(default_factory=list)  # held out
    _words: list[tuple[str, ...]] = field(default_factory=list)  # of the held out texts, all
    _vocabulary: Vocabulary = field(default_factory=lambda: Vocabulary({}))

    def __post_init__(self) -> None:
        self._own = wordings([row.text for row in self.rows])
        self._texts = wordings([each.text for each in self.held_out])
        self._words = [words_of(each.text) for each in self.held_out]
        self._vocabulary = vocabulary_of([*self._words, *(words_of(r.text) for r in self.rows)])

    def by_runs(self) -> None:
        whole = {words: place for place, words in enumerate(self._words) if words}
        runs = [runs_in(words, _RUN) for words in self._words]
        texts_of: dict[int, list[int]] = {}
        for place, own in enumerate(runs):
            for run in own if len(self._words[place]) >= _SHORT else ():
                texts_of.setdefault(run, []).append(place)
        for at, row in enumerate(self.rows):
            place = next(
                (whole[w] for m in row.messages if (w := words_of(m.content)) in whole), -1
            )
            for text in (row.text, *row.answers):
                if place < 0:
                    place = self._held_by(text, texts_of, runs)
            if place >= 0:
                self._note(at, place, "held")

    def _held_by(
        self, text: str, texts_of: Mapping[int, Sequence[int]], runs: Sequence[set[int]]
    ) -> int:
        """The place of a text that these words hold, but for slips; -1 if there is none."""
        words = words_of(text)
        counts = Counter(at for run in runs_in(words, _RUN) for at in texts_of.get(run, ()))
        likely = [place for place, n in counts.items() if n >= _HELD * len(runs[place])]
        likely.sort(key=lambda place: (-counts[place] / len(runs[place]), place))
        used = frozenset(words)
        for place in likely:
            if not numbers_of(self.held_out[place].text) <= numbers_of(text):
                continue
            lacking = set(self._words[place]) - used
            if all(self._is_slip(word, used) for word in lacking):
                return place
        return -1

    def _is_slip(self, word: str, used: Collection[str]) -> bool:
        """Whether a word adds nothing, or stands among these words misspelt."""
        return word in _GRAMMAR or any(
            not self._vocabulary.knows(w) and self._vocabulary.misspelt(word, w) for w in used
        )

    def by_words(self) -> None:
        sets = [shingles(wording.words) for wording in (*self._texts, *self._own)]
        count = len(self._texts)
        for text, row in meeting(sets):
            at = row - count
            if text >= count or at < 0 or at in self.leaks:
                continue
            if in_common(sets[text], sets[row]) < _WORTH_A_LOOK:
                continue
            first, second = self._texts[text], self._own[at]
            if numbers_of(first.text) == numbers_of(second.text) and slips_alone(
                first.text, second.text, self._vocabulary
            ):
                self._note(at, text, "near")

    def by_meaning(self) -> None:
        import numpy as np

        if self.meaning is None or self.vectors is None:
            return
        for start in range(0, len(self._texts), _BLOCK):
            block = self._texts[start : start + _BLOCK]
            vectors = self.meaning.encoder.encode([text.text for text in block])
            for text, cosines in enumerate(vectors @ self.vectors.T, start):
                count = min(_NEAREST, len(cosines))
                for at in np.argpartition(cosines, -count)[-count:].tolist():
                    cosine = float(cosines[at])
                    if at in self.leaks or cosine < LEAST_COSINE:
                        continue
                    if self.meaning.same(self._texts[text].text, self._own[at].text, cosine):
                        self._note(at, text, "paraphrase")

    def _note(self, at: int, text: int, kind: Literal["held", "near", "paraphrase"]) -> None:
        self.leaks.setdefault(at, Leak(self.rows[at].id, self.held_out[text].place, kind))
