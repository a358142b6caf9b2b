"""Neighbourhoods of points, and the few that a point belongs to, each in part.

A point between two centres belongs to both. Its shares change smoothly as it moves, so a point that
moves a little never jumps from one neighbourhood to another.
"""

from dataclasses import dataclass, fields
from functools import cached_property
from math import exp
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

Shares = tuple[tuple[int, float], ...]  # numbers of neighbourhoods, the closest first; sum 1
_SOFT = 4.0  # usual distances between the first and second centre, over which shares fade
_LEAST = 0.01  # a smaller share is none
_PRIOR = 2.0  # A neighbourhood's kinds begin as so many prompts of the usual kinds.


@dataclass(frozen=True)
class Neighbourhoods:
    """The centres of neighbourhoods, and the scale on which their prompts lie."""

    centres: "Matrix"
    halves: "Matrix"  # half of each centre's squared length
    scale: "Matrix"  # how much farther the second centre is, usually; how far the closest, at most
    kinds: "Matrix"  # how usual each kind of prompt is in each; empty if nobody knows

    @classmethod
    def none(cls) -> "Neighbourhoods":
        import numpy as np

        empty = np.zeros((0, 0), dtype=np.float32)
        return cls(empty, np.zeros(0, dtype=np.float32), np.ones(2, dtype=np.float32), empty)

    @classmethod
    def fitted(cls, points: "Matrix", count: int, kinds: "Matrix") -> "Neighbourhoods":
        """Fit neighbourhoods to points: the centres of k-means, from the best of four runs."""
        import numpy as np
        from sklearn.cluster import KMeans  # type: ignore[import-untyped]

        count = min(count, len(np.unique(points.round(3), axis=0)))
        clusters = KMeans(count, n_init=4, random_state=0).fit(points)
        centres = clusters.cluster_centers_.astype("float32")
        apart = np.sort(((points[:, None, :] - centres) ** 2).sum(axis=2), axis=1)
        gap = float(np.median(apart[:, 1] - apart[:, 0])) if count > 1 else 1.0
        reach = float(np.quantile(apart[:, 0], 0.9))
        return cls(
            centres,
            (centres * centres).sum(axis=1) / 2,
            np.array([max(gap, 1e-6), max(reach, 1e-6)], dtype=np.float32),
            _kinds_of(clusters.labels_, kinds, count),
        )

    def arrays(self) -> dict[str, "Matrix"]:
        return {part.name: getattr(self, part.name) for part in fields(self)}

    def view(self, point: "Matrix", most: int) -> tuple[Shares, tuple[float, ...] | None]:
        """The shares of at most so many neighbourhoods, and how usual each kind is there.

        The kinds add up to 1, or to less if the point is far from all prompts that were seen.
        """
        halves = self.halves - self.centres @ point  # of squared distances, but for a constant
        order = halves.argsort()[: most + 1]
        apart = halves.take(order).tolist()
        order = order.tolist()
        gap, reach = self._scale
        least, fades = 2 * apart[0], _SOFT * gap
        near = [exp((least - 2 * half) / fades) for half in apart]
        # The last one tells where a share begins, so that no share starts with a jump.
        rest = near[-1] if len(order) > most else 0.0
        weights = [value - rest for value in near[:most]]
        together = sum(weights) or 1.0
        shares = [round(weight / together, 3) for weight in weights]
        shares[1:] = [share if share >= _LEAST else 0.0 for share in shares[1:]]
        shares[0] = round(1 - sum(shares[1:]), 3)
        seen = tuple((at, share) for at, share in zip(order, shares, strict=False) if share)
        if not len(self.kinds):
            return seen, None
        trust = min(1.0, reach / max(least + float(point @ point), 1e-9))
        usual = [0.0] * self.kinds.shape[1]
        for at, share in seen:
            trusted, kinds = share * trust, self._kinds[at]
            usual = [total + trusted * kind for total, kind in zip(usual, kinds, strict=True)]
        return seen, tuple(usual)

    @cached_property
    def _kinds(self) -> list[list[float]]:
        kinds: list[list[float]] = self.kinds.tolist()
        return kinds

    @cached_property
    def _scale(self) -> tuple[float, float]:
        gap, reach = self.scale.tolist()
        return gap, reach


def _kinds_of(labels: "NDArray[np.int32]", kinds: "Matrix", count: int) -> "Matrix":
    import numpy as np

    if not len(kinds):
        return np.zeros((0, 0), dtype=np.float32)
    sums = np.tile(_PRIOR * kinds.mean(axis=0), (count, 1))
    np.add.at(sums, labels, kinds)
    return np.asarray(sums / sums.sum(axis=1, keepdims=True), dtype=np.float32)
