"""Reads telemetry as any analyst does: read-only, one query at a time.

A service may change the files meanwhile. A replaced catalog is opened again. If the catalog is
missing, locked or of an older version, an exception says so, and the next query tries again.
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
    """Telemetry does not exist yet, or cannot be read at the moment."""


class QueryFailed(Exception):
    """A query failed; the message says why."""


@dataclass(frozen=True, slots=True)
class QueryAnswer:
    """A query's rows, and how long it took."""

    columns: tuple[str, ...]
    rows: Rows
    seconds: float


class Source:
    """One connection to telemetry, for one thread at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._con: duckdb.DuckDBPyConnection | None = None
        self._opened: tuple[int, int] | None = None  # identifies the catalog file that is open
        self.connection = 0  # the number of this connection, to which temporary tables belong
        self._lock = threading.Lock()
        self._query_began: float | None = None  # None while no query runs
        self._closed = threading.Event()
        self._watching: threading.Thread | None = None

    def ask(self, sql: str) -> QueryAnswer:
        """Run a query. Raises `Missing` or `QueryFailed`."""
        with self._lock:
            begun = time.perf_counter()
            try:
                return self._execute(sql, begun)
            except duckdb.IOException:  # the catalog was replaced, and its segments are gone
                self._close()
                try:
                    return self._execute(sql, begun)
                except duckdb.IOException as error:
                    self._close()
                    raise Missing(
                        f"Telemetry cannot be read at the moment: {_first_line(error)}"
                    ) from None

    def renew(self) -> None:
        """Use the catalog that is on disk now, until the next `renew`. Raises `Missing`.

        If the catalog is still the same, temporary tables stay.
        """
        with self._lock:
            if self._catalog_identity() != self._opened:
                self._close()

    def state(self) -> str:
        """A text that is cheap to compute, and changes whenever a row is written or sealed."""
        lines = []
        try:
            for folder in sorted((self.folder / "journal").iterdir()):
                with os.scandir(folder) as files:
                    lines += sorted(f"{file.name} {file.stat().st_size}" for file in files)
            lines.append(str((self.folder / CATALOG_FILE).stat().st_mtime_ns))
        except OSError as error:
            lines.append(str(error))
        return "\n".join(lines)

    def close(self) -> None:
        self._closed.set()
        with self._lock:
            self._close()

    def _watch(self) -> None:
        """Interrupt each query that takes too long. One thread watches all queries."""
        while not self._closed.wait(_LOOK_SECONDS):
            begun, con = self._query_began, self._con
            late = begun is not None and time.monotonic() - begun > _LONGEST_SECONDS
            if late and con is not None:
                con.interrupt()

    def _execute(self, sql: str, begun: float) -> QueryAnswer:
        con = self._open()
        self._query_began = time.monotonic()
        try:
            cursor = con.execute(sql)
            names = tuple(column[0] for column in cursor.description or ())
            rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        except duckdb.InterruptException:
            raise QueryFailed(
                f"The query took longer than {_LONGEST_SECONDS:g} s: choose a shorter time, or "
                "wait if the machine is busy."
            ) from None
        except duckdb.CatalogException as error:
            hint = "if an older Waggle wrote it, start the service on it once"
            raise QueryFailed(
                f"This telemetry lacks a table or a column ({hint}): {_first_line(error)}"
            ) from None
        except duckdb.IOException:
            raise
        except duckdb.Error as error:
            raise QueryFailed(_first_line(error)) from None
        finally:
            self._query_began = None
        return QueryAnswer(names, rows, time.perf_counter() - begun)

    def _open(self) -> duckdb.DuckDBPyConnection:
        if self._con is None:
            identity = self._catalog_identity()
            self._con, self._opened = self._connect(self.folder / CATALOG_FILE), identity
            self.connection += 1
        return self._con

    def _catalog_identity(self) -> tuple[int, int]:
        try:
            stat = (self.folder / CATALOG_FILE).stat()
        except OSError:
            self._close()
            raise Missing(f"There is no telemetry in {self.folder} yet.") from None
        return stat.st_ino, stat.st_mtime_ns

    def _connect(self, path: Path) -> duckdb.DuckDBPyConnection:
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
        con.execute("SET parquet_metadata_cache = true")  # segments never change
        return con

    def _close(self) -> None:
        if self._con is not None:
            self._con.close()
            self._con = None


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:300]


def moment(value: dt.datetime) -> str:
    """Write a moment as an SQL literal."""
    return f"timestamp '{value:%Y-%m-%d %H:%M:%S}'"
