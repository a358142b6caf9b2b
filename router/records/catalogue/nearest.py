"""The concept whose names are nearest in meaning to a field's name, by the sentence encoder.

The vectors of all names take seconds to compute, so they are computed when a name is first unknown,
and kept beside the encoder's export.
"""

import hashlib
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from router.encoding.encodes import Encodes
from router.files import write_whole
from router.records.catalogue.naming import spelled
from router.records.catalogue.tables import concepts

if TYPE_CHECKING:
    from router.encoding.encodes import Vectors

_ENGLISH, _SPANISH = 5, 2  # names of each concept that are compared
_LEAST = 0.55  # least cosine
_LEAST_LEAD = 0.02  # over the next concept


class Nearest:
    def __init__(self, encoder: Encodes, home: Path) -> None:
        self._encoder, self._home = encoder, home
        self._lock = Lock()
        self._vectors: Vectors | None = None
        self._names = [
            (concept.name, concept.form, name)
            for concept in concepts().values()
            for name in (*concept.english[:_ENGLISH], *concept.spanish[:_SPANISH])
        ]
        self.concept = lru_cache(maxsize=4096)(self._concept)

    def _concept(self, name: str, form: str) -> str:
        """The nearest concept with values of this form; empty if none, or several, are near."""
        words = spelled(name)
        if len(words) < 3:
            return ""
        vector = self._encoder.encode([words])[0]
        best: dict[str, float] = {}
        for (concept, its_form, _), cosine in zip(self._names, self._all() @ vector, strict=True):
            if its_form == form:
                best[concept] = max(best.get(concept, -1.0), float(cosine))
        ranked = sorted(best, key=lambda concept: -best[concept])
        if not ranked or best[ranked[0]] < _LEAST:
            return ""
        sure = len(ranked) < 2 or best[ranked[0]] - best[ranked[1]] >= _LEAST_LEAD
        return ranked[0] if sure or best[ranked[0]] > 0.7 else ""

    def _all(self) -> "Vectors":
        with self._lock:
            if self._vectors is None:
                self._vectors = self._kept()
            return self._vectors

    def _kept(self) -> "Vectors":
        import numpy as np

        texts = [name for _, _, name in self._names]
        key = hashlib.blake2b("\n".join(texts).encode(), digest_size=6).hexdigest()
        path = self._home / self._encoder.name / f"concepts-{key}.npy"
        if path.is_file():
            kept: Vectors = np.load(path)
            return kept
        vectors = self._encoder.encode(texts)
        _keep(path, vectors)
        return vectors


def _keep(path: Path, vectors: "Vectors") -> None:
    """Keep the vectors for the next process, where the folder can be written."""
    import io

    import numpy as np

    buffer = io.BytesIO()
    np.save(buffer, vectors)
    try:
        write_whole(path, buffer.getvalue())
    except OSError:
        return
