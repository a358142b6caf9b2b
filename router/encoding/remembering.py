"""An encoder that remembers the vectors of the latest single texts.

One question is asked of several stores, and each of them wants the same vector.
"""

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import TYPE_CHECKING

from router.encoding.encodes import Encodes

if TYPE_CHECKING:
    from router.encoding.encodes import Vectors

_KEPT = 16


class RememberingEncoder:
    def __init__(self, encoder: Encodes) -> None:
        self._encoder = encoder
        self.name, self.dimensions = encoder.name, encoder.dimensions
        self._lock = Lock()
        self._vectors: OrderedDict[str, Vectors] = OrderedDict()

    def encode(self, texts: Sequence[str]) -> "Vectors":
        if len(texts) != 1:
            return self._encoder.encode(texts)
        with self._lock:
            vectors = self._vectors.get(texts[0])
        if vectors is None:
            vectors = self._encoder.encode(texts)
            with self._lock:
                self._vectors[texts[0]] = vectors
                if len(self._vectors) > _KEPT:
                    self._vectors.popitem(last=False)
        return vectors
