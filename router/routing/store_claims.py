"""Estimates how sure each backend of knowledge is that its stores answer a question of this caller.

Only stores that the caller may read count, by its key at this moment. A claim is no use of a store.
"""

import logging
from collections.abc import Mapping
from pathlib import Path

from router.config.backends import KnowledgeSettings
from router.config.config import Config
from router.knowledge.asking import StoreSearch
from router.knowledge.finding.translating import encoder_named
from router.knowledge.opening import StoreShelf
from router.knowledge.rights.reader import Reader, Readers

_log = logging.getLogger("waggle")


class StoreClaims:
    def __init__(self) -> None:
        self._home = ""
        self._shelf: StoreShelf | None = None
        self._readers = Readers(Path())
        self._searches: dict[tuple[str, str], StoreSearch] = {}
        self._trouble: set[str] = set()

    def of(self, config: Config, question: str, key_id: str) -> Mapping[str, float]:
        claims = {}
        for name, settings in config.backends.items():
            if isinstance(settings, KnowledgeSettings) and settings.enabled:
                try:
                    claims[name] = self._claim(config, settings, question, key_id)
                except Exception:  # what cannot be read claims nothing; the request goes on
                    if name not in self._trouble:
                        self._trouble.add(name)
                        _log.exception(
                            "the knowledge of %s cannot be read, and claims nothing", name
                        )
        return claims

    def _claim(
        self, config: Config, settings: KnowledgeSettings, question: str, key_id: str
    ) -> float:
        shelf = self._shelf_of(config)
        reader = self._readers.reader(key_id)
        return max(self._of_store(shelf, settings, n, question, reader) for n in settings.stores)

    def _shelf_of(self, config: Config) -> StoreShelf:
        if self._shelf is None or self._home != str(config.knowledge_folder):
            self._home, self._searches = str(config.knowledge_folder), {}
            self._shelf = StoreShelf(config.knowledge_folder)
            self._readers = Readers(config.keys_file)
        return self._shelf

    def _of_store(
        self,
        shelf: StoreShelf,
        settings: KnowledgeSettings,
        name: str,
        question: str,
        reader: Reader,
    ) -> float:
        store = shelf.claimed(name, reader)
        if store is None:
            return 0.0
        key = (name, settings.encoder or "")
        if key not in self._searches:
            encoder = encoder_named(settings.encoder, settings.encoders)
            self._searches[key] = StoreSearch(name, store, encoder)
        return self._searches[key].claim(question)
