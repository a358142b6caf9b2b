"""Finds the nearest solutions: an index in memory that follows the journal of the store.

The store holds everything that the index needs; the graph files only make the start faster. The
index refuses a vector that is not finite or not of length one, because hnswlib would find that
vector near to everything.
"""

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from router.reuse.index.matrix import Near
from router.reuse.index.snapshot import read_snapshot, write_snapshot
from router.reuse.index.space import Space
from router.reuse.solution_store import SolutionStore

if TYPE_CHECKING:
    from router.reuse.index.matrix import Matrix


class SolutionIndex:
    """All spaces. Only the follower of the journal changes them; any thread may search."""

    def __init__(self, dimensions: int, encoder: str) -> None:
        self.dimensions, self.encoder = dimensions, encoder
        self.position = 0  # number of the last journal entry that the index holds
        self.spaces: dict[bytes, Space] = {}

    @classmethod
    def open(
        cls, folder: Path, store: SolutionStore, *, dimensions: int, encoder: str
    ) -> tuple["SolutionIndex", list[str]]:
        """The index of everything in the store, and the problems of the graph files."""
        index = cls(dimensions, encoder)
        index.position = store.position()
        index.spaces, problems = read_snapshot(
            folder, store, encoder=encoder, dimensions=dimensions
        )
        for space in store.spaces():
            held = index.spaces.get(space, ())
            missing = [id_ for id_ in store.proven(space) if id_ not in held]
            for id_, vector in index._stored(store, missing):
                index.add(space, id_, vector)
        return index, problems

    def __len__(self) -> int:
        return sum(map(len, self.spaces.values()))

    @property
    def graphs(self) -> int:
        return sum(space.graph is not None for space in self.spaces.values())

    def empty(self, space: bytes) -> bool:
        return not len(self.spaces.get(space, ()))

    def nearest(self, space: bytes, vector: "Matrix", k: int = 8) -> list[Near]:
        if self.empty(space):
            return []
        return self.spaces[space].nearest(self._unit(vector), k)

    def add(self, space: bytes, id_: int, vector: "Matrix") -> None:
        vector = self._unit(vector)
        if space not in self.spaces:
            self.spaces[space] = Space(self.dimensions)
        self.spaces[space].add(id_, vector)

    def remove(self, space: bytes, id_: int) -> None:
        if space in self.spaces:
            self.spaces[space].remove(id_)

    def follow(self, store: SolutionStore) -> int:
        """Apply the journal's changes since the last call; return the number of changes."""
        count = 0
        while changes := store.changes(self.position):
            vectors = dict(self._stored(store, [c.solution for c in changes if c.what == "in"]))
            for change in changes:
                if change.what == "out":
                    self.remove(change.space, change.solution)
                elif change.solution in vectors:
                    self.add(change.space, change.solution, vectors[change.solution])
            self.position = changes[-1].seq
            count += len(changes)
        return count

    @property
    def due(self) -> bool:
        """Whether a graph needs to be built or to grow."""
        return any(space.due for space in list(self.spaces.values()))

    def tend(self, *, threads: int = 1) -> bool:
        """Build or grow each graph that needs it, which takes long; False if no graph needs it."""
        tended = [space.tend(threads=threads) for space in list(self.spaces.values())]
        return any(tended)

    def save(self, folder: Path) -> None:
        spaces = list(self.spaces.items())
        graphs = {key: space.graph for key, space in spaces if space.graph is not None}
        write_snapshot(
            folder,
            graphs,
            encoder=self.encoder,
            dimensions=self.dimensions,
            position=self.position,
        )

    def differs(self, store: SolutionStore) -> list[str]:
        """One message for each solution about which index and store disagree."""
        problems: list[str] = []
        for key in store.spaces():
            space = self.spaces.get(key) or Space(self.dimensions)
            held, proven = space.ids(), store.proven(key)
            for id_, vector in self._stored(store, proven):
                if id_ not in held:
                    problems.append(f"solution {id_} is not in the index")
                elif not np.allclose(space.vector(id_), vector, atol=1e-5):
                    problems.append(f"the index has another vector for solution {id_}")
            problems += [f"{id_} is in the index and not in the store" for id_ in held - {*proven}]
        return problems

    def _stored(self, store: SolutionStore, ids: list[int]) -> Iterator[tuple[int, "Matrix"]]:
        """The stored vectors of these solutions, if the encoder of this index made them."""
        for id_, vector, encoder in store.vectors(ids):
            if encoder == self.encoder and vector:
                yield id_, np.frombuffer(vector, np.float32)

    def _unit(self, vector: "Matrix") -> "Matrix":
        vector = np.ascontiguousarray(vector, dtype=np.float32)
        fits = vector.shape == (self.dimensions,)
        length = float(vector @ vector) ** 0.5 if fits else float("nan")
        if not 0.99 < length < 1.01:
            raise ValueError(
                f"a vector must be {self.dimensions} numbers of length 1, "
                f"not {vector.shape} of {length}"
            )
        return vector


def lower_priority() -> None:
    """Give this thread a lower priority than the threads and processes that answer requests."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
