"""How sure a store is to hold the answer to a question, found by a bounded look within a decision.

A store whose words say nothing about the question claims nothing, and is not searched further. Else
its words propose a few passages, whose vectors are read from the store: no index is loaded, so the
look costs as much for a million passages as for a thousand. Rows are claimed by how the question is
read; a query runs only where the answer depends on it.
"""

import threading
from functools import lru_cache

from router.encoding.encodes import Encodes
from router.encoding.remembering import RememberingEncoder
from router.knowledge.encoders import EncoderFor
from router.knowledge.finding.finder import Finder
from router.knowledge.finding.store_source import StoreSource
from router.knowledge.rows.store_rows import StoreRows
from router.knowledge.store import KnowledgeStore
from router.knowledge.vectors import StoreVectors


@lru_cache(maxsize=4)
def _remembering(encoder: Encodes) -> RememberingEncoder:
    """All stores with an encoder share what it remembers."""
    return RememberingEncoder(encoder)


class StoreClaimant:
    """One store in decisions. It claims nothing before `prepare` has run."""

    def __init__(self, store: KnowledgeStore, encoder_for: EncoderFor) -> None:
        self.store = store
        self._encoder_for = encoder_for
        self._finder = self._finder_with(_remembering(encoder_for(store)))
        self._rows = StoreRows(store)
        self._preparing = threading.Lock()
        self._vectors = StoreVectors(store)
        self._prepared_at: tuple[int, bool] | None = None  # see `_state`

    @property
    def behind(self) -> bool:
        """Whether the store, or whether all of it has vectors, changed since `prepare`."""
        return self._prepared_at != self._state

    @property
    def _state(self) -> tuple[int, bool]:
        """The number of the newest event, and whether any passage waits for its vectors."""
        return self.store.newest, self._vectors.lacking

    def prepare(self) -> None:
        """Read what claims need of the store. It may take seconds, so call it in a thread."""
        with self._preparing:
            state = self._state
            encoder = _remembering(self._encoder_for(self.store))
            if encoder is not self._finder.encoder:
                self._finder = self._finder_with(encoder)
            self._finder.prepare()
            self._rows.prepare()
            self._prepared_at = state

    def _finder_with(self, encoder: RememberingEncoder) -> Finder:
        return Finder(StoreSource(self.store, None, encoder), encoder)

    def claim(self, question: str) -> float:
        if self._prepared_at is None:
            return 0.0
        if self._rows.understands(question):
            return 1.0
        return self._finder.claim(question)
