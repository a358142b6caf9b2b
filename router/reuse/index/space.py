"""The solutions of one space: the newest in a matrix, the rest in a graph.

A small space has only a matrix. A large space moves its matrix into a graph in the background; a
search waits for one addition at most.
"""

import threading
from typing import TYPE_CHECKING

from router.reuse.index.graph import Graph
from router.reuse.index.matrix import IdSet, Near, VectorMatrix

if TYPE_CHECKING:
    from router.reuse.index.matrix import Matrix

LARGEST_MATRIX = 5_000  # vectors; up to this size a matrix answers as fast as a graph
LEAST_ROOM = 20_000  # vectors that the smallest graph has room for
_SPARE_ROOM = 1.25  # a new graph has room for a quarter more
_MOST_REMOVED = 0.25  # share of removed vectors above which a graph is rebuilt
_ADDED_AT_ONCE = 2_000  # vectors; a new graph is not searched before it is complete


def room_for(count: int) -> int:
    """The capacity of a new graph for this many vectors."""
    return max(int(_SPARE_ROOM * count), LEAST_ROOM)


class Space:
    """One space. Searches, the follower and the builder of graphs may use it at the same time."""

    def __init__(
        self, dimensions: int, graph: Graph | None = None, in_graph: IdSet | None = None
    ) -> None:
        self.graph = graph
        self._dimensions = dimensions
        self._matrix = VectorMatrix(dimensions)
        self._in_graph = in_graph or IdSet()
        self._removed_meanwhile: set[int] | None = None  # None unless a new graph is being built
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._matrix) + (len(self.graph) if self.graph else 0)

    def __contains__(self, id_: int) -> bool:
        return id_ in self._matrix or id_ in self._in_graph

    def ids(self) -> set[int]:
        return {*self._matrix.ids, *self._in_graph}

    def vector(self, id_: int) -> "Matrix":
        if id_ in self._matrix:
            return self._matrix[id_]
        assert self.graph is not None
        vector: Matrix = self.graph.vectors([id_])[0]
        return vector

    def nearest(self, vector: "Matrix", k: int) -> list[Near]:
        """The k most similar solutions, the most similar first."""
        with self._lock:
            near = self._matrix.nearest(vector, k)
            if self.graph is not None:
                near += self.graph.nearest(vector, k)
        return sorted(near, key=lambda hit: -hit.similarity)[:k]

    def add(self, id_: int, vector: "Matrix") -> None:
        with self._lock:
            if id_ not in self:
                self._matrix.append(id_, vector)

    def remove(self, id_: int) -> None:
        with self._lock:
            if self._removed_meanwhile is not None:
                self._removed_meanwhile.add(id_)
            if id_ in self._matrix:
                self._matrix.remove(id_)
            elif id_ in self._in_graph and self.graph is not None:
                self.graph.remove(id_)
                self._in_graph.discard(id_)

    @property
    def due(self) -> bool:
        """Whether the graph must be built or rebuilt, or the matrix be moved into it."""
        return len(self._matrix) > LARGEST_MATRIX or self._worn

    @property
    def _worn(self) -> bool:
        return self.graph is not None and self.graph.removed > _MOST_REMOVED * self.graph.count

    def tend(self, *, threads: int = 1) -> bool:
        """Build or rebuild the graph, or move the matrix into it; False if nothing is needed."""
        if not self.due:
            return False
        graph = self.graph
        if graph is None or self._worn or len(self._matrix) + graph.count > graph.room:
            self._rebuild(threads=threads)
        else:
            self._move_into(graph)
        return True

    def _move_into(self, graph: Graph) -> None:
        """Move the vectors one at a time, so that a search waits for one addition at most."""
        for id_ in list(self._matrix.ids):
            with self._lock:
                if id_ in self._matrix:
                    graph.add([id_], self._matrix[id_][None, :])
                    self._in_graph.add(id_)
                    self._matrix.remove(id_)

    def _rebuild(self, *, threads: int) -> None:
        """Build a new graph of all solutions while searches use the old one, then swap them."""
        with self._lock:
            self._removed_meanwhile = set()
            old, kept = self.graph, list(self._in_graph)
            fresh, vectors = self._matrix.copy()
        graph = Graph(self._dimensions, room_for(len(kept) + len(fresh)))
        if old is not None:
            for start in range(0, len(kept), _ADDED_AT_ONCE):
                chunk = kept[start : start + _ADDED_AT_ONCE]
                with self._lock:
                    copied = old.vectors(chunk)
                graph.add(chunk, copied, threads=threads)
        for start in range(0, len(fresh), _ADDED_AT_ONCE):
            stop = start + _ADDED_AT_ONCE
            graph.add(fresh[start:stop], vectors[start:stop], threads=threads)
        with self._lock:
            self.graph, self._in_graph = graph, IdSet((*kept, *fresh))
            for id_ in fresh:
                self._matrix.remove(id_)
            for id_ in self._removed_meanwhile:
                if id_ in self._in_graph:
                    graph.remove(id_)
                    self._in_graph.discard(id_)
            self._removed_meanwhile = None
