"""The log of a table: it writes rows to disk at once, and makes them durable soon after.

`append` returns when the kernel has the row, so the row outlives the process; `sync` makes rows
outlive the machine. When the disk refuses, whole rows wait in memory and the file ends in its last
whole line, so a reader never sees half of an acknowledged row. After a failed fsync, the kernel's
copy of everything since the last good fsync cannot be trusted, so the log writes those rows again
to a new file. A writer locks its file while it writes; a file without a lock is ready to be sealed.
"""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from errno import ENOSPC
from pathlib import Path
from typing import Any

from router.files import create_locked, sync_folder
from router.telemetry.lines import encoded

SUFFIX = ".jsonl"
NOBODY = "nobody" + SUFFIX  # an empty journal: DuckDB rejects a pattern that matches no file
_BACKLOG_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Rotation:
    """The limits of a file: when it reaches one, the log closes it and begins another."""

    seconds: float = 5.0
    rows: int = 10_000
    bytes: int = 32 * 2**20


_ROTATION = Rotation()


@dataclass(slots=True)
class _File:
    handle: int
    opened_at: float
    rows: int = 0
    size: int = 0
    synced_size: int = 0
    named_durably: bool = False
    unsynced: deque[tuple[int, bytes]] = field(default_factory=deque)


class Log:
    """Appends rows from any thread, and syncs from one thread. No fsync happens under the lock."""

    def __init__(
        self,
        folder: Path,
        writer: str,
        *,
        rotation: Rotation = _ROTATION,
        clock: Callable[[], float] = time.monotonic,
        fdatasync: Callable[[int], None] = os.fdatasync,
    ) -> None:
        self.durable = 0  # the number of the last durable row
        self.dropped = 0  # rows lost: neither the disk nor the backlog had room
        self.trouble = ""  # the last error of the disk; empty when no row waits
        self._folder, self._writer = folder, writer
        self._rotation, self._clock, self._fdatasync = rotation, clock, fdatasync
        self._lock = threading.Lock()
        self._file: _File | None = None
        self._retired: list[_File] = []  # full or old files that are not synced yet
        self._files = 0
        self._number = 0
        self._backlog: deque[tuple[int, bytes]] = deque()
        self._backlog_bytes = 0
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def due(self) -> bool:
        """Whether a sync has work: rows that are not durable yet, or a file to close."""
        file = self._file
        if file is not None and (file.unsynced or self._expired(file)):
            return True
        return bool(self._retired or self._backlog)

    @property
    def waiting(self) -> int:
        """How many rows the disk has not accepted yet."""
        return len(self._backlog)

    def append(self, row: Mapping[str, Any]) -> int:
        """Append a row and return its number. If the disk refuses the row, it waits in memory."""
        with self._lock:
            number = self._number + 1
            line = encoded(number, row)
            self._number = number
            self._write_or_wait(((number, line),))
            return number

    def append_many(self, rows: Iterable[Mapping[str, Any]], *, strict: bool = False) -> int:
        """Append rows with a single write and return the number of the last row.

        If the disk refuses, a strict append raises `OSError` and changes nothing.
        """
        with self._lock:
            lines = [(n, encoded(n, row)) for n, row in enumerate(rows, self._number + 1)]
            if lines and strict:
                if self._backlog:
                    raise OSError(ENOSPC, self.trouble)
                self._write(lines)
            elif lines:
                self._write_or_wait(lines)
            self._number += len(lines)
            return self._number

    def sync(self) -> int:
        """Make all appended rows durable and return the number of the last row.

        Raises `OSError` if the disk fails. No row is lost then, and the caller may try again.
        """
        with self._lock:
            self._retry()
            if self._file is not None and self._expired(self._file):
                self._retire()
            files = [*self._retired, *([self._file] if self._file is not None else [])]
            states = [(file, len(file.unsynced), file.size) for file in files]
        for file, pending, size in states:
            if pending:
                self._sync_file(file, pending, size)
            with self._lock:
                if file in self._retired and not file.unsynced:
                    self._retired.remove(file)
                    os.close(file.handle)
        return self.durable

    def close(self) -> None:
        """Sync all rows and release every file. Raises `OSError` if some rows are not durable."""
        with self._lock:
            self._retire()
        try:
            self.sync()
        finally:
            with self._lock:
                self._retire()
                for file in self._retired:
                    os.close(file.handle)
                self._retired.clear()

    def _sync_file(self, file: _File, pending: int, size: int) -> None:
        try:
            self._fdatasync(file.handle)
            if not file.named_durably:
                sync_folder(self._folder)
                file.named_durably = True
        except OSError as error:
            with self._lock:
                self._begin_anew(error)
            raise
        with self._lock:
            file.synced_size = size
            for _ in range(pending):
                self.durable = file.unsynced.popleft()[0]

    def _write_or_wait(self, lines: Sequence[tuple[int, bytes]]) -> None:
        if not self._backlog:
            try:
                self._write(lines)
            except OSError as error:
                self.trouble = _reason(error)
            else:
                return
        for number, line in lines:  # new rows queue behind older ones, to keep the order
            if self._backlog_bytes + len(line) > _BACKLOG_BYTES:
                self.dropped += 1
            else:
                self._backlog.append((number, line))
                self._backlog_bytes += len(line)

    def _retry(self) -> None:
        while self._backlog:
            line = self._backlog[0]
            try:
                self._write((line,))
            except OSError as error:
                self.trouble = _reason(error)
                raise
            self._backlog.popleft()
            self._backlog_bytes -= len(line[1])
        self.trouble = ""

    def _write(self, lines: Sequence[tuple[int, bytes]]) -> None:
        file = self._file or self._open()
        data = lines[0][1] if len(lines) == 1 else b"".join([line for _, line in lines])
        try:
            written = os.write(file.handle, data)
            if written != len(data):
                raise OSError(ENOSPC, f"only {written} of {len(data)} bytes fitted on the disk")
        except OSError:
            if not _cut(file.handle, file.size):
                self._retire()  # a half-written line that cannot be cut off must end its file
            raise
        file.size += len(data)
        file.rows += len(lines)
        file.unsynced.extend(lines)

    def _open(self) -> _File:
        self._files += 1
        path = self._folder / f"{self._writer}.{self._files:06d}{SUFFIX}"
        self._file = _File(create_locked(path), self._clock())
        return self._file

    def _expired(self, file: _File) -> bool:
        limits = self._rotation
        old = self._clock() - file.opened_at >= limits.seconds
        return old or file.rows >= limits.rows or file.size >= limits.bytes

    def _retire(self) -> None:
        if self._file is not None:
            self._retired.append(self._file)
            self._file = None

    def _begin_anew(self, error: OSError) -> None:
        """Queue all rows since the last good fsync for a new file: the disk may have lost them."""
        self.trouble = _reason(error)
        self._retire()
        unsure: list[tuple[int, bytes]] = []
        for file in self._retired:
            _cut(file.handle, file.synced_size)
            os.close(file.handle)
            unsure += file.unsynced
        self._retired.clear()
        self._backlog.extendleft(reversed(unsure))
        self._backlog_bytes += sum(len(line) for _, line in unsure)


def _cut(handle: int, size: int) -> bool:
    try:
        os.ftruncate(handle, size)
    except OSError:
        return False
    return True


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
