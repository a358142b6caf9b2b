"""Writes a segment: into a new file, which is checked, synced and then renamed."""

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from zlib import crc32

import duckdb

from router.files import replace_durably
from router.telemetry import rollup
from router.telemetry.sql import from_segments, listed, quoted
from router.telemetry.store.manifest import Covers, Segment
from router.telemetry.tables import TABLES

_ROW_GROUP = 40_960  # rows; few, since finding a request means reading whole groups
_PIECE = 2**20


def connect(work: Path, *, threads: int = 1, memory: str = "512MB") -> duckdb.DuckDBPyConnection:
    """Open a database in memory that uses the folder `work` when memory is short."""
    work.mkdir(parents=True, exist_ok=True)
    return duckdb.connect(
        ":memory:",
        config={
            "threads": threads,
            "memory_limit": memory,
            "temp_directory": str(work / "spill"),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "python_enable_replacements": False,
        },
    )


def write(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    table: str,
    sql: str,
    *,
    rows: int | None,
    covers: Covers,
    removed: int = 0,
    damaged: int = 0,
    name: Callable[[], str] = lambda: f"{time.time_ns():020d}-{os.urandom(2).hex()}",
) -> Segment:
    """Write the rows of `sql` into a segment, and check that there are `rows` of them."""
    path = folder / "segments" / f"{table}-{name()}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    con.execute(
        f"COPY ({sql}) TO {quoted(beside)} "
        f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {_ROW_GROUP})"
    )
    ts = "minute" if table in rollup.TABLES else "ts"
    row = con.execute(
        f"SELECT count(*), coalesce(epoch_us(min({ts})), 0), coalesce(epoch_us(max({ts})), 0) "
        f"FROM read_parquet({quoted(beside)})"
    ).fetchone()
    assert row is not None
    count, first, last = row
    if rows is not None and count != rows:
        beside.unlink()
        raise RuntimeError(f"{path.name} would hold {count} rows, and should hold {rows}")
    if table in TABLES:  # another database would take twenty times as long to say so
        _remember_columns(con, beside, path)
    replace_durably(beside, path)
    size, crc = checksum(path)
    return Segment(table, path.name, count, size, crc, first, last, covers, removed, damaged)


def write_rollup(con: duckdb.DuckDBPyConnection, folder: Path, sql: str) -> tuple[Segment, ...]:
    """Write the sums by minute and the same sums by hour; write nothing if there are no sums."""
    minutes = write_sums(con, folder, "rollup", sql)
    path = minutes.path(folder)
    if not minutes.rows:
        path.unlink()
        return ()
    return minutes, write_sums(con, folder, "hours", rollup.by_hour(from_segments([path])))


def write_sums(con: duckdb.DuckDBPyConnection, folder: Path, table: str, sql: str) -> Segment:
    ordered = f"SELECT {', '.join(rollup.COLUMNS)} FROM ({sql}) ORDER BY minute"
    return write(con, folder, table, ordered, rows=None, covers={})


def rows_of(folder: Path, some: Sequence[Segment], paths: str = "") -> str:
    """SQL for the rows of these segments, which belong to the same table, with all its columns.

    Columns are added over time. A row that was sealed before a column was there has null in it.
    `paths` is SQL for the list of their paths; without it, the paths themselves are written.
    """
    named = [segment.path(folder) for segment in some]
    paths = paths or listed(named)
    columns = TABLES[some[0].table].columns
    if all(each in (None, tuple(columns)) for each in _columns_in(named)):
        return f"read_parquet({paths})"
    typed = ", ".join(f"NULL::{type_} AS {name}" for name, type_ in columns.items())
    rows = f"FROM read_parquet({paths}, union_by_name = true)"
    return f"(SELECT {typed} WHERE false UNION ALL BY NAME {rows})"


# The columns of segments, which never change; None if a segment is damaged, which others report.
_columns: dict[Path, tuple[str, ...] | None] = {}
_MOST_REMEMBERED = 10_000


def _columns_in(paths: Sequence[Path]) -> list[tuple[str, ...] | None]:
    """The columns of each of these segments. One database reads all that are not known yet: it
    opens in ten times the time that it takes to read the columns of a file."""
    if len(_columns) >= _MOST_REMEMBERED:
        _columns.clear()
    unknown = [path for path in paths if path not in _columns]
    if unknown:
        with duckdb.connect() as con:
            for path in unknown:
                try:
                    _remember_columns(con, path, path)
                except duckdb.Error:
                    _columns[path] = None
    return [_columns[path] for path in paths]


def _remember_columns(con: duckdb.DuckDBPyConnection, written: Path, path: Path) -> None:
    """Remember the columns of a file that is, or will be, at a path."""
    rows = con.execute(f"DESCRIBE FROM read_parquet({quoted(written)})").fetchall()
    _columns[path] = tuple(row[0] for row in rows)


def checksum(path: Path) -> tuple[int, int]:
    """The size and the CRC of a file."""
    size = crc = 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            size, crc = size + len(piece), crc32(piece, crc)
    return size, crc
