"""Follows the journals of a table while they grow, so that each line is read and parsed once."""

import contextlib
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from router.telemetry.log import NOBODY, SUFFIX

_NUMBER = re.compile(rb'\{"crc":"[0-9a-f]{8}","v":\d+,"n":(\d+),')
_MOST_BYTES = 8 * 2**20  # of one journal in one look
_LAST_BYTES = 65_536  # enough of the end of a journal for its last line, nearly always
# The time of a folder's last change has steps. A file that came within the step of the last listing
# shows only if the folder is listed again after it.
_STEP_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class JournalRow:
    """A row, the journal that holds it, and the byte at which its line begins."""

    n: int
    row: Mapping[str, Any]
    file: str
    at: int


class JournalFolder:
    """The journals in a table's folder. A look at a quiet folder costs a few system calls."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.files: dict[str, list[str]] = {}  # by writer, from the oldest to the latest
        self._folder, self._clock = folder, clock
        self._changed, self._changed_at = -1, 0.0

    def sizes(self) -> tuple[tuple[str, int], ...]:
        """The latest journal of each writer, which alone may grow, and its size."""
        self._list()
        sizes = []
        for files in self.files.values():
            with contextlib.suppress(FileNotFoundError):
                sizes.append((files[-1], (self._folder / files[-1]).stat().st_size))
        return tuple(sizes)

    def _list(self) -> None:
        changed, now = self._folder.stat().st_mtime_ns, self._clock()
        if changed != self._changed:
            self._changed, self._changed_at = changed, now
        elif now - self._changed_at > _STEP_SECONDS:
            return
        self.files = {}
        for name in sorted(path.name for path in self._folder.iterdir()):
            if name.endswith(SUFFIX) and name != NOBODY:
                self.files.setdefault(name.partition(".")[0], []).append(name)


class JournalTail:
    """The rows of a table after those that were read before, in the order of each writer."""

    def __init__(self, folder: Path, read: Mapping[str, int]) -> None:
        """`read` holds the number of the last row that was read of each writer."""
        self.last = dict(read)
        self.gap = False  # whether a row is missing, or cannot be read here
        self._folder = folder
        self._journals = JournalFolder(folder)
        self._places: dict[str, tuple[str, int]] = {}  # by writer: a journal, and bytes read of it

    def read(self) -> Iterator[tuple[str, JournalRow]]:
        """The next rows of each writer, which are all new rows unless there are very many.

        After a `gap`, ask the catalog instead.
        """
        sizes = dict(self._journals.sizes())
        for writer, files in self._journals.files.items():
            place = self._places.get(writer)
            if place == (files[-1], sizes.get(files[-1])):
                continue
            if place is None:
                files = [file for file in files if not self._is_read(writer, file)]
            name, at = place or ("", 0)
            for file in files:
                if file >= name:
                    rows, end = self._read_file(writer, file, at if file == name else 0)
                    self._places[writer] = file, end
                    yield from ((writer, row) for row in rows)
                    if rows:
                        break

    def row_at(self, file: str, at: int) -> Mapping[str, Any] | None:
        """The row whose line begins at a byte of a journal; None if the journal is gone."""
        with contextlib.suppress(OSError, orjson.JSONDecodeError):
            handle = os.open(self._folder / file, os.O_RDONLY)
            try:
                line = os.pread(handle, _LAST_BYTES, at)
                if b"\n" not in line:
                    line = os.pread(handle, os.fstat(handle).st_size - at, at)
            finally:
                os.close(handle)
            row: Mapping[str, Any] = orjson.loads(line.partition(b"\n")[0])
            return row
        return None

    def _read_file(self, writer: str, file: str, at: int) -> tuple[list[JournalRow], int]:
        content = self._content(file, at)
        rows, last = [], self.last.get(writer, 0)
        for line in content.split(b"\n")[:-1]:
            match = _NUMBER.match(line)
            n = int(match[1]) if match else last + 1
            if n > last:
                self.gap = self.gap or match is None or n != last + 1
                try:
                    rows.append(JournalRow(n, orjson.loads(line), file, at))
                except orjson.JSONDecodeError:
                    self.gap = True
                last = n
            at += len(line) + 1
        self.last[writer] = last
        return rows, at

    def _content(self, file: str, at: int) -> bytes:
        """The next whole lines of a journal."""
        try:
            handle = os.open(self._folder / file, os.O_RDONLY)
        except FileNotFoundError:  # the next row of this writer, or the manifest, shows a gap
            return b""
        try:
            content = os.pread(handle, _MOST_BYTES, at)
            if b"\n" not in content:
                content = os.pread(handle, max(os.fstat(handle).st_size - at, 0), at)
        finally:
            os.close(handle)
        return content[: content.rfind(b"\n") + 1]

    def _is_read(self, writer: str, file: str) -> bool:
        """Whether every row of a journal was read before, by the number of its last line."""
        last = self.last.get(writer, 0)
        if not last:
            return False
        with contextlib.suppress(OSError):
            path = self._folder / file
            size = path.stat().st_size
            with path.open("rb") as journal:
                journal.seek(max(size - _LAST_BYTES, 0))
                lines = journal.read().split(b"\n")
            match = _NUMBER.match(lines[-2]) if len(lines) > 2 else None
            return match is not None and int(match[1]) <= last
        return False
