"""Groups requests that are alike, by their words and, where they have one, by their meaning. Pure.

Requests that were in one pattern before are a little more alike, so that groups hold still from one
look to the next. Words are compared along the directions in which requests differ most, since two
requests of a kind often share no word.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from router.request.marks import BUCKETS_OF_MARKS
from router.request.terms import BUCKETS
from router.value import value

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

LEAST_ALIKE = 10  # requests that make a pattern
_DIRECTIONS = 80  # of words
_MARK = 0.5  # the rarity of a mark beside that of a word
_LEAST_USED = 3  # requests that use a bucket, so that directions are made of it
_MEANT = 0.6  # the part of meaning where two requests have one
_OWN_WORDS = 0.3  # the part of the words themselves where they have none
_WORDS_AHEAD = 0.15  # by words alone, requests of one kind are alike by so much less
_SAME_BEFORE = 0.1
_FARTHEST = 0.75  # the mean distance between two groups that become one


@value
class SeenRequest:
    """What a pattern can be recognised by in a request."""

    terms: tuple[int, ...]
    meaning: tuple[float, ...] | None = None  # under the lens in use; None: no sentence vector
    pattern: str = ""  # the pattern that it belonged to; empty: none
    language: str = ""


def grouped(requests: Sequence[SeenRequest], *, least: int = LEAST_ALIKE) -> list[list[int]]:
    """The groups of requests that are alike, as lists of places among `requests`, largest first."""
    import numpy as np
    from scipy.cluster.hierarchy import fcluster, linkage

    if len(requests) < least:
        return []
    distances = 1 - _alikeness(requests)
    upper = distances[np.triu_indices(len(requests), 1)].astype(np.float64)
    numbers = fcluster(linkage(np.maximum(upper, 0.0), "average"), _FARTHEST, "distance")
    places: dict[int, list[int]] = {}
    for at, number in enumerate(numbers.tolist()):
        places.setdefault(number, []).append(at)
    return sorted((group for group in places.values() if len(group) >= least), key=len)[::-1]


def _alikeness(requests: Sequence[SeenRequest]) -> "Matrix":
    """How much each two requests are alike, from about -1 to about 1."""
    import numpy as np

    own, words = _words(requests)
    by_words = words @ words.T
    alike = (1 - _OWN_WORDS) * by_words + _OWN_WORDS * (own @ own.T) + _WORDS_AHEAD
    meant = np.array([request.meaning is not None for request in requests])
    if meant.any():
        meanings = unit(np.array([r.meaning for r in requests if r.meaning is not None]))
        both = np.ix_(meant, meant)
        alike[both] = (1 - _MEANT) * by_words[both] + _MEANT * (meanings @ meanings.T)
    before = np.array([request.pattern for request in requests])
    alike += _SAME_BEFORE * ((before[:, None] == before) & (before != "")[:, None])
    result: Matrix = alike.astype(np.float32)
    return result


def _words(requests: Sequence[SeenRequest]) -> "tuple[Any, Matrix]":
    """The requests' words, each weighed by its rarity, and their places along the directions in
    which requests differ most. All rows have the length 1."""
    import numpy as np
    from scipy.sparse import csr_matrix
    from sklearn.utils.extmath import randomized_svd  # type: ignore[import-untyped]

    counted = counts(requests)
    used = counted.sum(axis=0)
    kept = used >= _LEAST_USED
    # Common words weigh less than in a match: here they would make a direction of their own.
    rows = unit(counted * rarity_of(used, len(requests)) ** 2)[:, kept]
    size = min(_DIRECTIONS, *rows.shape)
    if not size:
        return rows, rows
    left, scale, _ = randomized_svd(csr_matrix(rows), size, n_iter=4, random_state=0)
    # A request of which only a word or two is used by others is like none of them.
    return rows, unit(left * scale) * np.linalg.norm(rows, axis=1, keepdims=True) ** 0.5


def counts(requests: Sequence[SeenRequest]) -> "Matrix":
    """A row for each request, with a 1 in each bucket of its words."""
    import numpy as np

    rows = np.zeros((len(requests), BUCKETS), dtype=np.float32)
    for row, request in zip(rows, requests, strict=True):
        row[list(request.terms)] = 1
    return rows


def rarity_of(used: "Matrix", requests: int) -> "Matrix":
    """The rarity of each bucket, by how many of the requests use it; 0 if none does. A mark counts
    less than a word: two kinds that ask about times and amounts are two kinds."""
    import numpy as np

    rarity = np.sqrt(np.log((1 + requests) / (1 + used)))
    rarity[list(BUCKETS_OF_MARKS)] *= _MARK
    rarity[used == 0] = 0.0
    result: Matrix = rarity.astype(np.float32)
    return result


def unit(rows: Any) -> "Matrix":
    """The rows with the length 1; a row of zeros stays one."""
    import numpy as np

    result: Matrix = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    return result
