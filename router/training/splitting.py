"""Splits rows into training, validation and test: by time, and so that no cluster is divided.

Rows that are alike form a cluster: every two rows of different clusters are less alike than a
stated likeness. All rows of a split are later than those of the split before. A cluster with rows
on both sides of a boundary goes where most of its rows are, and its other rows are left out and
counted. Rows are clustered as widely as few rows are left out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from router.training.data_rows import SPLITS, DataRow, Split
from router.training.minhash import in_common, meeting
from router.training.wording import shingles, wordings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from router.training.meaning import Vectors

    Numbers = NDArray[np.intp]

_COSINES = (0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
_IN_COMMON = (0.5, 0.6, 0.7, 0.8)  # of shingles, where there are no vectors
_MOST_LEFT_OUT = 0.15  # of all rows; else only rows that are more alike form a cluster
_ENOUGH = 0.5  # of the wanted rows of a split; below, clusters on both sides are moved to it
_MOST_MOVED = 0.3  # of all rows, that moving clusters may leave out
_BLOCK = 1024


@dataclass(frozen=True, slots=True)
class Parted:
    rows: dict[Split, tuple[DataRow, ...]]
    left_out: tuple[str, ...]  # the ids of rows whose cluster is on another side
    alike_by: str  # `cosine` or `words`
    least_alike: float  # rows of different clusters are less alike than this
    clusters: int
    boundaries: tuple[int, int]  # the times at which validation and test begin, in microseconds

    @property
    def counts(self) -> dict[str, int]:
        return {split: len(rows) for split, rows in self.rows.items()}


def parted(
    rows: Sequence[DataRow],
    vectors: "Vectors | None",
    validation_share: float,
    test_share: float,
) -> Parted:
    """Part rows, which are in the order of time."""
    boundaries = _boundaries(rows, validation_share, test_share)
    shares = (1 - validation_share - test_share, validation_share, test_share)
    clustering = _by_words(rows) if vectors is None else _by_vectors(vectors)
    ladder: tuple[float, ...] = _IN_COMMON if vectors is None else _COSINES
    for least in ladder:
        clusters = clustering(least)
        sides = _sides(rows, clusters, boundaries, shares)
        left_out = sum(side is None for side in sides)
        if left_out <= _MOST_LEFT_OUT * len(rows):
            break
    split_rows: dict[Split, list[DataRow]] = {split: [] for split in SPLITS}
    for row, cluster, side in zip(rows, clusters, sides, strict=True):
        if side is not None:
            split_rows[SPLITS[side]].append(row.in_cluster(f"c{cluster}"))
    return Parted(
        {split: tuple(rows) for split, rows in split_rows.items()},
        tuple(row.id for row, side in zip(rows, sides, strict=True) if side is None),
        "words" if vectors is None else "cosine",
        least,
        len(set(clusters)),
        boundaries,
    )


def _boundaries(rows: Sequence[DataRow], validation: float, test: float) -> tuple[int, int]:
    """The first moments of validation and of test; after the last row if a split is unwanted."""
    if not rows:
        return 0, 0

    def moment(share: float) -> int:
        place = round(share * len(rows))
        return rows[place].ts if place < len(rows) else rows[-1].ts + 1

    return moment(1 - validation - test), moment(1 - test)


def _sides(
    rows: Sequence[DataRow],
    clusters: Sequence[int],
    boundaries: tuple[int, int],
    shares: Sequence[float],
) -> list[int | None]:
    """The split of each row, as its place among `SPLITS`; None if the row is left out."""
    periods = [sum(row.ts >= boundary for boundary in boundaries) for row in rows]
    counts: dict[int, list[int]] = {}
    for cluster, period in zip(clusters, periods, strict=True):
        counts.setdefault(cluster, [0, 0, 0])[period] += 1
    home = {cluster: max(range(3), key=lambda p: n[p]) for cluster, n in counts.items()}
    moved = 0
    for side in (2, 1):
        lacking = _ENOUGH * shares[side] * len(rows)
        lacking -= sum(n[side] for cluster, n in counts.items() if home[cluster] == side)
        astride = [c for c, n in counts.items() if n[side] and home[c] == 0]
        astride.sort(key=lambda c: (-counts[c][side] / sum(counts[c]), c))
        for cluster in astride:
            loss = counts[cluster][0] - counts[cluster][side]
            if lacking <= 0 or moved + loss > _MOST_MOVED * len(rows):
                break
            home[cluster], moved = side, moved + loss
            lacking -= counts[cluster][side]
    return [
        period if home[cluster] == period else None
        for cluster, period in zip(clusters, periods, strict=True)
    ]


def _by_vectors(vectors: "Vectors") -> Callable[[float], list[int]]:
    def clusters(least: float) -> list[int]:
        import numpy as np

        edges: list[tuple[Numbers, Numbers]] = []
        for start in range(0, len(vectors), _BLOCK):
            cosines = vectors[start : start + _BLOCK] @ vectors.T
            rows, others = np.nonzero(cosines >= least)
            earlier = others < rows + start
            edges.append((rows[earlier] + start, others[earlier]))
        firsts = np.concatenate([first for first, _ in edges]) if edges else np.zeros(0, int)
        seconds = np.concatenate([second for _, second in edges]) if edges else firsts
        return _connected(len(vectors), firsts, seconds)

    return clusters


def _by_words(rows: Sequence[DataRow]) -> Callable[[float], list[int]]:
    sets = [shingles(wording.words) for wording in wordings([row.text for row in rows])]
    pairs = [(a, b, in_common(sets[a], sets[b])) for a, b in meeting(sets)]

    def clusters(least: float) -> list[int]:
        import numpy as np

        edges = np.array([(a, b) for a, b, share in pairs if share >= least], int).reshape(-1, 2)
        return _connected(len(rows), edges[:, 0], edges[:, 1])

    return clusters


def _connected(count: int, firsts: "Numbers", seconds: "Numbers") -> list[int]:
    """The number of the cluster of each row."""
    import numpy as np
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    if not count:
        return []
    ones = np.ones(len(firsts), dtype=bool)
    graph = coo_matrix((ones, (firsts, seconds)), shape=(count, count))
    _, numbers = connected_components(graph, directed=False)
    result: list[int] = numbers.tolist()
    return result
