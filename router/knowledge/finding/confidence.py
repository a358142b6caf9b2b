"""How likely it is that a passage of a store answers a question. Pure.

The weights were fitted to questions of people who have not seen the code, on two English stores and
a Spanish one, and to questions about other things. Not covered: a question about the very subject
of a passage that the passage leaves open; its confidence is too high.
"""

import math
from dataclasses import dataclass

WEIGHTS = (-4.6, 1.73, 1.72, 6.64, 5.38)  # weights of the values that `features` returns
_CLEAR_MARGIN = 0.3  # a larger margin over unrelated questions counts no more than this
_CLEAR_LEAD = 0.5  # a larger lead over the next passage counts no more than this


@dataclass(frozen=True, slots=True)
class Evidence:
    similarity: float  # cosine of the question to the passage or to its nearest sentence, if larger
    in_source: float  # share of the question's words, weighted by rarity, that the source holds
    to_background: float  # cosine of the question to the nearest unrelated question
    lead: float  # how far the passage's score is above the next one's

    @property
    def features(self) -> tuple[float, ...]:
        margin = min(self.similarity - self.to_background, _CLEAR_MARGIN)
        return 1.0, self.similarity, self.in_source, margin, min(self.lead, _CLEAR_LEAD)

    @property
    def confidence(self) -> float:
        score = sum(w * f for w, f in zip(WEIGHTS, self.features, strict=True))
        return 1 / (1 + math.exp(-max(min(score, 30.0), -30.0)))
