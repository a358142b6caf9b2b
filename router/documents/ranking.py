"""How passages are proposed and ranked for a question, wherever they are kept. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from router.encoding.encodes import Vectors

PROPOSED = 24  # passages by meaning, and as many by words
_FUSION = 60.0  # the constant of reciprocal rank fusion


@dataclass(frozen=True, slots=True)
class Closeness:
    """How near a passage is to a question, by meaning and by words."""

    passage: float  # cosine of the question to the whole passage
    first: float  # cosine to the nearest sentence; a heading is a sentence
    second: float  # cosine to the second nearest sentence
    in_passage: float  # share of the question's words, weighted by rarity, in the passage
    in_heading: float  # the same share in the passage's own heading
    fused: float  # the fused rank among the proposals

    @property
    def score(self) -> float:
        similarity = 0.5 * self.passage + 1.75 * self.first + 0.25 * self.second
        return similarity + 0.3 * self.in_passage + 0.15 * self.in_heading + 8.0 * self.fused


def fused(*rankings: Iterable[int]) -> dict[int, float]:
    """Reciprocal rank fusion: a passage in several rankings ranks higher."""
    ranks: dict[int, float] = {}
    for ranking in rankings:
        for rank, n in enumerate(ranking):
            ranks[n] = ranks.get(n, 0.0) + 1 / (_FUSION + rank)
    return ranks


def best_two(sentences: "Vectors", vector: "Vectors") -> tuple[float, float]:
    """The similarities of a question to the two nearest sentences of a passage."""
    own: Sequence[float] = sorted((sentences @ vector).tolist(), reverse=True)
    first = own[0] if own else 0.0
    return first, own[1] if len(own) > 1 else first
