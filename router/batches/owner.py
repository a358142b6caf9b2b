"""Carries out all batches of the service, in one process at a time.

Every router would do it, and the one that holds a lock does; the kernel gives the lock free when
its holder dies, and another router goes on within a second. Batches share a bound of lines under
way, so they leave the backends to the callers who wait.
"""

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable

from router.batches.carrying_out import Carrying, Turns, Workplace
from router.batches.in_process import AsgiApp, InProcess
from router.batches.records import BatchRecord
from router.batches.store import BatchStore
from router.batches.stored_files import DAY, FileStore
from router.config.config import Config
from router.files import lock_if_free

_log = logging.getLogger("waggle")
_LOOK_SECONDS = 1.0
_AT_ONCE = 16  # batches under way; the next one waits for the end of one
_AGAIN_SECONDS = 10.0  # until a batch that failed for a reason of ours is tried again
_TIDY_SECONDS = 600.0


class BatchOwner:
    """The batches of one router. `wake` says that there may be a new one."""

    def __init__(
        self,
        app: AsgiApp,
        config: Callable[[], Config],
        *,
        live: Callable[[], int],
        wall: Callable[[], float],
        steady: Callable[[], float],
        tell: Callable[[str, str, str], None] = lambda *_: None,
        may_read: Callable[[str, str], bool],
    ) -> None:
        """`live` counts the requests that this router answers; `tell` records an event; `may_read`
        says whether a key may read a store of knowledge now."""
        self._may_read = may_read
        self._app, self._config, self._live = app, config, live
        self._wall, self._steady, self._tell = wall, steady, tell
        self._turns: Turns | None = None
        self._lock: int | None = None
        self._woken = asyncio.Event()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._again: dict[str, float] = {}  # when to try a batch again that failed
        self._tidied_at = -_TIDY_SECONDS

    @property
    def store(self) -> BatchStore:
        return BatchStore(self._config().batches_folder)

    @property
    def files(self) -> FileStore:
        config = self._config()
        return FileStore(config.files_folder, config.server.files, self._may_read)

    @property
    def owns(self) -> bool:
        """Whether this process is the one that carries batches out."""
        return self._lock is not None

    def wake(self) -> None:
        self._woken.set()

    async def keep_working(self) -> None:
        while True:
            try:
                await self.look()
            except OSError as error:
                _log.warning("batches wait: %s", error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._woken.wait()
            self._woken.clear()

    async def look(self) -> None:
        """Take the lock if it is free and, with the lock, begin the batches that have not begun."""
        store = self.store
        if self._lock is None:
            store.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = lock_if_free(store.lock)
        if self._lock is None:
            return
        now = self._steady()
        for record in await asyncio.to_thread(store.unfinished):
            waits = self._again.get(record.id, 0.0) > now
            if record.id not in self._running and not waits and len(self._running) < _AT_ONCE:
                self._running[record.id] = asyncio.ensure_future(self._carry_out(record))
        if now - self._tidied_at >= _TIDY_SECONDS:
            self._tidied_at = now
            wall = self._wall()
            keep_seconds = self._config().server.files.keep_days * DAY
            await asyncio.to_thread(self.files.tidy, wall)
            await asyncio.to_thread(store.tidy, wall - keep_seconds)

    async def close(self) -> None:
        """Stop, and let another process go on."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    async def _carry_out(self, record: BatchRecord) -> None:
        carrying = Carrying(self._workplace(), InProcess(self._app, record.key_id), record)
        try:
            ended = await carrying.run()
            self._tell("batch", record.id, ended.status)
        except Exception:  # a failure of ours, such as a full disk; the batch goes on later
            _log.exception("batch %s stopped, and goes on later", record.id)
            self._again[record.id] = self._steady() + _AGAIN_SECONDS
        finally:
            self._running.pop(record.id, None)

    def _workplace(self) -> Workplace:
        settings = self._config().server.batches
        if self._turns is None or self._turns.most != settings.concurrency:
            self._turns = Turns(settings.concurrency, self._live)
        return Workplace(
            self.store, self.files, self._turns, self._wall, self._steady, settings.lines
        )
