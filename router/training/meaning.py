"""Whether two requests want the same in other words: by sentence vectors, guards and a verifier.

Sentence vectors alone cannot tell: requests with opposite meanings have a cosine of .95. So vectors
only choose pairs. The guards of reuse refuse pairs whose numbers, negations, opposites or formats
differ, and the pair verifier of reuse, which reads both texts side by side, decides the rest.

Not covered: texts of more than 64 tokens that have little in common, which are judged by vectors,
and paraphrases in two languages.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from router.encoding.encodes import Encodes
from router.reuse.guards import GuardVerdict, compare
from router.training.wording import around_changes, numbers_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

LEAST_COSINE = 0.7  # of two requests that may want the same
_NEAREST = 8  # earlier rows that are looked at for each row
_BLOCK = 1024  # rows that are compared at once, to bound the memory
_LEAST_LOGIT = -1.0  # of the verifier, at a usual cosine
_USUAL_COSINE, _SLOPE = 0.88, 10.0  # a higher cosine makes up for a lower logit
_DOUBTED = 2.0  # how much surer the verifier must be where names differ
_WITHOUT_VERIFIER = 0.95
_REFUSED = (
    "numbers differ", "negation differs", "is negated", "is the opposite of", "sign differs",
    "signs of a formula", "format differs", "words differ",
)  # fmt: skip
_DOUBTFUL = ("names", "what is quoted", "units differs", "programming language")


class Verifies(Protocol):
    """A model that reads two requests side by side."""

    def logits(self, pairs: Sequence[tuple[str, str]]) -> "Sequence[float] | Vectors":
        """How surely one answer serves both; not a number if a text is too long."""
        ...


@dataclass(frozen=True, slots=True)
class Meaning:
    """The models by which meanings are compared. Without a verifier, fewer paraphrases are seen."""

    encoder: Encodes
    verifier: Verifies | None = None

    def same(self, first: str, second: str, cosine: float) -> bool:
        if numbers_of(first) != numbers_of(second):
            return False
        short, other = around_changes(first, second)
        verdict = compare(short, other)
        if verdict.likeness == "words":
            return True
        if cosine < LEAST_COSINE or refused(verdict):
            return False
        logit = math.nan
        if self.verifier is not None:
            (logit,) = (float(each) for each in self.verifier.logits([(short, other)]))
        if math.isnan(logit):
            return cosine >= _WITHOUT_VERIFIER and not _doubtful(verdict)
        least = _LEAST_LOGIT + (_DOUBTED if _doubtful(verdict) else 0.0)
        return logit + _SLOPE * (cosine - _USUAL_COSINE) >= least


def refused(verdict: GuardVerdict) -> bool:
    """Whether the guards saw a difference that no likeness of the whole makes up for."""
    if verdict.likeness == "parameters":
        return True
    signs = _REFUSED[:-1] if verdict.likeness == "open" else _REFUSED
    return any(sign in reason for reason in verdict.reasons for sign in signs)


def _doubtful(verdict: GuardVerdict) -> bool:
    return any(sign in reason for reason in verdict.reasons for sign in _DOUBTFUL)


def nearest(vectors: "Vectors", least: float = LEAST_COSINE) -> Iterator[tuple[int, int, float]]:
    """For each row its nearest earlier rows, as (earlier, later, cosine)."""
    import numpy as np

    for start in range(0, len(vectors), _BLOCK):
        block = vectors[start : start + _BLOCK]
        cosines = block @ vectors[: start + len(block)].T
        for offset, row in enumerate(cosines):
            row = row[: start + offset]
            if not len(row):
                continue
            count = min(_NEAREST, len(row))
            for other in np.argpartition(row, -count)[-count:].tolist():
                if row[other] >= least:
                    yield other, start + offset, float(row[other])
