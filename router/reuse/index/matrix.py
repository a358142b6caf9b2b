"""Vectors by id in one matrix. A search compares every row: exact, and fast for a small matrix."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

_LEAST_ROWS = 64  # a matrix with fewer rows is never shrunk


@dataclass(frozen=True, slots=True)
class Near:
    solution: int
    similarity: float


class VectorMatrix:
    """A growing matrix; the last row takes the place of a removed row."""

    def __init__(self, dimensions: int) -> None:
        self._dimensions = dimensions
        self._matrix: Matrix = np.zeros((0, dimensions), dtype=np.float32)
        self._row_of: dict[int, int] = {}
        self.ids: list[int] = []

    def __len__(self) -> int:
        return len(self.ids)

    def __contains__(self, id_: int) -> bool:
        return id_ in self._row_of

    def __getitem__(self, id_: int) -> "Matrix":
        vector: Matrix = self._matrix[self._row_of[id_]]
        return vector

    def append(self, id_: int, vector: "Matrix") -> None:
        count = len(self.ids)
        if count >= len(self._matrix):
            grown = np.zeros((max(1, 2 * count), self._dimensions), dtype=np.float32)
            grown[:count] = self._matrix[:count]
            self._matrix = grown
        self._matrix[count] = vector
        self.ids.append(id_)
        self._row_of[id_] = count

    def remove(self, id_: int) -> None:
        if id_ not in self._row_of:
            return
        row, last = self._row_of.pop(id_), len(self.ids) - 1
        moved = self.ids.pop()
        if row != last:
            self._matrix[row] = self._matrix[last]
            self.ids[row], self._row_of[moved] = moved, row
        if len(self._matrix) > 4 * max(len(self.ids), _LEAST_ROWS):
            self._matrix = self._matrix[: max(len(self.ids), 1)].copy()

    def copy(self) -> tuple[list[int], "Matrix"]:
        return list(self.ids), self._matrix[: len(self.ids)].copy()

    def nearest(self, vector: "Matrix", k: int) -> list[Near]:
        """The k most similar vectors, in no particular order."""
        similarities = self._matrix[: len(self.ids)] @ vector
        if len(self.ids) > k:
            rows = np.argpartition(-similarities, k - 1)[:k].tolist()
        else:
            rows = list(range(len(self.ids)))
        return [Near(self.ids[row], float(similarities[row])) for row in rows]


class IdSet:
    """A set of small ids, with one byte for each id: a Python set of a million ids takes 90 MB."""

    def __init__(self, ids: Iterable[int] = ()) -> None:
        self._flags = bytearray()
        for id_ in ids:
            self.add(id_)

    def __contains__(self, id_: int) -> bool:
        return id_ < len(self._flags) and self._flags[id_] == 1

    def __iter__(self) -> Iterator[int]:
        yield from np.flatnonzero(np.frombuffer(self._flags, np.uint8)).tolist()

    def add(self, id_: int) -> None:
        if id_ >= len(self._flags):
            self._flags.extend(bytes(max(id_ + 1 - len(self._flags), len(self._flags) // 2)))
        self._flags[id_] = 1

    def discard(self, id_: int) -> None:
        if id_ < len(self._flags):
            self._flags[id_] = 0
