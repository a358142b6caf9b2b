"""Estimates how sure each specialist is that its documents answer a question, without a call.

A question that shares no content word with a specialist's documents is not for that specialist.
Only other questions are encoded. `StoreClaims` does the same for stores of knowledge.
"""

import asyncio
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from router.config.backends import SpecialistSettings
from router.config.config import Config
from router.documents.content_words import content_words
from router.documents.passage_index import current
from router.domain import Request
from router.request.plain import plain
from router.routing.store_claims import StoreClaims, knowledge_in

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from router.documents.passage_index import PassageIndex

    Vector = NDArray[np.float32]

_LOOK_AGAIN_SECONDS = 2.0
_LONGEST = 600  # characters; specialists ignore longer messages
_KEPT_VECTORS = 64  # of the latest requests
_VECTORED = 2000  # characters of a message that go into its sentence vector
_NOTHING: tuple[str, frozenset[str]] = ("", frozenset())
_log = logging.getLogger("waggle")


class Claims:
    def __init__(self) -> None:
        self._vocabularies: dict[str, tuple[str, frozenset[str]]] = {}
        self._indexes: dict[str, PassageIndex] = {}
        self._looked_at = -_LOOK_AGAIN_SECONDS
        self._trouble: set[str] = set()
        self._encoded: tuple[str, Vector | None] = ("", None)
        self._vectors: dict[tuple[str | None, str], list[float]] = {}  # by encoder and plain text
        self._stores = StoreClaims()
        self.preparing = False  # the first export of an encoder takes seconds

    def vector(self, config: Config, request: Request, *, always: bool) -> list[float] | None:
        """The request's sentence vector; without `always`, only if the vector was made already.

        With `always`, the vector is that of the plain text, so it holds still when a request is
        written again with other marks, or more politely.
        """
        text = request.reading.last_words.strip()
        if always:
            return self._vector_of(config, plain(text[:_VECTORED])) if text else None
        vector = self._encoded[1] if text and self._encoded[0] == text else None
        return None if vector is None else vector.tolist()

    def _vector_of(self, config: Config, text: str) -> list[float] | None:
        """The vector of a plain text. The written nodes and the decision of a request both ask."""
        key = (config.reuse.encoder, text)
        if key not in self._vectors:
            vector = self._encode(config, text)
            if vector is None:
                return None
            self._vectors[key] = vector.tolist()
            if len(self._vectors) > _KEPT_VECTORS:
                del self._vectors[next(iter(self._vectors))]
        return self._vectors[key]

    def know(self, config: Config, request: Request, vector: "Vector") -> None:
        """Take over the memory's vector of a request, if all specialists use the same encoder."""
        text = request.reading.last_words.strip()
        if all(s.encoder == config.reuse.encoder for s in _specialists(config).values()):
            self._encoded = (text, vector)

    def _encode(self, config: Config, text: str) -> "Vector | None":
        from router.encoding.home import encoder_of

        try:
            encoder = encoder_of(config.reuse.encoder, str(config.encoders_folder), export=False)
            vector: Vector = encoder.encode([text])[0]
        except Exception:  # without an encoder, the request goes on without a vector
            return None
        return vector

    async def begin(self, config: Config, *, wait_seconds: float) -> "asyncio.Future[None]":
        """Begin to warm in a thread, and if there are stores, wait so long for its end: before it,
        no store claims a question that nothing else may be able to answer."""
        warming = asyncio.ensure_future(asyncio.to_thread(self.warm, config))
        if wait_seconds > 0 and knowledge_in(config):
            await asyncio.wait({warming}, timeout=wait_seconds)
        return warming

    def warm(self, config: Config) -> None:
        """Load indexes and encoders, and read stores. It takes seconds: call this in a thread."""
        if config.objective.learning.encode:
            self._prepare(config)
        specialists = _specialists(config)
        self._look(specialists)
        for name, settings in specialists.items():
            if name in self._vocabularies:
                self._claim(name, settings, "?", [])
        self._stores.warm(config)

    def _prepare(self, config: Config) -> None:
        """Export the encoder of requests, if nobody has exported it yet, and load it."""
        from router.encoding.home import encoder_of

        self.preparing = True
        try:
            encoder_of(config.reuse.encoder, str(config.encoders_folder)).encode(["?"])
        except Exception:  # the router decides without vectors, as if `encode` were off
            _log.exception("the encoder of requests cannot be loaded; they are read by words alone")
        finally:
            self.preparing = False

    def of(self, config: Config, request: Request) -> Mapping[str, float]:
        """How sure each specialist is that its documents answer the request."""
        specialists = _specialists(config)
        if not specialists and not config.knowledge:
            return {}
        question = request.reading.last_words.strip()
        unfit = request.reading.shape is not None or request.reading.needs
        if unfit or not question or len(question) > _LONGEST:
            return {}
        words = content_words(question)
        self._look(specialists)
        interested = [name for name in specialists if self._words_of(name) & set(words)]
        claims = {n: self._claim(n, specialists[n], question, words) for n in interested}
        return {**claims, **self._stores.of(config, question, request.key_id)}

    def _words_of(self, name: str) -> frozenset[str]:
        return self._vocabularies.get(name, _NOTHING)[1]

    def _look(self, specialists: Mapping[str, SpecialistSettings]) -> None:
        """Find the index that each specialist uses now: an index may be replaced at any time."""
        now = time.monotonic()
        if now - self._looked_at < _LOOK_AGAIN_SECONDS:
            return
        self._looked_at = now
        for name, settings in specialists.items():
            try:
                vocabulary = _vocabulary(
                    Path(settings.home or ""), self._vocabularies.get(name, _NOTHING)[0]
                )
            except (OSError, ValueError):
                self._tell_once(name)
                continue
            if vocabulary is not None:
                self._vocabularies[name] = vocabulary
                self._indexes.pop(name, None)

    def _claim(
        self, name: str, settings: SpecialistSettings, question: str, words: list[str]
    ) -> float:
        from router.documents.passage_index import load
        from router.documents.search import claim
        from router.encoding.home import encoder_of

        try:
            encoder = encoder_of(settings.encoder, settings.encoders, export=False)
            if name not in self._indexes:
                self._indexes[name] = load(Path(settings.home or ""))
            if self._indexes[name].encoder != encoder.name:
                return 0.0
            if self._encoded[0] != question:
                self._encoded = (question, encoder.encode([question])[0])
            vector = self._encoded[1]
            return 0.0 if vector is None else claim(self._indexes[name], vector, words)
        except Exception:  # a specialist that cannot be read claims nothing; the request goes on
            self._tell_once(name)
            return 0.0

    def _tell_once(self, name: str) -> None:
        if name not in self._trouble:
            self._trouble.add(name)
            _log.exception("specialist %s cannot be read, and claims nothing", name)


def _specialists(config: Config) -> dict[str, SpecialistSettings]:
    return {
        name: settings
        for name, settings in config.backends.items()
        if isinstance(settings, SpecialistSettings) and settings.home is not None
    }


def _vocabulary(home: Path, current_name: str) -> tuple[str, frozenset[str]] | None:
    """The name and the words of the index in use; None if its name is still `current_name`."""
    folder = current(home)
    if folder is None or folder.name == current_name:
        return None
    words = orjson.loads((folder / "words.json").read_bytes())
    return folder.name, frozenset(words)
