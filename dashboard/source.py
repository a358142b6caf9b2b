"""Telemetry as any analyst opens it: read-only, one query at a time, whatever becomes of the files.

A catalog that was replaced is opened again; one that is missing, taken or from before is told of as
such, and asked again the next time.
"""

import datetime as dt
import os
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from router.telemetry.store.catalog import CATALOG_FILE

Row = Mapping[str, Any]
Rows = Sequence[Row]

_LONGEST_SECONDS = 10.0
_LOOK_SECONDS = 0.5
_MEMORY = "1GB"


class Missing(Exception):
    """There is nothing to read yet, or just now; the message says what to do."""


class QueryFailed(Exception):
    """One query did not work; the message says why."""


@dataclass(frozen=True, slots=True)
class QueryAnswer:
    """What a query answered, and how long that took."""

    columns: tuple[str, ...]
    rows: Rows
    seconds: float


class Source:
    """One connection, for one thread at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._con: duckdb.DuckDBPyConnection | None = None
        self._seen: tuple[int, int] | None = None
        self.connection = 0  # how many there were; what was made in one is not in the next
        self._lock = threading.Lock()
        self._asking: float | None = None  # since when
        self._closed = threading.Event()
        self._watching: threading.Thread | None = None

    def ask(self, sql: str) -> QueryAnswer:
        """Raises `Missing` or `Failed`."""
        with self._lock:
            begun = time.perf_counter()
            try:
                return self._asked(sql, begun)
            except duckdb.IOException:  # it was replaced, and what it names is gone
                self._close()
                try:
                    return self._asked(sql, begun)
                except duckdb.IOException as error:
                    self._close()
                    raise Missing(f"Telemetry cannot be read just now: {_first(error)}") from None

    def renew(self) -> None:
        """The catalog as it lies there now. Until the next time the same one is asked, and what was
        read into tables of it is still there. Raises `Missing`."""
        with self._lock:
            if self._lying() != self._seen:
                self._close()

    def state(self) -> str:
        """Another one whenever a row was written or sealed; cheap to know."""
        told = []
        try:
            for folder in sorted((self.folder / "journal").iterdir()):
                with os.scandir(folder) as files:
                    told += sorted(f"{one.name} {one.stat().st_size}" for one in files)
            told.append(str((self.folder / CATALOG_FILE).stat().st_mtime_ns))
        except OSError as error:
            told.append(str(error))
        return "\n".join(told)

    def close(self) -> None:
        self._closed.set()
        with self._lock:
            self._close()

    def _watch(self) -> None:
        """One thread for all queries: what takes too long is ended."""
        while not self._closed.wait(_LOOK_SECONDS):
            begun, con = self._asking, self._con
            late = begun is not None and time.monotonic() - begun > _LONGEST_SECONDS
            if late and con is not None:
                con.interrupt()

    def _asked(self, sql: str, begun: float) -> QueryAnswer:
        con = self._open()
        self._asking = time.monotonic()
        try:
            found = con.execute(sql)
            names = tuple(column[0] for column in found.description or ())
            rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
        except duckdb.InterruptException:
            raise QueryFailed(
                f"It took longer than {_LONGEST_SECONDS:g} s: choose a shorter time."
            ) from None
        except duckdb.CatalogException as error:
            hint = "made by an older Waggle? Start the service on it once"
            raise QueryFailed(f"This telemetry lacks something ({hint}): {_first(error)}") from None
        except duckdb.IOException:
            raise
        except duckdb.Error as error:
            raise QueryFailed(_first(error)) from None
        finally:
            self._asking = None
        return QueryAnswer(names, rows, time.perf_counter() - begun)

    def _open(self) -> duckdb.DuckDBPyConnection:
        if self._con is None:
            seen = self._lying()
            self._con, self._seen = self._connected(self.folder / CATALOG_FILE), seen
            self.connection += 1
        return self._con

    def _lying(self) -> tuple[int, int]:
        try:
            found = (self.folder / CATALOG_FILE).stat()
        except OSError:
            self._close()
            raise Missing(f"There is no telemetry in {self.folder} yet.") from None
        return found.st_ino, found.st_mtime_ns

    def _connected(self, path: Path) -> duckdb.DuckDBPyConnection:
        con = duckdb.connect(
            str(path),
            read_only=True,
            config={
                "threads": 1,
                "memory_limit": _MEMORY,
                "temp_directory": "",
                "python_enable_replacements": False,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )
        if self._watching is None:
            self._watching = threading.Thread(target=self._watch, name="watch", daemon=True)
            self._watching.start()
        con.execute("SET TimeZone = 'UTC'")
        con.execute("SET parquet_metadata_cache = true")  # segments are never written again
        return con

    def _close(self) -> None:
        if self._con is not None:
            self._con.close()
            self._con = None


def _first(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:300]


def moment(value: dt.datetime) -> str:
    """As SQL writes it."""
    return f"timestamp '{value:%Y-%m-%d %H:%M:%S}'"
