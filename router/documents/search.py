"""Finding the passage that answers: by meaning and by words, fused, then read more closely.

hnswlib nominates by meaning and BM25 by words; what either found is ranked anew by its nearest
sentence, its words and its heading. How sure we are is `confidence`'s to say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from router.documents.answer_confidence import PassageEvidence
from router.documents.chunking import Passage
from router.documents.content_words import content_words, covered
from router.documents.passage_index import PassageIndex
from router.encoding.encodes import Encodes

if TYPE_CHECKING:
    from router.encoding.encodes import Vectors

_NOMINATED = 24
_FUSED = 60.0  # the constant of reciprocal rank fusion


@dataclass(frozen=True, slots=True)
class Hit:
    passage: Passage
    score: float
    confidence: float


class Expert:
    """One folder of documents, ready to be asked. Two threads may ask at once; nothing is added."""

    def __init__(self, index: PassageIndex, encoder: Encodes) -> None:
        import bm25s
        import hnswlib

        if index.encoder != encoder.name:
            raise LookupError("the index was made with another encoder")
        self.index = index
        self._encoder = encoder
        count = len(index.passages)
        self._near: Any = hnswlib.Index(space="cosine", dim=encoder.dimensions)
        self._near.init_index(max_elements=count, M=16, ef_construction=200, random_seed=1)
        self._near.add_items(index.vectors, list(range(count)), num_threads=1)
        self._near.set_ef(max(64, min(count, 2 * _NOMINATED)))
        self._words: Any = bm25s.BM25()
        self._words.index([list(words) or ["-"] for words in index.words], show_progress=False)

    def ask(self, question: str, most: int = 3) -> list[Hit]:
        """The passages that answer best, the best first."""
        vector = self._encoder.encode([question])[0]
        words = content_words(question)
        nominated = self._nominated(vector, words)
        scored = sorted(
            ((self._score(n, vector, words, rank), n) for n, rank in nominated.items()),
            key=lambda one: (-one[0], one[1]),
        )
        return [
            Hit(self.index.passages[n], score, evidence(self.index, n, vector, words).confidence)
            for score, n in scored[:most]
        ]

    def _nominated(self, vector: "Vectors", words: Sequence[str]) -> dict[int, float]:
        """By reciprocal rank over both lists: what both name goes first."""
        most = min(_NOMINATED, len(self.index.passages))
        labels, _ = self._near.knn_query(vector, k=most, num_threads=1)
        ranks: dict[int, float] = {}
        for rank, label in enumerate(labels[0].tolist()):
            ranks[label] = 1 / (_FUSED + rank)
        known = [word for word in words if word in self.index.weights]
        if known:
            scores = self._words.get_scores(known)
            best = sorted(range(len(scores)), key=lambda n: -scores[n])[:most]
            for rank, n in enumerate(n for n in best if scores[n] > 0):
                ranks[n] = ranks.get(n, 0.0) + 1 / (_FUSED + rank)
        return ranks

    def _score(self, n: int, vector: "Vectors", words: Sequence[str], rank: float) -> float:
        likeness = float(self.index.vectors[n] @ vector)
        first, second = _best_sentences(self.index, n, vector)
        said = covered(words, self.index.words[n], self.index.weights)
        heading = content_words(self.index.passages[n].title.rpartition(" › ")[2])
        title = covered(words, heading, self.index.weights)
        near = 0.5 * likeness + 1.75 * first + 0.25 * second
        return near + 0.3 * said + 0.15 * title + 8.0 * rank


def evidence(
    index: PassageIndex, n: int, vector: "Vectors", words: Sequence[str]
) -> PassageEvidence:
    likeness = max(float(index.vectors[n] @ vector), _best_sentences(index, n, vector)[0])
    said = covered(words, index.words[n], index.weights)
    known = covered(words, index.weights, index.weights)
    return PassageEvidence(likeness, said, known, float((index.background @ vector).max()))


def _best_sentences(index: PassageIndex, n: int, vector: "Vectors") -> tuple[float, float]:
    """Likeness of the two nearest lines of a passage, its heading among them."""
    own = sorted((index.sentences[index.owners == n] @ vector).tolist(), reverse=True)
    first = own[0] if own else 0.0
    return first, own[1] if len(own) > 1 else first


def claim(index: PassageIndex, vector: "Vectors", words: Sequence[str]) -> float:
    """How sure the documents answer it, without the indexes: for who only has to decide."""
    if not len(index.passages):
        return 0.0
    likeness = index.vectors @ vector
    candidates = likeness.argsort()[-5:].tolist()
    return max(evidence(index, n, vector, words).confidence for n in candidates)
