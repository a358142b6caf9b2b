"""Finds pairs of sets that have most of their members in common, without comparing all pairs.

Each set is reduced to 126 least hashes (MinHash), whose bands of three are looked up in tables. Two
sets with half of their members in common meet in a band with a chance of .996. The caller then
compares the sets themselves, so a wrong meeting costs time and nothing else.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]

_HASHES = 126
_BAND = 3
_PRIME = (1 << 31) - 1
_CROWD = 64  # members of a band's group that each further member is compared with


def meeting(sets: Sequence[frozenset[int]]) -> Iterator[tuple[int, int]]:
    """Pairs of places whose sets share a band, each pair once, the lower place first."""
    import numpy as np

    full = [place for place, members in enumerate(sets) if members]
    if len(full) < 2:
        return
    least = np.stack([_least(sets[place]) for place in full])
    seen: set[tuple[int, int]] = set()
    for band in range(0, _HASHES, _BAND):
        groups: dict[bytes, list[int]] = {}
        for row, place in enumerate(full):
            group = groups.setdefault(least[row, band : band + _BAND].tobytes(), [])
            for other in group[:_CROWD]:
                if (other, place) not in seen:
                    seen.add((other, place))
                    yield other, place
            group.append(place)


def in_common(first: frozenset[int], second: frozenset[int]) -> float:
    """The share of all members that both sets have (Jaccard)."""
    if not first or not second:
        return 0.0
    both = len(first & second)
    return both / (len(first) + len(second) - both)


def _least(members: frozenset[int]) -> "Hashes":
    import numpy as np

    factors, shifts = _permutations()
    numbers = np.fromiter(members, dtype=np.uint64, count=len(members)) % _PRIME
    result = np.full(_HASHES, _PRIME, dtype=np.uint64)
    for start in range(0, len(numbers), 512):  # a part at a time, to bound the memory
        part = (numbers[start : start + 512, None] * factors + shifts) % _PRIME
        np.minimum(result, part.min(axis=0), out=result)
    return result


def _permutations() -> "tuple[Hashes, Hashes]":
    """The same hash functions in every process."""
    import numpy as np

    numbers = np.random.default_rng(20261128).integers(1, _PRIME, (2, _HASHES), dtype=np.uint64)
    return numbers[0], numbers[1]
