"""Whether two requests want the same in other words: by sentence vectors, guards and a verifier.

Sentence vectors alone cannot tell: requests with opposite meanings have a cosine of .95. So vectors
only choose pairs. The guards of reuse refuse pairs whose numbers, negations, opposites or formats
differ, and the pair verifier of reuse, which reads both texts side by side, decides the rest.

Not covered: texts of more than 64 tokens that have little in common, which are judged by vectors,
and paraphrases in two languages.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from router.encoding.encodes import Encodes
from router.reuse.guards import GuardVerdict, compare
from router.training.wording import around_changes, names_of, numbers_of, reordered, words_as_names

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

LEAST_COSINE = 0.7  # of two requests that may want the same
LEAST_COSINE_IF_AGREED = 0.5  # the same, if their answers have one rare content
_NEAREST = 8  # earlier rows that are looked at for each row
_BLOCK = 1024  # rows that are compared at once, to bound the memory
_LEAST_LOGIT = -1.0  # of the verifier, at a usual cosine
_USUAL_COSINE, _SLOPE = 0.88, 10.0  # a higher cosine makes up for a lower logit
_DOUBTED = 2.0  # how much surer the verifier must be where names differ
_WITHOUT_VERIFIER = 0.95
_TELLING = 2.4  # nats of surprise that make an agreement of answers tell
_CHANCE = 2.0  # nats that say nothing
_WORTH = 1.5  # the logit that a further nat is worth
_ONE_NAMES, _EACH_NAMES = 3.0, 6.0
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


def meaning_in(encoder: str | None, home: str, say: "Callable[[str], None]") -> "Meaning | None":
    """The models that see paraphrases, as far as they are installed; `say` hears what is not."""
    from router.encoding.encoder import CannotEncode
    from router.encoding.home import encoder_of
    from router.reuse.verifier import verifier_of

    try:
        meaning = Meaning(encoder_of(encoder, home))
    except CannotEncode as error:
        say(f"Paraphrases are not looked for: {error}")
        return None
    try:
        return replace(meaning, verifier=verifier_of(home))
    except CannotEncode as error:
        say(f"Fewer paraphrases are seen: {error}")
        return meaning


@dataclass(frozen=True, slots=True)
class Meaning:
    """The models by which meanings are compared. Without a verifier, fewer paraphrases are seen."""

    encoder: Encodes
    verifier: Verifies | None = None

    def same(self, first: str, second: str, cosine: float, surprise: float | None = None) -> bool:
        """Whether two requests want the same. `surprise`: how surprising it is that their answers
        have one content, in nats; None if answers say nothing."""
        agree = surprise is not None and surprise >= _TELLING
        if surprise == -math.inf or not _numbers_fit(first, second, agree=agree):
            return False
        short, other = around_changes(first, second)
        verdict = compare(short, other)
        if verdict.likeness == "words":
            return True
        if reordered(first, second):
            return False
        if cosine < (LEAST_COSINE_IF_AGREED if agree else LEAST_COSINE):
            return False
        one_word = verdict.likeness == "minor" and "words differ" in verdict.why
        if one_word if agree else refused(verdict):
            return False
        least = _LEAST_LOGIT - _WORTH * max((surprise or 0.0) - _CHANCE, 0.0)
        least += _names_apart(short, other) if agree else _DOUBTED * _doubtful(verdict)
        logit = math.nan
        if self.verifier is not None:
            (logit,) = (float(each) for each in self.verifier.logits([(short, other)]))
        if math.isnan(logit):
            return (
                cosine >= (LEAST_COSINE if agree else _WITHOUT_VERIFIER) and least <= _LEAST_LOGIT
            )
        return logit + _SLOPE * (cosine - _USUAL_COSINE) >= least


def _numbers_fit(first: str, second: str, *, agree: bool) -> bool:
    """Whether the numbers are the same; where answers agree, one request may have one more."""
    old, new = numbers_of(first), numbers_of(second)
    if old == new:
        return True
    more, less = (old - new, new - old) if (old - new).total() else (new - old, old - new)
    return agree and not less and more.total() == 1 and old.total() > 0 and new.total() > 0


def _names_apart(first: str, second: str) -> float:
    """How much surer the verifier must be because a text names somebody whom the other does not."""
    old, new = names_of(first) - words_as_names(second), names_of(second) - words_as_names(first)
    return _EACH_NAMES if old and new else _ONE_NAMES * bool(old or new)


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
