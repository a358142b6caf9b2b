"""Writing down what happened: each process its own files, each row once.

What was appended is with the kernel before `append` returns, so an answer that went out outlives
any kill; it outlives a power cut some milliseconds later. Only `keep` waits for that, and says so
when it cannot be had. Nothing here ever fails a request: a disk that refuses is told of in the log,
in the counters and, once it takes rows again, in an event.
"""

import asyncio
import contextlib
import logging
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from router.domain import Event, PolicyInForce, Refusal, Signal, Trace, TrialNews, new_id
from router.telemetry.log import Log, Rotation
from router.telemetry.metrics import Metrics
from router.telemetry.rows import (
    event_row,
    policy_row,
    refusal_row,
    request_row,
    signal_row,
    trial_row,
)
from router.telemetry.tables import TABLES

_log = logging.getLogger("waggle")
_ROTATION = Rotation()
_STEP_SECONDS = 0.5


class NotDurable(Exception):
    """It could not be promised that this will be remembered; asking again is safe."""


class Journal(Protocol):
    @property
    def trouble(self) -> str:
        """What keeps rows from the disk at this moment; nothing, on a good day."""

    def append(self, trace: Trace) -> None: ...
    def refuse(self, refusal: Refusal) -> None: ...
    def note(self, event: Event) -> None: ...
    def policy(self, policy: PolicyInForce) -> None: ...
    def trial(self, news: TrialNews) -> None: ...
    async def keep(self, signals: Sequence[Signal]) -> None:
        """Returns when they are durable; else raises `NotDurable`."""

    def say(self, signals: Sequence[Signal]) -> None:
        """What we found ourselves: nobody waits for it to be durable."""

    def close(self) -> None: ...


class FileJournal:
    """One writer's journal: a folder for each table, one file open in each.

    A thread syncs. It looks by itself every few milliseconds, for waking it at each row would have
    it take the interpreter from the very request whose answer is about to go out; only who waits
    for durability wakes it, and it gathers for a moment who else does.
    """

    def __init__(
        self,
        folder: Path,
        role: str,
        metrics: Metrics,
        *,
        rotation: Rotation = _ROTATION,
        gather_seconds: float = 0.001,
        idle_seconds: float = 0.02,
        patience: float = 5.0,
        wall: Callable[[], float] = time.time,
        watch_clock: bool = True,
    ) -> None:
        self.writer = f"{role}-{secrets.token_hex(4)}"
        self._metrics = metrics
        self._logs = {
            name: Log(folder / "journal" / name, self.writer, rotation=rotation) for name in TABLES
        }
        self._gather, self._idle, self._patience = gather_seconds, idle_seconds, patience
        self._wanted = threading.Event()
        self._closing = False
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self._troubled = False
        self._dropped = self._counted = 0
        self._wall, self._watches_clock = wall, watch_clock
        self._clock_offset = wall() - time.monotonic()
        self._thread = threading.Thread(target=self._keep_syncing, name="journal", daemon=True)
        self._thread.start()

    @property
    def trouble(self) -> str:
        return next((log.trouble for log in self._logs.values() if log.trouble), "")

    def append(self, trace: Trace) -> None:
        try:
            self._logs["requests"].append(request_row(trace))
        except (TypeError, ValueError):  # ours to mend, and not at the cost of the answer
            self._metrics.count("waggle_telemetry_rows_lost_total")
            _log.exception("request %s could not be written down", trace.request.id)

    def refuse(self, refusal: Refusal) -> None:
        self._logs["requests"].append(refusal_row(refusal))

    def note(self, event: Event) -> None:
        self._logs["events"].append(event_row(event))

    def policy(self, policy: PolicyInForce) -> None:
        self._logs["policies"].append(policy_row(policy))

    def trial(self, news: TrialNews) -> None:
        self._logs["trials"].append(trial_row(news))

    async def keep(self, signals: Sequence[Signal]) -> None:
        log = self._logs["signals"]
        try:
            number = log.append_many(map(signal_row, signals), strict=True)
        except OSError as error:
            self._metrics.count("waggle_telemetry_errors_total")
            raise NotDurable(str(error)) from error
        durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((number, durable))
        self._wanted.set()
        try:
            async with asyncio.timeout(self._patience):
                await durable
        except TimeoutError:
            reason = log.trouble or f"the disk took longer than {self._patience:g} s"
            raise NotDurable(reason) from None

    def say(self, signals: Sequence[Signal]) -> None:
        self._logs["signals"].append_many(map(signal_row, signals))

    def close(self) -> None:
        self._closing = True
        self._wanted.set()
        self._thread.join()
        for log in self._logs.values():
            with contextlib.suppress(OSError):  # told already; what the kernel has, it has
                log.close()

    def _keep_syncing(self) -> None:
        while not self._closing:
            if self._wanted.wait(self._idle):
                time.sleep(self._gather)
                self._wanted.clear()
            self._sync()
            self._watch_clock()

    def _sync(self) -> None:
        failed = ""
        for name, log in self._logs.items():
            if log.due:
                try:
                    log.sync()
                except OSError as error:
                    failed = f"{name}: {error.strerror or error}"
                    self._metrics.count("waggle_telemetry_errors_total")
        self._answer(self._logs["signals"].durable)
        self._tell(failed)

    def _answer(self, durable: int) -> None:
        ready = [entry for entry in self._waiting if entry[0] <= durable]
        for entry in ready:
            self._waiting.remove(entry)
            with contextlib.suppress(RuntimeError):  # its loop has ended
                entry[1].get_loop().call_soon_threadsafe(_resolve, entry[1])

    def _tell(self, failed: str) -> None:
        """Trouble is said once when it begins and once when it ends, with what it cost."""
        self._metrics.gauge("waggle_telemetry_rows_waiting", self._count("waiting"))
        dropped = self._count("dropped")
        if dropped > self._counted:
            self._metrics.count("waggle_telemetry_rows_lost_total", dropped - self._counted)
            self._counted = dropped
        if failed and not self._troubled:
            self._troubled = True
            _log.error(
                "telemetry cannot be written (%s): rows wait in memory, free the disk", failed
            )
        elif self._troubled and not failed and not self.trouble:
            self._troubled = False
            lost = dropped - self._dropped
            self._dropped = dropped
            _log.warning("telemetry is written again; rows lost meanwhile: %d", lost)
            self._event("telemetry", self.writer, "recovered", rows_lost=lost)

    def _watch_clock(self) -> None:
        """A wall clock that was set is worth an event: times before and after do not compare."""
        offset = self._wall() - time.monotonic()
        step = offset - self._clock_offset
        if self._watches_clock and abs(step) >= _STEP_SECONDS:
            self._clock_offset = offset
            self._event("clock", self.writer, "stepped", seconds=round(step, 3))

    def _event(self, kind: str, subject: str, state: str, **detail: Any) -> None:
        now = self._wall()
        self.note(Event(new_id(now), now, kind, subject, state, detail))

    def _count(self, name: str) -> int:
        return sum(getattr(log, name) for log in self._logs.values())


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
