"""How likely it is that the documents answer a question. Pure.

The likelihood comes from evidence that fails differently: how near the question's vector lies to a
passage, and to things that these documents are not about; and how much of what the question speaks
of the passage speaks of. The weights
were fitted by `experiments/plans` on questions of both shipped specialists and on others, each
specialist judged with the weights fitted without it.
"""

import math
from dataclasses import dataclass

# Of: one, likeness, said in the passage, known to the documents, nearer than to anything else.
WEIGHTS = (-16.6, 14.8, 4.7, 8.3, 17.2)
_CLEAR = 0.15  # nearer by more than that is not surer
ENOUGH = 0.65  # to speak for a question; below it the documents are said to hold no answer


@dataclass(frozen=True, slots=True)
class PassageEvidence:
    likeness: float  # cosine to the best passage or sentence
    said: float  # share of the question's content words, by rarity, that the passage has
    known: float  # share of them that any document has
    elsewhere: float  # cosine to the nearest of many things that people ask about

    @property
    def confidence(self) -> float:
        score = sum(w * f for w, f in zip(WEIGHTS, features(self), strict=True))
        return 1 / (1 + math.exp(-max(min(score, 30.0), -30.0)))


def features(seen: PassageEvidence) -> tuple[float, ...]:
    margin = min(seen.likeness - seen.elsewhere, _CLEAR)
    return 1.0, seen.likeness, seen.said, seen.known, margin
