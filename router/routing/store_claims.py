"""Estimates how sure each backend of knowledge is that its stores answer a question of this caller.

Only stores that the caller may read count, by its key at this moment. A claim is no use of a store.
Claims are made within the decision, so their work is bounded: a thread beside reads the stores for
claims, when they come and when they change, and a store claims nothing before; once the claims of a
decision took too long, the stores that are left claim nothing in it.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue

from router.config.backends import KnowledgeSettings
from router.config.config import Config
from router.knowledge.claiming import StoreClaimant
from router.knowledge.encoders import encoder_to_ask
from router.knowledge.opening import StoreShelf
from router.knowledge.rights.reader import Reader, Readers

_MOST_SECONDS = 0.1  # of all claims of one decision
_AGAIN_SECONDS = 30.0  # until a store that could not be read is tried again
_LOOK_SECONDS = 2.0  # between two looks for stores that came or changed
_log = logging.getLogger("waggle")


class StoreClaims:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._home = ""
        self._shelf: StoreShelf | None = None
        self._readers = Readers(Path())
        self._claimants: dict[tuple[str, str], StoreClaimant] = {}
        self._again_at: dict[tuple[str, str], float] = {}  # of stores that could not be read
        self._preparing: set[tuple[str, str]] = set()
        self._waiting: SimpleQueue[tuple[StoreShelf, KnowledgeSettings, str]] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._config: Config | None = None  # the latest that `warm` was called with
        self._trouble: set[str] = set()

    def warm(self, config: Config) -> None:
        """Read the stores now, and those that come later when they come. It may take seconds, so
        call it in a thread."""
        self._config = config
        shelf = self._shelf_of(config)
        for settings, name in self._unread(config):
            self._prepare(shelf, settings, name)
        if knowledge_in(config):
            self._begin()

    def read(self, config: Config) -> bool:
        """Whether claims know all stores that there are, as they are now."""
        return not self._unread(config)

    def _unread(self, config: Config) -> list[tuple[KnowledgeSettings, str]]:
        shelf = self._shelf_of(config)
        return [
            (settings, name)
            for settings in knowledge_in(config).values()
            for name in settings.stores
            if shelf.exists(name)
            and ((own := self._claimants.get((name, settings.encoder or ""))) is None or own.behind)
        ]

    def of(self, config: Config, question: str, key_id: str) -> Mapping[str, float]:
        claims = {}
        until = self._clock() + _MOST_SECONDS
        for name, settings in knowledge_in(config).items():
            try:
                claims[name] = self._claim(config, settings, question, key_id, until)
            except Exception:  # what cannot be read claims nothing; the request goes on
                self._tell_once(name)
        return claims

    def _claim(
        self, config: Config, settings: KnowledgeSettings, question: str, key_id: str, until: float
    ) -> float:
        shelf = self._shelf_of(config)
        reader = self._readers.reader(key_id)
        claim = 0.0
        for name in settings.stores:
            if self._clock() >= until:
                break
            claim = max(claim, self._of_store(shelf, settings, name, question, reader))
        return claim

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
        claimant = self._claimants.get(key)
        if claimant is not None and claimant.store is not store:  # of an earlier store of its name
            self._claimants.pop(key, None)
            claimant = None
        if claimant is None or claimant.behind:
            self._prepare_beside(shelf, settings, name)
        return 0.0 if claimant is None else claimant.claim(question)

    def _prepare_beside(self, shelf: StoreShelf, settings: KnowledgeSettings, name: str) -> None:
        key = (name, settings.encoder or "")
        if key in self._preparing or self._clock() < self._again_at.get(key, 0.0):
            return
        self._preparing.add(key)
        self._begin()
        self._waiting.put((shelf, settings, name))

    def _begin(self) -> None:
        if self._thread is None:  # only one: each thread that reads a store keeps a connection
            self._thread = threading.Thread(target=self._work, name="claims", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while True:
            try:
                shelf, settings, name = self._waiting.get(timeout=_LOOK_SECONDS)
            except Empty:
                self._look()
                continue
            self._prepare(shelf, settings, name)
            self._preparing.discard((name, settings.encoder or ""))

    def _look(self) -> None:
        """Read what came or changed since the last look."""
        config = self._config
        if config is None:
            return
        try:
            for settings, name in self._unread(config):
                self._prepare_beside(self._shelf_of(config), settings, name)
        except Exception:  # such as a store that was archived just now; the next look tries again
            _log.exception("stores could not be looked at for claims")

    def _prepare(self, shelf: StoreShelf, settings: KnowledgeSettings, name: str) -> None:
        key = (name, settings.encoder or "")
        try:
            claimant = self._claimants.get(key)
            if claimant is None:
                encoder_for = partial(encoder_to_ask, settings.encoders, settings.encoder)
                claimant = StoreClaimant(shelf.kept(name), encoder_for)
            claimant.prepare()
            self._claimants[key] = claimant
        except Exception:  # what cannot be read claims nothing; the request goes on
            self._tell_once(name)
            self._again_at[key] = self._clock() + _AGAIN_SECONDS

    def _shelf_of(self, config: Config) -> StoreShelf:
        if self._shelf is None or self._home != str(config.knowledge_folder):
            self._home, self._claimants = str(config.knowledge_folder), {}
            self._shelf = StoreShelf(config.knowledge_folder)
            self._readers = Readers(config.keys_file)
        return self._shelf

    def _tell_once(self, name: str) -> None:
        if name not in self._trouble:
            self._trouble.add(name)
            _log.exception("the knowledge of %s cannot be read, and claims nothing", name)


def knowledge_in(config: Config) -> dict[str, KnowledgeSettings]:
    return {
        name: settings
        for name, settings in config.backends.items()
        if isinstance(settings, KnowledgeSettings) and settings.enabled
    }
