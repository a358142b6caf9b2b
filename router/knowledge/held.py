"""The searches that a process holds in memory: those of hot stores stay, the others make room.

A store is loaded when it is first asked, or before that if it is hot. Where the machine's memory
gets short, what was asked the longest ago goes first, and a hot store only where nothing else is
left. A search that goes while it answers is gone for the next question.
"""

import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection

from router.knowledge.asking import StoreSearch
from router.knowledge.rights.rights import Rights
from router.knowledge.store import KnowledgeStore
from router.machine import MIB, memory_free_mb

HOT_READS, HOT_DAYS = 50, 7  # a store with so many reads in so many days is hot
_LEAST_FREE_MB = 512
_LEAST_BYTES = MIB  # a smaller index frees nothing
_LOOK_SECONDS = 5.0
_HOT_SECONDS = 60.0


def hot_stores(rights: Rights) -> frozenset[str]:
    """The stores that were read often lately, by any process of this service."""
    first = time.strftime("%Y-%m-%d", time.gmtime(rights.wall() - HOT_DAYS * 86_400))
    rows = rights.looking.execute(
        "select store from uses where day > ? group by store having sum(reads) >= ?",
        (first, HOT_READS),
    )
    return frozenset(name for (name,) in rows)


class HeldSearches:
    """Safe for several threads."""

    def __init__(
        self,
        hot: Callable[[], Collection[str]],
        *,
        free_mb: Callable[[], int | None] = memory_free_mb,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read_hot, self._free_mb, self._steady = hot, free_mb, steady
        self._lock = threading.Lock()
        self._searches: OrderedDict[str, StoreSearch] = OrderedDict()
        self._looked_at = self._hot_at = float("-inf")
        self._hot: Collection[str] = ()

    def get(self, name: str, store: KnowledgeStore, make: Callable[[], StoreSearch]) -> StoreSearch:
        """The search of a store; made if this process holds none of it."""
        search = self._searches.get(name)
        if search is not None and search.store is not store:  # another one of its name
            search = None
        made = make() if search is None else search
        with self._lock:
            kept = self._searches.get(name)
            if kept is None or kept.store is not store:
                kept = self._searches[name] = made
            self._searches.move_to_end(name)
            now = self._steady()
            if search is None or now - self._looked_at >= _LOOK_SECONDS:
                self._looked_at = now
                self._make_room(name)
        return kept

    def hot(self) -> Collection[str]:
        """The hot stores, as they were a minute ago at most."""
        now = self._steady()
        if now - self._hot_at >= _HOT_SECONDS:
            self._hot_at = now
            try:
                self._hot = self._read_hot()
            except (OSError, sqlite3.Error):  # there is no file of rights yet, or it is busy
                self._hot = ()
        return self._hot

    @property
    def names(self) -> list[str]:
        """The stores that are held, the longest unasked first."""
        return list(self._searches)

    def close(self) -> None:
        with self._lock:
            for search in self._searches.values():
                search.close()
            self._searches.clear()

    def _make_room(self, asked_now: str) -> None:
        free = self._free_mb()
        if free is None or free >= _LEAST_FREE_MB:
            return
        short, hot = (_LEAST_FREE_MB - free) * MIB, self.hot()
        for name in sorted(self._searches, key=lambda each: each in hot):
            size = self._searches[name].held_bytes
            if short <= 0:
                return
            if name != asked_now and size >= _LEAST_BYTES:
                # Not closed: it may be answering. It goes with the last question that uses it.
                del self._searches[name]
                short -= size
