"""Describes groups of requests as patterns that a router can match. Pure.

A pattern's centre tells its requests from all others: a ridge regression of "belongs to the group"
on the words, and a second on the meaning. A request of the window is judged by the centre as it
would be without the request, because a request resembles a centre that it had a part in too well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from router.growth.clusters import SeenRequest, counts, rarity_of, unit
from router.request.patterns import Pattern

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

_MOST_WORDS = 400  # buckets of a centre
_LEAST_ALIKE = 0.22  # how much a request must resemble a pattern; 1 is as much as a member should
_RIDGE = 0.3  # how much a centre holds back; the rows have the length 1


class Describing:
    """The requests of a window, ready to describe groups of them."""

    def __init__(self, requests: Sequence[SeenRequest]) -> None:
        import numpy as np

        counted = counts(requests)
        weights = rarity_of(counted.sum(axis=0), len(requests))
        self._rows = unit(counted * weights)
        self._by_words = _Ridge(self._rows)
        at = np.flatnonzero(weights)
        self.rarity: Mapping[int, float] = dict(
            zip(at.tolist(), weights[at].round(4).tolist(), strict=True)
        )
        self.rarest = round(float(np.sqrt(np.log(1 + len(requests)))), 4)
        self._meant = np.array([r.meaning is not None for r in requests])
        meanings = [r.meaning for r in requests if r.meaning is not None]
        self._meanings = unit(np.array(meanings, dtype=np.float32)) if meanings else None
        self._by_meaning = _Ridge(self._meanings) if self._meanings is not None else None

    def refined(self, groups: Sequence[Sequence[int]], least: int) -> list[list[int]]:
        """The groups after each request went to the group that it resembles most, or to none.

        Groups that keep fewer requests than `least` are left out: often such a group is a phrase
        that goes with anything.
        """
        import numpy as np

        if not groups:
            return []
        likeness = self._likeness(self._members(groups))
        best = np.where(likeness.max(axis=1) >= _LEAST_ALIKE, likeness.argmax(axis=1), -1)
        places = [np.flatnonzero(best == number).tolist() for number in range(len(groups))]
        return sorted((group for group in places if len(group) >= least), key=len)[::-1]

    def _members(self, groups: Sequence[Sequence[int]]) -> "Matrix":
        """A column for each group, with a 1 for each request in it."""
        import numpy as np

        members = np.zeros((len(self._rows), len(groups)), dtype=np.float32)
        for number, group in enumerate(groups):
            members[list(group), number] = 1
        return members

    def _likeness(self, members: "Matrix") -> "Matrix":
        """How much each request resembles each group's centre without the request."""
        _, likeness = self._by_words.fitted(members)
        if self._by_meaning is not None:
            _, meant = self._by_meaning.fitted(members[self._meant])
            likeness[self._meant] = (likeness[self._meant] + meant) / 2
        return likeness

    def patterns(
        self, ids: Sequence[str], names: Sequence[str], groups: Sequence[Sequence[int]]
    ) -> list[Pattern]:
        """The patterns of groups, which are lists of places in the window."""
        import numpy as np

        if not groups:
            return []
        members = self._members(groups)
        centres, _ = self._by_words.fitted(members)
        if self._by_meaning is not None:
            own = members[self._meant]
            meanings, _ = self._by_meaning.fitted(own)
        described = []
        for number, (id_, name, group) in enumerate(zip(ids, names, groups, strict=True)):
            centre = centres[:, number]
            at = np.argsort(-np.abs(centre), kind="stable")[:_MOST_WORDS]
            weights = {int(b): round(float(centre[b]), 4) for b in at if centre[b]}
            pattern = Pattern(id_, name, weights, _LEAST_ALIKE)
            if self._by_meaning is not None and own[:, number].sum() * 2 >= len(group):
                meaning = tuple(meanings[:, number].round(4).tolist())
                pattern = replace(pattern, meaning=meaning, least_meant=_LEAST_ALIKE)
            described.append(pattern)
        return described

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


class _Ridge:
    """A ridge regression on rows. What depends on the rows alone is worked out once, since a look
    fits it to the groups as they were found, and again to those that stay."""

    def __init__(self, rows: "Matrix") -> None:
        self._rows = rows

    @cached_property
    def _inverse(self) -> "Matrix":
        import numpy as np
        from scipy.linalg.lapack import spotrf, spotri

        alike = self._rows @ self._rows.T
        alike[np.diag_indices_from(alike)] += _RIDGE
        factor, _ = spotrf(alike, lower=1)
        lower, _ = spotri(factor, lower=1)
        inverse: Matrix = np.tril(lower) + np.tril(lower, -1).T
        return inverse

    def fitted(self, members: "Matrix") -> "tuple[Matrix, Matrix]":
        """The centres of groups, and how much each row resembles each centre as it would be without
        the row. `members` has a column for each group."""
        import numpy as np

        parts = self._inverse @ members
        return self._rows.T @ parts, members - parts / np.diag(self._inverse)[:, None]
