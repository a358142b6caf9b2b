"""How likely it is that a passage of a store answers a question. Pure.

The weights were fitted to questions of people who have not seen the code, on two English stores and
a Spanish one, and to questions about other things. The universal encoder has smaller cosines, so it
has weights of its own: those of the packaged one, stretched to its spread, and a constant that two
English stores gave. Not covered: a question about the very subject of a passage that the passage
leaves open; its confidence is too high.
"""

import math
from dataclasses import dataclass

from router.encoding.universal import FAMILY

# Weights of the values that `features` returns.
WEIGHTS = (-4.6, 1.73, 1.72, 6.64, 5.38)
UNIVERSAL_WEIGHTS = (-4.0, 2.2, 1.72, 8.8, 5.38)
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

    def confidence(self, encoder: str) -> float:
        """By the weights of the encoder of this name."""
        weights = UNIVERSAL_WEIGHTS if encoder.startswith(FAMILY) else WEIGHTS
        score = sum(w * f for w, f in zip(weights, self.features, strict=True))
        return 1 / (1 + math.exp(-max(min(score, 30.0), -30.0)))
