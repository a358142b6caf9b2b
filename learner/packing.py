"""Arrays as text: little-endian, compressed, and the same to the last bit when read back."""

from base64 import b64decode, b64encode
from typing import Any
from zlib import compress, decompress

import numpy as np
from numpy.typing import NDArray

_FAST = 1


def packed(array: NDArray[Any]) -> str:
    little = array.astype(array.dtype.newbyteorder("<"))
    return b64encode(compress(little.tobytes(), _FAST)).decode()


def unpacked(text: str, kind: type[np.generic]) -> NDArray[Any]:
    little = np.dtype(kind).newbyteorder("<")
    return np.frombuffer(decompress(b64decode(text)), dtype=little).astype(kind)
