"""A router's access to the store of conversations, beside the event loop.

Nothing is opened before somebody keeps something. A store that is broken, full or busy fails the
request that needs it with a reason, and no other request.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from router.config.conversations import Conversations
from router.conversations.kept import NotKept, StoreFull
from router.conversations.store import ConversationStore
from router.conversations.tables import UnreadableMemory
from router.wire.errors import Unavailable

_Outcome = TypeVar("_Outcome")
_THREADS = 2  # SQLite admits one writer at a time; the other thread reads
_log = logging.getLogger("waggle")


class ConversationMemory:
    def __init__(
        self, folder: Path, settings: Conversations, may_read: Callable[[str, str], bool]
    ) -> None:
        self.settings = settings
        self._store = ConversationStore(
            folder,
            keep_seconds=settings.keep_seconds,
            max_bytes=settings.max_bytes,
            may_read=may_read,
        )
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="conversations")

    def reconfigure(self, settings: Conversations) -> None:
        self.settings = settings
        self._store.keep_seconds = settings.keep_seconds
        self._store.max_bytes = settings.max_bytes

    async def keep(self, work: Callable[[ConversationStore], _Outcome]) -> _Outcome:
        """Do some work on the store, which is made if nothing was kept before."""
        return await self._beside(work)

    async def look(self, work: Callable[[ConversationStore], _Outcome]) -> _Outcome:
        """Read or delete what was kept; `NotKept` where nothing ever was."""
        if not self.settings.enabled or not self._store.exists:
            raise NotKept("nothing is kept")
        return await self._beside(work)

    async def sweep(self, now: float) -> int:
        """Forget what has expired. Returns the number of forgotten threads."""
        if not self._store.exists:
            return 0
        try:
            return await self._beside(lambda store: store.sweep(now))
        except Unavailable as trouble:
            _log.warning("expired conversations are still kept: %s", trouble.message)
            return 0

    async def _beside(self, work: Callable[[ConversationStore], _Outcome]) -> _Outcome:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, work, self._store)
        except (sqlite3.Error, OSError, UnreadableMemory, StoreFull) as error:
            _log.warning("the store of conversations failed: %s", error)
            message = f"The store of conversations cannot be used now: {error}."
            raise Unavailable("conversations_unavailable", message, 1.0) from error

    def close(self) -> None:
        self._threads.shutdown()
        self._store.close()
