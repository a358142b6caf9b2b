"""Finds a request of the last minutes in the journals, with everything that was said about it.

The keeper leaves a sealed journal where it is for `telemetry.grace_seconds`, so the journals hold
all rows of the last minutes, sealed or not. An id says when its request began: only the files that
were written since then are read, and their bytes are searched for the id. A query of the catalog
parses every unsealed row, and takes ten times as long.

What may be incomplete here is not found here: the catalog has it.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from router.telemetry.lines import decoded
from router.telemetry.log import NOBODY, SUFFIX

REMOVED = "journals.removed"  # last changed when journals were removed before their grace period
_MOST_SECONDS = 300.0
_MOST_BYTES = 32 * 2**20  # of the journals of a table; beyond, a query is quicker
_MOST_IDS = 8
_SLACK_SECONDS = 2.0  # the clock of a file system runs in steps, and behind
Row = Mapping[str, Any]


class _Unsure(Exception):
    """The journals may not hold everything, or hold a damaged line."""


class FoundRequest(NamedTuple):
    """The row of a request, and the rows of its signals from the oldest to the latest."""

    row: Row
    signals: Sequence[Row]


class JournalSearch:
    def __init__(
        self, folder: Path, *, grace_seconds: float, wall: Callable[[], float] = time.time
    ) -> None:
        self._folder, self._wall = folder, wall
        self.grace_seconds = grace_seconds

    def find(self, request_ids: Sequence[str]) -> dict[str, FoundRequest]:
        """The requests with these ids that a plan answered, as far as they are surely here."""
        if len(request_ids) > _MOST_IDS:
            return {}
        rows = {}
        for request_id in request_ids:
            try:
                rows[request_id] = self._find(request_id)
            except (_Unsure, OSError):
                continue
        return {request_id: row for request_id, row in rows.items() if row is not None}

    def _find(self, request_id: str) -> FoundRequest | None:
        began = began_at(request_id)
        if began is None or not self._holds(began):
            return None
        row = next(self._rows("requests", request_id, began), None)
        if row is None or row.get("plan") is None or not self._holds(row["ts"] / 1e6):
            return None
        since = min(began, row["ts"] / 1e6)
        signals = self._rows("signals", request_id, since)
        own = {_place(s): s for s in signals if s["request_ts"] == row["ts"]}
        return FoundRequest(row, [own[place] for place in sorted(own)])

    def _holds(self, moment: float) -> bool:
        """Whether the journals hold every row that was written since a moment."""
        now = self._wall()
        if not now - min(self.grace_seconds / 2, _MOST_SECONDS) < moment < now + _SLACK_SECONDS:
            return False
        try:
            removed_at = (self._folder / REMOVED).stat().st_mtime
        except FileNotFoundError:
            return True
        return removed_at + _SLACK_SECONDS < moment

    def _rows(self, table: str, request_id: str, since: float) -> Iterator[Row]:
        """The rows with this id in the journals that were written to since a moment."""
        needle = b'"request_id":"%b"' % request_id.encode()
        left = _MOST_BYTES
        for path, size in self._files(self._folder / "journal" / table, since):
            left -= size
            if left < 0:
                raise _Unsure
            content = path.read_bytes()
            at = content.find(needle)
            while at >= 0:
                start, end = content.rfind(b"\n", 0, at) + 1, content.find(b"\n", at)
                if end < 0:  # the writer has not acknowledged the row yet
                    break
                line = content[start : end + 1]
                if decoded(line).bad:
                    raise _Unsure
                row = orjson.loads(line)
                if row["request_id"] == request_id:
                    # A disk that refused rows may have made their writer write them twice.
                    yield row | {"writer": path.name.partition(".")[0]}
                at = content.find(needle, end)

    def _files(self, folder: Path, since: float) -> list[tuple[Path, int]]:
        """The journals that were written to since a moment, and their sizes; those first to which
        nothing more is written."""
        by_writer: dict[str, list[str]] = {}
        for name in sorted(path.name for path in folder.iterdir()):
            if name.endswith(SUFFIX) and name != NOBODY:
                by_writer.setdefault(name.partition(".")[0], []).append(name)
        files = []
        for names in by_writer.values():
            for name in reversed(names):
                status = (folder / name).stat()
                if status.st_mtime + _SLACK_SECONDS < since:
                    break
                files.append((status.st_mtime, folder / name, status.st_size))
        return [(path, size) for _, path, size in sorted(files)]


def began_at(request_id: str) -> float | None:
    """When the request of an id began, in seconds; None for an id that does not say."""
    if len(request_id) != 36 or request_id[14] != "7":
        return None
    try:
        return int(request_id[:8] + request_id[9:13], 16) / 1000
    except ValueError:
        return None


def _place(signal: Row) -> tuple[int, int, str]:
    return signal["ts"], signal["n"], signal["writer"]
