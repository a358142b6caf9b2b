"""Extra trees as arrays: what they expect of each arm in a context, in some tens of microseconds.

Every arm has its own trees, or none. All trees are walked at once, one level at a time, so the time
grows with the depth and hardly with the number of trees. A program that only decides needs numpy
and not the library that grew the trees.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from learner.packing import packed, unpacked
from learner.policy import Context
from learner.posterior import Matrix, Vector, placed


@dataclass(frozen=True, slots=True)
class Forest:
    """Nodes of all trees in one list. The right child of a node follows the left one; a leaf is its
    own left child, and no value lies above its threshold."""

    names: Mapping[str, int]
    feature: NDArray[np.int32]
    threshold: NDArray[np.float32]
    left: NDArray[np.int32]
    value: NDArray[np.float32]
    roots: NDArray[np.int32]
    owners: NDArray[np.intp]  # the place of the arm that each tree belongs to
    count: int  # of arms
    depth: int

    def expected(self, context: Context) -> Vector:
        """What the trees expect of each arm in a context; 0 of an arm without trees."""
        x = np.zeros(len(self.names), dtype=np.float32)
        placed(context, self.names, x)
        return self._of(x)

    def of_rows(self, contexts: NDArray[np.float32]) -> Matrix:
        """The same for many contexts, whose columns are the names."""
        return np.array([self._of(x) for x in contexts]).reshape(-1, self.count)

    def _of(self, x: NDArray[np.float32]) -> Vector:
        if not len(self.roots):
            return np.zeros(self.count)
        nodes = self.roots
        for _ in range(self.depth):
            right = x.take(self.feature.take(nodes)) > self.threshold.take(nodes)
            nodes = self.left.take(nodes) + right
        return np.asarray(np.bincount(self.owners, self.value.take(nodes), self.count), dtype=float)

    def state(self) -> dict[str, Any]:
        return {
            "names": list(self.names),
            "feature": packed(self.feature),
            "threshold": packed(self.threshold),
            "left": packed(self.left),
            "value": packed(self.value),
            "roots": self.roots.tolist(),
            "owners": self.owners.tolist(),
            "count": self.count,
            "depth": self.depth,
        }

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> Self:
        return cls(
            {name: at for at, name in enumerate(state["names"])},
            unpacked(state["feature"], np.int32),
            unpacked(state["threshold"], np.float32),
            unpacked(state["left"], np.int32),
            unpacked(state["value"], np.float32),
            np.array(state["roots"], dtype=np.int32),
            np.array(state["owners"], dtype=np.intp),
            int(state["count"]),
            int(state["depth"]),
        )
