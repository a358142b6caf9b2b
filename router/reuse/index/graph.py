"""An hnswlib graph, used within the limits of hnswlib.

hnswlib cannot grow a graph during a search, nor add and search at once. So the owner of a graph
holds a lock for each call, and builds a larger graph beside the old one.

Not covered: a damaged file, which hnswlib loads without complaint. `snapshot` checks files before a
graph loads them.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hnswlib
import numpy as np

from router.reuse.index.matrix import Near

if TYPE_CHECKING:
    from router.reuse.index.matrix import Matrix

_NEIGHBOURS, _CONSTRUCTION_WIDTH, _SEARCH_WIDTH = 16, 140, 160  # hnswlib's M, and its widths


class Graph:
    """A graph for a fixed number of vectors; a removed vector still takes its place."""

    def __init__(self, dimensions: int, room: int, index: Any = None) -> None:
        self.dimensions, self.room = dimensions, room
        self.removed = 0
        if index is None:
            index = hnswlib.Index("ip", dimensions)
            index.init_index(room, M=_NEIGHBOURS, ef_construction=_CONSTRUCTION_WIDTH)
        index.set_ef(_SEARCH_WIDTH)
        index.set_num_threads(1)
        self._index = index

    @classmethod
    def load(cls, path: Path, dimensions: int, room: int) -> "Graph":
        index: Any = hnswlib.Index("ip", dimensions)
        index.load_index(str(path), max_elements=room)
        return cls(dimensions, room, index)

    @property
    def count(self) -> int:
        """The number of vectors, including the removed ones."""
        return int(self._index.get_current_count())

    def __len__(self) -> int:
        return self.count - self.removed

    def add(self, ids: Sequence[int], vectors: "Matrix", *, threads: int = 1) -> None:
        self._index.add_items(vectors, ids, num_threads=threads)

    def remove(self, id_: int) -> None:
        self._index.mark_deleted(id_)
        self.removed += 1

    def ids(self) -> list[int]:
        return list(self._index.get_ids_list())

    def vectors(self, ids: Sequence[int]) -> "Matrix":
        return np.asarray(self._index.get_items(ids), dtype=np.float32)

    def nearest(self, vector: "Matrix", k: int) -> list[Near]:
        k = min(k, len(self))
        while k > 0:
            try:
                ids, distances = self._index.knn_query(vector, k=k, num_threads=1)
            except RuntimeError:  # the search found fewer than k vectors that are not removed
                k //= 2
                continue
            pairs = zip(ids[0].tolist(), distances[0].tolist(), strict=True)
            return [Near(id_, 1 - distance) for id_, distance in pairs]
        return []

    def save(self, path: Path) -> None:
        self._index.save_index(str(path))
