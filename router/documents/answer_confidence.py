"""How likely it is that a passage answers a question. Pure.

The evidence fails in different ways: the similarity of question and passage, the words that they
share, and the distance to questions that have nothing to do with the documents. The weights were
fitted by `experiments/plans` on questions about both shipped specialists and about other things.
"""

import math
from dataclasses import dataclass

WEIGHTS = (-16.6, 14.8, 4.7, 8.3, 17.2)  # in the order of `features`
_CLEAR_MARGIN = 0.15  # a larger margin is no better evidence
ENOUGH = 0.65  # confidence from which a passage is given as the answer


@dataclass(frozen=True, slots=True)
class PassageEvidence:
    similarity: float  # cosine of the question to the passage or to its nearest sentence
    in_passage: float  # share of the question's words, by rarity, that the passage has
    in_documents: float  # share of them that any passage has
    to_background: float  # cosine to the nearest of many unrelated questions

    @property
    def confidence(self) -> float:
        score = sum(w * f for w, f in zip(WEIGHTS, features(self), strict=True))
        return 1 / (1 + math.exp(-max(min(score, 30.0), -30.0)))


def features(evidence: PassageEvidence) -> tuple[float, ...]:
    margin = min(evidence.similarity - evidence.to_background, _CLEAR_MARGIN)
    return 1.0, evidence.similarity, evidence.in_passage, evidence.in_documents, margin
