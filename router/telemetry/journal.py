"""The journal of a process: rows about requests, signals and events, written as they happen.

The kernel has a row before `append` returns, so an answered request survives any kill; a power cut
may cost the last milliseconds. Only `keep` waits until its rows are durable, and raises when they
cannot be. No other call fails because of the disk: the journal reports a refusing disk in the log,
in the counters and, once the disk accepts rows again, in an event.
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
    Row,
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
_IDLE_SECONDS = 0.02  # the pause between two syncs when no caller waits
_QUIET_ROUNDS = 10  # pauses without a row, after which the thread sleeps until there is one
_QUIET_SECONDS = 0.5  # or until then, to close files that are old and to look at the clock
_GATHER_SECONDS = 0.001
_PATIENCE_SECONDS = 5.0


class NotDurable(Exception):
    """The signals may be lost. Sending them again is safe."""


class Journal(Protocol):
    """Where a process writes its telemetry. Readers get the rows of a table in the order of
    writing.

    Only `keep` raises, and only `NotDurable`. `close` may be called twice.
    """

    @property
    def trouble(self) -> str:
        """Why rows do not reach the disk at the moment; empty if they do."""

    def append(self, trace: Trace) -> None: ...
    def refuse(self, refusal: Refusal) -> None: ...
    def note(self, event: Event) -> None: ...
    def policy(self, policy: PolicyInForce) -> None: ...
    def trial(self, news: TrialNews) -> None: ...
    async def keep(self, signals: Sequence[Signal]) -> None:
        """Write the signals of a caller and return when they are durable. Raises `NotDurable`."""

    def say(self, signals: Sequence[Signal]) -> None:
        """Write the router's own signals, without waiting until they are durable."""

    def close(self) -> None:
        """Make every row durable that the disk accepts, and release the files."""


class FileJournal:
    """The journal of one writer: a folder for each table, with one open file in each.

    A thread syncs every few milliseconds. Writing a row does not wake the thread, since the thread
    would delay the request whose answer is about to go out. Only `keep` wakes it; the thread then
    waits for a moment, so that several calls of `keep` share a sync. When no row comes for a while,
    the thread sleeps, and the next row wakes it.
    """

    def __init__(
        self,
        folder: Path,
        role: str,
        metrics: Metrics,
        *,
        rotation: Rotation = _ROTATION,
        wall: Callable[[], float] = time.time,
        watch_clock: bool = True,
    ) -> None:
        self.writer = f"{role}-{secrets.token_hex(4)}"
        self._metrics = metrics
        self._logs = {
            name: Log(folder / "journal" / name, self.writer, rotation=rotation) for name in TABLES
        }
        self._wake = threading.Event()
        self._closing = self._asleep = False
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self._troubled = False
        self._dropped_before = self._dropped_counted = 0
        self._wall, self._watch_clock = wall, watch_clock
        self._clock_offset = wall() - time.monotonic()
        self._thread = threading.Thread(target=self._keep_syncing, name="journal", daemon=True)
        self._thread.start()

    @property
    def trouble(self) -> str:
        return next((log.trouble for log in self._logs.values() if log.trouble), "")

    def append(self, trace: Trace) -> None:
        try:
            self._append("requests", request_row(trace))
        except (TypeError, ValueError):  # a bug in telemetry must not cost the caller the answer
            self._metrics.count("waggle_telemetry_rows_lost_total")
            _log.exception("request %s could not be written down", trace.request.id)

    def refuse(self, refusal: Refusal) -> None:
        self._append("requests", refusal_row(refusal))

    def note(self, event: Event) -> None:
        self._append("events", event_row(event))

    def policy(self, policy: PolicyInForce) -> None:
        self._append("policies", policy_row(policy))

    def trial(self, news: TrialNews) -> None:
        self._append("trials", trial_row(news))

    async def keep(self, signals: Sequence[Signal]) -> None:
        log = self._logs["signals"]
        try:
            number = log.append_many(map(signal_row, signals), strict=True)
        except OSError as error:
            self._metrics.count("waggle_telemetry_errors_total")
            raise NotDurable(str(error)) from error
        durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((number, durable))
        self._wake.set()
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await durable
        except TimeoutError:
            reason = log.trouble or f"the disk took longer than {_PATIENCE_SECONDS:g} s"
            raise NotDurable(reason) from None

    def say(self, signals: Sequence[Signal]) -> None:
        self._logs["signals"].append_many(map(signal_row, signals))
        self._awaken()

    def close(self) -> None:
        self._closing = True
        self._wake.set()
        self._thread.join()
        for log in self._logs.values():
            with contextlib.suppress(OSError):  # already reported; the kernel still has the rows
                log.close()

    def _append(self, table: str, row: Row) -> None:
        self._logs[table].append(row)
        self._awaken()

    def _awaken(self) -> None:
        if self._asleep:
            self._wake.set()

    def _keep_syncing(self) -> None:
        quiet = 0  # rounds without a row
        while not self._closing:
            # A row that was written before `_asleep` is set is due, and a later one wakes.
            self._asleep = quiet >= _QUIET_ROUNDS
            sleeps = self._asleep and not self._due
            if self._wake.wait(_QUIET_SECONDS if sleeps else _IDLE_SECONDS):
                self._asleep = False
                time.sleep(_GATHER_SECONDS)
                self._wake.clear()
            quiet = 0 if self._due else quiet + 1
            self._sync()
            self._check_clock()

    @property
    def _due(self) -> bool:
        return any(log.due for log in self._logs.values())

    def _sync(self) -> None:
        failure = ""
        for name, log in self._logs.items():
            if log.due:
                try:
                    log.sync()
                except OSError as error:
                    failure = f"{name}: {error.strerror or error}"
                    self._metrics.count("waggle_telemetry_errors_total")
        self._acknowledge(self._logs["signals"].durable)
        self._report(failure)

    def _acknowledge(self, durable: int) -> None:
        ready = [entry for entry in self._waiting if entry[0] <= durable]
        for entry in ready:
            self._waiting.remove(entry)
            with contextlib.suppress(RuntimeError):  # the caller's event loop has ended
                entry[1].get_loop().call_soon_threadsafe(_resolve, entry[1])

    def _report(self, failure: str) -> None:
        """Log once when trouble begins, and once when it ends, with the number of lost rows."""
        self._metrics.gauge("waggle_telemetry_rows_waiting", self._total("waiting"))
        dropped = self._total("dropped")
        if dropped > self._dropped_counted:
            lost = dropped - self._dropped_counted
            self._metrics.count("waggle_telemetry_rows_lost_total", lost)
            self._dropped_counted = dropped
        if failure and not self._troubled:
            self._troubled = True
            _log.error(
                "telemetry cannot be written (%s): rows wait in memory, free the disk", failure
            )
        elif self._troubled and not failure and not self.trouble:
            self._troubled = False
            lost = dropped - self._dropped_before
            self._dropped_before = dropped
            _log.warning("telemetry is written again; rows lost meanwhile: %d", lost)
            self._note("telemetry", "recovered", rows_lost=lost)

    def _check_clock(self) -> None:
        """Write an event when the wall clock was set: times before and after cannot be compared."""
        offset = self._wall() - time.monotonic()
        step = offset - self._clock_offset
        if self._watch_clock and abs(step) >= _STEP_SECONDS:
            self._clock_offset = offset
            self._note("clock", "stepped", seconds=round(step, 3))

    def _note(self, kind: str, state: str, **detail: Any) -> None:
        now = self._wall()
        self.note(Event(new_id(now), now, kind, self.writer, state, detail))

    def _total(self, name: str) -> int:
        return sum(getattr(log, name) for log in self._logs.values())


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
