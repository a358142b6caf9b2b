"""How likely it is that a passage answers a question. Pure.

Three kinds of evidence fail in different ways: the similarity of question and passage, the words
that both share, and the distance to unrelated questions. `experiments/plans` fitted the weights on
questions about both shipped specialists and about other things.
"""

import math
from dataclasses import dataclass

WEIGHTS = (-16.6, 14.8, 4.7, 8.3, 17.2)  # weights of the values that `features` returns
_CLEAR_MARGIN = 0.15  # a larger margin over unrelated questions counts no more than this
ENOUGH = 0.65  # least confidence of a passage that is given as the answer


@dataclass(frozen=True, slots=True)
class PassageEvidence:
    similarity: float  # cosine of the question to the passage or to its nearest sentence, if larger
    in_passage: float  # share of the question's words, weighted by rarity, in the passage
    in_documents: float  # the same share in all passages together
    to_background: float  # cosine of the question to the nearest unrelated question

    @property
    def confidence(self) -> float:
        score = sum(w * f for w, f in zip(WEIGHTS, features(self), strict=True))
        return 1 / (1 + math.exp(-max(min(score, 30.0), -30.0)))


def features(evidence: PassageEvidence) -> tuple[float, ...]:
    margin = min(evidence.similarity - evidence.to_background, _CLEAR_MARGIN)
    return 1.0, evidence.similarity, evidence.in_passage, evidence.in_documents, margin
