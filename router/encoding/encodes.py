"""The protocol of a sentence encoder: a name, and vectors of length one."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]


class Encodes(Protocol):
    """A sentence encoder. Never compare vectors of encoders with different names."""

    def __hash__(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def dimensions(self) -> int: ...
    def encode(self, texts: Sequence[str]) -> "Vectors":
        """One row of length one for each text, in the order of the texts. The other texts of a call
        change no row."""
        ...
