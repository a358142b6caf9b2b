"""One writer's rows of one table, on disk the moment they are appended, and safe soon after.

A row is handed to the kernel before `append` returns, so it outlives the process; `sync` makes it
outlive the machine. When the disk refuses, whole rows wait in memory and the file keeps its last
whole line: what was promised is never half there. A failed fsync leaves nothing to trust in the
kernel's copy, so all since the last good one is written anew, elsewhere.

A file is locked by its writer for as long as it is written; free, it is ready to be sealed.
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
NOBODY = "nobody" + SUFFIX  # an empty journal, for a pattern that matches nothing is an error
_BACKLOG_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Rotation:
    """When a file is closed and the next begun."""

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
    """Any thread may append, one thread syncs; the lock between them is held for as long as a
    write takes, never for an fsync."""

    def __init__(
        self,
        folder: Path,
        writer: str,
        *,
        rotation: Rotation = _ROTATION,
        clock: Callable[[], float] = time.monotonic,
        fdatasync: Callable[[int], None] = os.fdatasync,
    ) -> None:
        self.durable = 0  # the last row that outlives the machine
        self.dropped = 0  # rows that found neither disk nor room to wait
        self.trouble = ""  # what the disk last said, while rows wait
        self._folder, self._writer = folder, writer
        self._rotation, self._clock, self._fdatasync = rotation, clock, fdatasync
        self._lock = threading.Lock()
        self._file: _File | None = None
        self._leaving: list[_File] = []  # no longer written to, not yet synced
        self._files = 0
        self._number = 0
        self._backlog: deque[tuple[int, bytes]] = deque()
        self._backlog_bytes = 0
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def due(self) -> bool:
        """Whether a sync has something to do: rows to make safe, or a file to give away."""
        file = self._file
        if file is not None and (file.unsynced or self._expired(file)):
            return True
        return bool(self._leaving or self._backlog)

    @property
    def waiting(self) -> int:
        """Rows that the disk has not taken yet."""
        return len(self._backlog)

    def append(self, row: Mapping[str, Any]) -> int:
        """The row's number. It is in the kernel's hands, or waits where the disk refused it."""
        return self.append_many((row,))

    def append_many(self, rows: Iterable[Mapping[str, Any]], *, strict: bool = False) -> int:
        """As `append`, with one write for all of them; the last one's number.

        Strict: where the disk refuses, raise `OSError` and be as if nothing had been asked.
        """
        with self._lock:
            lines = [(n, encoded(n, row)) for n, row in enumerate(rows, self._number + 1)]
            if lines and strict:
                if self._backlog:
                    raise OSError(ENOSPC, self.trouble)
                self._write(lines)
            elif lines:
                self._take(lines)
            self._number += len(lines)
            return self._number

    def sync(self) -> int:
        """Make durable what was appended before; the number of the last row that is.

        Raises `OSError` where the disk cannot; nothing is lost by that, and it may be tried again.
        """
        with self._lock:
            self._retry()
            if self._file is not None and self._expired(self._file):
                self._leave()
            files = [*self._leaving, *([self._file] if self._file is not None else [])]
            states = [(file, len(file.unsynced), file.size) for file in files]
        for file, pending, size in states:
            if pending:
                self._sync_file(file, pending, size)
            with self._lock:
                if file in self._leaving and not file.unsynced:
                    self._leaving.remove(file)
                    os.close(file.handle)
        return self.durable

    def close(self) -> None:
        """All is durable and every file free; or `OSError`, and what could be is."""
        with self._lock:
            self._leave()
        try:
            self.sync()
        finally:
            with self._lock:
                self._leave()
                for file in self._leaving:
                    os.close(file.handle)
                self._leaving.clear()

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

    def _take(self, lines: Sequence[tuple[int, bytes]]) -> None:
        if not self._backlog:
            try:
                self._write(lines)
            except OSError as error:
                self.trouble = _said(error)
            else:
                return
        for number, line in lines:  # behind those that wait already: order is kept
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
                self.trouble = _said(error)
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
                self._leave()  # half a line that cannot be taken back stays the last of its file
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

    def _leave(self) -> None:
        if self._file is not None:
            self._leaving.append(self._file)
            self._file = None

    def _begin_anew(self, error: OSError) -> None:
        """After a failed fsync nobody knows what the disk holds beyond the last good one."""
        self.trouble = _said(error)
        self._leave()
        unsure: list[tuple[int, bytes]] = []
        for file in self._leaving:
            _cut(file.handle, file.synced_size)
            os.close(file.handle)
            unsure += file.unsynced
        self._leaving.clear()
        self._backlog.extendleft(reversed(unsure))
        self._backlog_bytes += sum(len(line) for _, line in unsure)


def _cut(handle: int, size: int) -> bool:
    try:
        os.ftruncate(handle, size)
    except OSError:
        return False
    return True


def _said(error: OSError) -> str:
    return error.strerror or str(error)
