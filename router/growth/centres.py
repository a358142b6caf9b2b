"""Describes groups of requests as patterns that a router can match. Pure.

A pattern's words are those that its requests use more often than others do. How much a request must
resemble it is set where the fewest of the requests seen so far fall on the wrong side.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from router.growth.clusters import SeenRequest, counts, rarity_of, unit
from router.request.patterns import Pattern

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

_MOST_WORDS = 200  # buckets of a centre
_LEAST_USED = 2  # requests of a group that use a bucket of its centre


class Describing:
    """The requests of a window, ready to describe groups of them."""

    def __init__(self, requests: Sequence[SeenRequest]) -> None:
        import numpy as np

        self._counted = counts(requests)
        self._used = self._counted.sum(axis=0)
        weights = rarity_of(self._used, len(requests))
        self._rows = unit(self._counted * weights)
        at = np.flatnonzero(weights)
        self.rarity: Mapping[int, float] = dict(
            zip(at.tolist(), weights[at].round(4).tolist(), strict=True)
        )
        self.rarest = round(float(np.sqrt(np.log(1 + len(requests)))), 4)
        self._meant = np.array([r.meaning is not None for r in requests])
        meanings = [r.meaning for r in requests if r.meaning is not None]
        self._meanings = unit(np.array(meanings, dtype=np.float32)) if meanings else None

    def pattern(self, id_: str, name: str, group: Sequence[int]) -> Pattern:
        """The pattern of the requests at these places of the window."""
        import numpy as np

        members = np.zeros(len(self._rows), dtype=bool)
        members[list(group)] = True
        centre = self._centre(members)
        by_words = self._rows @ centre
        at = np.argsort(-centre, kind="stable")[:_MOST_WORDS]
        weights = {int(b): round(float(centre[b]), 4) for b in at if centre[b] > 0}
        least = _least(by_words, members)
        own = members[self._meant]
        if self._meanings is None or own.sum() * 2 < len(group):
            return Pattern(id_, name, weights, least)
        meaning = unit(self._meanings[own].mean(axis=0, keepdims=True))[0]
        together = (by_words[self._meant] + self._meanings @ meaning) / 2
        meant = tuple(meaning.round(4).tolist())
        return Pattern(id_, name, weights, least, meant, _least(together, own))

    def spread(self, group: Sequence[int]) -> float:
        """How much the requests of a group differ: 0 if all have the same words or meaning."""
        import numpy as np

        places = np.array(group)
        meant = self._meant[places]
        if self._meanings is not None and meant.sum() * 2 >= len(group):
            at = (np.cumsum(self._meant) - 1)[places[meant]]
            rows = self._meanings[at]
        else:
            rows = self._rows[places]
        middle = rows.mean(axis=0)
        return round(float(max(1 - middle @ middle, 0.0)), 4)

    def _centre(self, members: "NDArray[np.bool_]") -> "Matrix":
        """The weight of each bucket: how much more often the members use it than all do, and how
        often they use it."""
        import numpy as np

        size, every = int(members.sum()), len(members)
        own = self._counted[members].sum(axis=0)
        usual = (self._used + 0.5) / (every + 1)
        often = (own + 0.5 * self._used / every) / (size + 0.5)
        more = np.maximum(np.log(np.maximum(often, 1e-9) / usual), 0.0)
        weights = np.where(own >= _LEAST_USED, more * np.sqrt(often), 0.0)
        centre: Matrix = unit(weights[None, :])[0]
        return centre


def _least(alike: "Matrix", members: "NDArray[np.bool_]") -> float:
    """The least likeness of a member that finds the most members and the fewest others."""
    import numpy as np

    order = np.argsort(-alike, kind="stable")
    right = np.cumsum(members[order])
    score = 2 * right / (np.arange(1, len(order) + 1) + members.sum())
    at = int(score.argmax())
    following = order[at + 1] if at + 1 < len(order) else order[at]
    return round(float(alike[order[at]] + alike[following]) / 2, 4)
