"""Finds rows that hold a text of a benchmark or of the held-out rows: whole, changed a little, or
in other words.

A text is held by a row if most runs of three words of the text stand in the request or the answer,
and all of its numbers; or if the request is a near copy or a paraphrase of the text.

Not covered: texts of fewer than four words, unless a request is nothing else; translations.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from router.training.benchmark_files import HeldOut
from router.training.data_rows import DataRow
from router.training.meaning import LEAST_COSINE, Meaning
from router.training.minhash import in_common, meeting
from router.training.wording import (
    Wording,
    difference,
    familiar_words,
    numbers_of,
    runs_in,
    shingles,
    slips_alone,
    wordings,
    words_of,
)

if TYPE_CHECKING:
    from router.training.meaning import Vectors

_RUN = 3
_SHORT = 4  # a text of fewer words is held only by a request that is nothing else
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

    def __post_init__(self) -> None:
        self._own = wordings([row.text for row in self.rows])
        self._texts = wordings([each.text for each in self.held_out])

    def by_runs(self) -> None:
        texts_of: dict[int, list[int]] = {}
        runs = [runs_in(text.words, _RUN) for text in self._texts]
        whole: dict[tuple[str, ...], int] = {}
        for place, text in enumerate(self._texts):
            if len(text.words) >= _SHORT:
                for run in runs[place]:
                    texts_of.setdefault(run, []).append(place)
            elif text.words:
                whole.setdefault(text.words, place)
        for at, row in enumerate(self.rows):
            if (short := whole.get(self._own[at].words)) is not None:
                self._note(at, short, "held")
                continue
            for words in (row.text, *row.answers):
                place = _held(runs_in(words_of(words), _RUN), texts_of, runs)
                if place is not None and numbers_of(self._texts[place].text) <= numbers_of(words):
                    self._note(at, place, "held")
                    break

    def by_words(self) -> None:
        sets = [shingles(wording.words) for wording in (*self._texts, *self._own)]
        familiar = familiar_words([wording.words for wording in (*self._texts, *self._own)])
        count = len(self._texts)
        for text, row in meeting(sets):
            at = row - count
            if text >= count or at < 0 or at in self.leaks:
                continue
            if in_common(sets[text], sets[row]) < _WORTH_A_LOOK:
                continue
            first, second = self._texts[text], self._own[at]
            if numbers_of(first.text) == numbers_of(second.text) and slips_alone(
                difference(first.words, second.words), familiar
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


def _held(
    row: set[int], texts_of: Mapping[int, Sequence[int]], runs: Sequence[set[int]]
) -> int | None:
    """The text of which a row holds the largest part, if that is most of it."""
    counts = Counter(place for run in row for place in texts_of.get(run, ()))
    if not counts:
        return None
    place = max(counts, key=lambda each: (counts[each] / len(runs[each]), -each))
    return place if counts[place] >= _HELD * len(runs[place]) else None
