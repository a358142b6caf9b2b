"""What the rest of the router needs of a sentence encoder: a name, and vectors of length one."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]


class Encodes(Protocol):
    """Vectors of encoders with different names must never be compared."""

    @property
    def name(self) -> str: ...
    @property
    def dimensions(self) -> int: ...
    def encode(self, texts: Sequence[str]) -> "Vectors":
        """One row of length one for each text, in the order of the texts."""
        ...
