"""Parts the requests of a space into 16 neighbourhoods, by the direction of their vectors. Pure.

Requests about one matter tend to share a neighbourhood, so a matter on which memory is wrong can
stop alone. The parts are coarse and fixed by a seed: every router finds the same ones.
"""

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from router.reuse.index.matrix import Matrix

_PLANES = 4
_SEED = 20_260_101


def neighbourhood_of(vector: "Matrix | None") -> int:
    """The number of a vector's neighbourhood; 0 without a vector."""
    if vector is None:
        return 0
    sides = _planes(len(vector)) @ vector >= 0
    return sum(1 << n for n, side in enumerate(sides.tolist()) if side)


@lru_cache(maxsize=4)
def _planes(dimensions: int) -> "Matrix":
    import numpy as np

    return np.random.default_rng(_SEED).standard_normal((_PLANES, dimensions)).astype(np.float32)
