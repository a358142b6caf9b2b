"""Finds the rows of a data set that say the same twice: exactly, nearly, or in other words.

Of rows that are alike the best is kept: a demonstration before a judged answer, then the better
answer, then the later one. Each removed row is alike a row that is kept, not merely alike a row
that is removed too. Rows with different labels are never near copies of each other.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Literal

from router.training.answers import Answers
from router.training.data_rows import DataRow, counted
from router.training.labels import Labels, labels_in
from router.training.meaning import LEAST_COSINE_IF_AGREED, Meaning, nearest
from router.training.minhash import in_common, meeting
from router.training.slips import Vocabulary, slips_alone, vocabulary_of
from router.training.wording import (
    Wording,
    normal,
    numbers_of,
    one_frame,
    shingles,
    wordings,
    words_of,
)

if TYPE_CHECKING:
    from router.training.meaning import Vectors

Alike = Literal["exact", "near", "paraphrase"]
_WORTH_A_LOOK = 0.4  # the share of shingles in common of two rows that may be near copies
_NEAR = 0.6  # the same, of rows that are called near copies if they also mean the same
_CROWD = 50  # rows with one answer, of which all pairs are looked at
_MOST_JUDGED = 20_000  # pairs that the verifier reads: each takes milliseconds
_RANK = {"demonstration": 2, "pair": 1, "judged": 0}
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Removal:
    """A row that is not in the data set, because a row that is kept says the same."""

    id: str
    of: str  # the id of the row that is kept
    kind: Alike


@dataclass(frozen=True, slots=True)
class Distinct:
    """Rows without duplicates, in the order of time, with the vectors of their own words."""

    rows: tuple[DataRow, ...]
    vectors: "Vectors | None"
    removed: tuple[Removal, ...]
    contradictions: int = 0  # exact duplicates whose label was another than the kept row's
    unjudged_pairs: int = 0  # pairs that might be paraphrases, and were too many to be judged

    @property
    def by_kind(self) -> Mapping[str, int]:
        return counted(removal.kind for removal in self.removed)


def distinct(
    rows: Sequence[DataRow],
    meaning: Meaning | None,
    progress: Progress = lambda _: None,
    labels: Labels | None = None,
) -> Distinct:
    """`labels`: what the answers mean; without it, it is read from the rows."""
    ranked = sorted(rows, key=lambda row: (-_RANK[row.source], -row.quality, -row.ts, row.id))
    labels = labels_in(ranked) if labels is None else labels
    different, exact, contradictions = _without_copies(ranked, labels)
    search = _Search(different, labels, meaning, progress, _exact_pairs(ranked, exact))
    kept, removed = search.result()
    kept.sort(key=lambda place: (different[place].ts, different[place].id))
    vectors = search.vectors[kept] if search.vectors is not None else None
    rows = tuple(different[place] for place in kept)
    return Distinct(rows, vectors, (*exact, *removed), contradictions, search.unjudged)


def _without_copies(
    ranked: Sequence[DataRow], labels: Labels
) -> tuple[list[DataRow], list[Removal], int]:
    first: dict[str, DataRow] = {}
    removed, contradictions = list[Removal](), 0
    for row in ranked:
        kept = first.setdefault(normal(row.text), row)
        if kept is not row:
            removed.append(Removal(row.id, kept.id, "exact"))
            contradictions += labels.contradict(kept.answer, row.answer)
    return list(first.values()), removed, contradictions


def _instructions(row: DataRow) -> tuple[str, ...]:
    """The words of a row's system messages: other instructions make another request."""
    return words_of(" ".join(m.content for m in row.messages if m.role in ("system", "developer")))


def _exact_pairs(rows: Sequence[DataRow], exact: Sequence[Removal]) -> list[tuple[str, str]]:
    """The answers of exact copies."""
    answers = {row.id: row.answer for row in rows}
    return [(answers[removal.id], answers[removal.of]) for removal in exact]


@dataclass
class _Search:
    """Looks for rows that are alike among rows in the order in which they are to be kept."""

    rows: Sequence[DataRow]
    labels: Labels
    meaning: Meaning | None
    progress: Progress
    exact: Sequence[tuple[str, str]]  # the answers of exact copies, which were removed before
    unjudged: int = 0
    vectors: "Vectors | None" = None
    _wordings: list[Wording] = field(default_factory=list)
    _instructions: list[tuple[str, ...]] = field(default_factory=list)
    _sets: list[frozenset[int]] = field(default_factory=list)
    _vocabulary: Vocabulary = field(default_factory=lambda: Vocabulary({}))
    _answers: Answers = field(default_factory=lambda: Answers(()))
    _kinds: dict[tuple[int, int], Alike | None] = field(default_factory=dict)

    def result(self) -> tuple[list[int], list[Removal]]:
        self.progress(f"comparing {len(self.rows):,} rows word by word")
        self._wordings = wordings([row.text for row in self.rows])
        self._vocabulary = vocabulary_of(wording.words for wording in self._wordings)
        self._instructions = [_instructions(row) for row in self.rows]
        self._sets = [shingles(wording.words) for wording in self._wordings]
        if self.meaning is not None:
            self.progress(f"reading the meaning of {len(self.rows):,} rows")
            self.vectors = self.meaning.encoder.encode([w.text for w in self._wordings])
        by_words = [pair for pair in meeting(self._sets) if self._in_common(*pair) >= _WORTH_A_LOOK]
        self._read_answers([pair for pair in by_words if self._is_slip(*pair)])
        alike: dict[int, list[int]] = {}
        for earlier, later in self._pairs(by_words):
            if self._kind(earlier, later) is not None:
                alike.setdefault(later, []).append(earlier)
        return self._kept(alike)

    def _read_answers(self, slips: Sequence[tuple[int, int]]) -> None:
        """See by the sure copies whether answers tell anything."""
        texts = [row.answer for row in self.rows]
        self._answers = Answers(texts)
        self._answers.learn([*self.exact, *((texts[a], texts[b]) for a, b in slips)])

    def _pairs(self, by_words: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        """Pairs of rows that may be alike; only the likest are judged if there are very many."""
        if self.vectors is None:
            return list(by_words)
        seen = set(by_words)
        by_meaning = {(a, b): cosine for a, b, cosine in nearest(self.vectors)}
        for first, second in self._with_one_answer():
            cosine = float(self.vectors[first] @ self.vectors[second])
            if cosine >= LEAST_COSINE_IF_AGREED:
                by_meaning[first, second] = cosine
        ranked = sorted(by_meaning.keys() - seen, key=lambda pair: (-by_meaning[pair], pair))
        self.unjudged = max(len(ranked) - _MOST_JUDGED, 0)
        pairs = [*by_words, *ranked[:_MOST_JUDGED]]
        self.progress(f"judging {len(pairs):,} pairs that may say the same")
        return pairs

    def _with_one_answer(self) -> Iterator[tuple[int, int]]:
        for group in self._answers.alike():
            yield from combinations(group[:_CROWD], 2)

    def _kept(self, alike: Mapping[int, Sequence[int]]) -> tuple[list[int], list[Removal]]:
        kept, removed = list[int](), list[Removal]()
        stands_for: dict[int, int] = {}  # the kept row of each row so far
        for place, row in enumerate(self.rows):
            reached = {stands_for[other] for other in alike.get(place, ())}
            same = next((o for o in sorted(reached) if self._kind(o, place) is not None), None)
            if same is None:
                kept.append(place)
                stands_for[place] = place
                continue
            stands_for[place] = same
            kind = self._kinds[same, place]
            assert kind is not None
            removed.append(Removal(row.id, self.rows[same].id, kind))
        return kept, removed

    def _kind(self, earlier: int, later: int) -> Alike | None:
        """In which way two rows are alike, if they are."""
        if (earlier, later) not in self._kinds:
            self._kinds[earlier, later] = self._judged(earlier, later)
        return self._kinds[earlier, later]

    def _judged(self, earlier: int, later: int) -> Alike | None:
        first, second = self._wordings[earlier], self._wordings[later]
        if self._instructions[earlier] != self._instructions[later]:
            return None
        if self.labels.contradict(self.rows[earlier].answer, self.rows[later].answer):
            return None
        if self._is_slip(earlier, later):
            return "near"
        if not one_frame(first, second):
            return None
        if self.meaning is None or self.vectors is None:
            return None
        cosine = float(self.vectors[earlier] @ self.vectors[later])
        shared = {*first.words} & {*second.words}
        surprise = self._answers.surprise(earlier, later, shared)
        if not self.meaning.same(first.text, second.text, cosine, surprise):
            return None
        return "near" if self._in_common(earlier, later) >= _NEAR else "paraphrase"

    def _is_slip(self, earlier: int, later: int) -> bool:
        """Whether the own words, or all words, of two rows differ in slips alone."""
        own = self._wordings[earlier].text, self._wordings[later].text
        if numbers_of(own[0]) != numbers_of(own[1]):
            return False
        whole = self.rows[earlier].text, self.rows[later].text
        return slips_alone(*own, self._vocabulary) or (
            own != whole and slips_alone(*whole, self._vocabulary)
        )

    def _in_common(self, earlier: int, later: int) -> float:
        return in_common(self._sets[earlier], self._sets[later])
