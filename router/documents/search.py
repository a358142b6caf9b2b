"""Finds the passages of a folder that answer a question, by meaning and by words.

hnswlib proposes passages by meaning, BM25 proposes passages by words. The search ranks all
proposals by their nearest sentences, their words and their headings. `answer_confidence` says how
sure an answer is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from router.documents.answer_confidence import PassageEvidence
from router.documents.chunking import Passage
from router.documents.content_words import content_words, covered
from router.documents.passage_index import PassageIndex
from router.documents.ranking import PROPOSED, Closeness, best_two, fused
from router.documents.telling import hold_side_by_side, pairs_of, tells
from router.encoding.encodes import Encodes

if TYPE_CHECKING:
    from router.encoding.encodes import Vectors

_CLAIMED_BY = 5  # nearest passages that `claim` looks at


class OtherEncoder(LookupError):
    """The index was made with another encoder than the encoder of the questions."""


@dataclass(frozen=True, slots=True)
class Hit:
    passage: Passage
    score: float
    confidence: float


class Expert:
    """One folder of documents that answers questions, from several threads at once."""

    def __init__(self, index: PassageIndex, encoder: Encodes) -> None:
        import bm25s
        import hnswlib

        if index.encoder != encoder.name:
            raise OtherEncoder("the index was made with another encoder")
        self.index = index
        self._encoder = encoder
        count = len(index.passages)
        self._graph: Any = hnswlib.Index(space="cosine", dim=encoder.dimensions)
        self._graph.init_index(max_elements=count, M=16, ef_construction=200, random_seed=1)
        self._graph.add_items(index.vectors, list(range(count)), num_threads=1)
        self._graph.set_ef(max(64, min(count, 2 * PROPOSED)))
        self._words: Any = bm25s.BM25()
        self._words.index([list(words) or ["-"] for words in index.words], show_progress=False)

    def ask(self, question: str, most: int = 3) -> list[Hit]:
        """The passages that answer the question best, the best first."""
        vector = self._encoder.encode([question])[0]
        words = content_words(question)
        proposals = self._proposals(vector, words)
        scored = sorted((-self._score(n, vector, words, rank), n) for n, rank in proposals.items())
        return [
            Hit(self.index.passages[n], -score, evidence(self.index, n, vector, words).confidence)
            for score, n in scored[:most]
        ]

    def _proposals(self, vector: "Vectors", words: Sequence[str]) -> dict[int, float]:
        """The proposed passages with their fused ranks; a passage in both lists ranks higher."""
        most = min(PROPOSED, len(self.index.passages))
        labels, _ = self._graph.knn_query(vector, k=most, num_threads=1)
        by_words: list[int] = []
        indexed = [word for word in words if word in self.index.weights]
        if indexed:
            scores = self._words.get_scores(indexed)
            best = sorted(range(len(scores)), key=lambda n: -scores[n])[:most]
            by_words = [n for n in best if scores[n] > 0]
        return fused(labels[0].tolist(), by_words)

    def _score(self, n: int, vector: "Vectors", words: Sequence[str], rank: float) -> float:
        first, second = _best_sentences(self.index, n, vector)
        heading = content_words(self.index.passages[n].heading)
        return Closeness(
            passage=float(self.index.vectors[n] @ vector),
            first=first,
            second=second,
            in_passage=covered(words, self.index.words[n], self.index.weights),
            in_heading=covered(words, heading, self.index.weights),
            fused=rank,
        ).score


def evidence(
    index: PassageIndex, n: int, vector: "Vectors", words: Sequence[str]
) -> PassageEvidence:
    """The evidence that passage n answers the question."""
    return PassageEvidence(
        similarity=max(float(index.vectors[n] @ vector), _best_sentences(index, n, vector)[0]),
        in_passage=covered(words, index.words[n], index.weights),
        in_documents=covered(words, index.weights, index.weights),
        to_background=float((index.background @ vector).max()),
    )


def _best_sentences(index: PassageIndex, n: int, vector: "Vectors") -> tuple[float, float]:
    """The similarities of the two nearest sentences of a passage; its heading is a sentence."""
    return best_two(index.sentences[index.owners == n], vector)


def claim(index: PassageIndex, vector: "Vectors", words: Sequence[str]) -> float:
    """The confidence that the documents answer a question, found without building an `Expert`; 0
    for a question whose words do not tell that the documents are about it."""
    holders = {word: index.holders.get(word, 0) for word in words}
    if not tells(holders, len(index.passages)) and not hold_side_by_side(
        index.words, pairs_of(words)
    ):
        return 0.0
    nearest = (index.vectors @ vector).argsort()[-_CLAIMED_BY:].tolist()
    return max(evidence(index, n, vector, words).confidence for n in nearest)
