"""Reads files of rows as typed tables: CSV, JSON lines, Parquet, SQLite and DuckDB.

Texts are typed by `column_types.py`; values that a file types itself keep their type.
"""

import csv
import datetime as dt
import decimal
import io
import itertools
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import orjson

from router.knowledge.rows.column_types import (
    Habits,
    Order,
    shown_mark,
    shown_order,
    typed_column,
)
from router.knowledge.rows.schema import Cell, Column, Kind, TypedTable

KINDS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "lines",
    ".ndjson": "lines",
    ".parquet": "parquet",
    ".sqlite": "sqlite",
    ".sqlite3": "sqlite",
    ".duckdb": "duckdb",
}
MOST_ROWS = 2_000_000
MOST_COLUMNS = 500
_MOST_BYTES = 512 * 2**20


class UnreadableTable(ValueError):
    """A file whose rows cannot be read; the message says why."""


def tables_of(path: Path) -> list[TypedTable]:
    """The tables in a file. Raises `UnreadableTable`."""
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        raise UnreadableTable(f"{path.name} is none of {', '.join(KINDS)}")
    if path.stat().st_size > _MOST_BYTES:
        raise UnreadableTable(f"{path.name} is larger than {_MOST_BYTES >> 20} MB: split it")
    try:
        match kind:
            case "csv":
                return [csv_table(path.stem, _decoded(path.read_bytes()))]
            case "lines":
                return [_json_lines(path)]
            case "parquet":
                with duckdb.connect() as database:
                    relation = database.execute("SELECT * FROM read_parquet(?)", [str(path)])
                    return [_of_cursor(path.stem, relation)]
            case "sqlite":
                return _sqlite(path)
            case _:
                return _duckdb(path)
    except (duckdb.Error, sqlite3.Error, csv.Error) as error:
        raise UnreadableTable(f"{path.name} cannot be read: {error}") from error


def _decoded(raw: bytes) -> str:
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16", errors="replace")
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")


def csv_table(name: str, text: str) -> TypedTable:
    """The table of a CSV text, whatever separates its cells."""
    separator = _separator(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    rows = [row for row in itertools.islice(reader, MOST_ROWS + 2) if any(map(str.strip, row))]
    if not rows:
        raise UnreadableTable(f"{name} has no row")
    names = distinct_names(rows[0])
    for number, row in enumerate(rows[1:], 2):
        if len(row) > len(names) and any(map(str.strip, row[len(names) :])):
            raise UnreadableTable(
                f"{name}: row {number} has {len(row)} cells, and the first has {len(names)} names"
            )
    bounded(name, len(rows) - 1, len(names))
    padded = [[*row[: len(names)], *[None] * (len(names) - len(row))] for row in rows[1:]]
    return typed_table(name, names, padded, separator=separator)


def _separator(text: str) -> str:
    """The mark that gives the first rows the same number of cells, more than one."""
    best, most = ",", (0, 0)
    for mark in (",", ";", "\t", "|"):
        head = csv.reader(io.StringIO(text[:100_000], newline=""), delimiter=mark)
        widths = [len(row) for row in itertools.islice(head, 50) if row]
        if widths and widths[0] > 1:
            alike = sum(width == widths[0] for width in widths), widths[0]
            if alike > most:
                best, most = mark, alike
    return best


def distinct_names(cells: Sequence[Any]) -> list[str]:
    """The names of columns: none is empty, and no two are alike."""
    names: list[str] = []
    for number, cell in enumerate(cells, 1):
        name = " ".join(str(cell).split()) or f"column {number}"
        taken = {other.lower() for other in names}
        tries = itertools.chain((name,), (f"{name} {n}" for n in itertools.count(2)))
        names.append(next(each for each in tries if each.lower() not in taken))
    return names


def bounded(name: str, rows: int, columns: int) -> None:
    if rows > MOST_ROWS or columns > MOST_COLUMNS:
        raise UnreadableTable(
            f"{name} has more than {MOST_ROWS:,} rows or {MOST_COLUMNS} columns: split it"
        )


def typed_table(
    name: str, names: Sequence[str], rows: Sequence[Sequence[Any]], *, separator: str = ","
) -> TypedTable:
    """A table of values as a file gave them: texts are typed, other values keep their type."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    texts = [
        column if all(cell is None or isinstance(cell, str) for cell in column) else None
        for column in columns
    ]
    habits = _habits([column for column in texts if column is not None], separator)
    typed: list[tuple[Column, list[Cell]]] = []
    for label, column, text in zip(names, columns, texts, strict=True):
        typed.append(_stored(label, column) if text is None else typed_column(label, text, habits))
    return TypedTable(
        name,
        tuple(column for column, _ in typed),
        list(zip(*(cells for _, cells in typed), strict=True)),
    )


def _habits(columns: Sequence[Sequence[str | None]], separator: str) -> Habits:
    marks = {shown_mark(column) for column in columns} - {""}
    orders = {shown_order(column) for column in columns} - {""}
    order: Order = min(orders) if len(orders) == 1 else ""
    if not order and not orders and (separator == ";" or marks == {","}):
        order = "dmy"  # a file with decimal commas comes from where days stand first
    mark = min(marks) if len(marks) == 1 else ("," if separator == ";" and not marks else "")
    return Habits(mark=mark, order=order)


def _stored(name: str, cells: Iterable[Any]) -> tuple[Column, list[Cell]]:
    """A column of values that have a type already."""
    present = [cell for cell in cells if cell is not None]
    kind: Kind = "text"
    if all(isinstance(cell, bool) for cell in present):
        kind = "boolean"
    elif all(isinstance(cell, int) and abs(cell) < 2**63 for cell in present):
        kind = "integer"
    elif all(isinstance(cell, int | float | decimal.Decimal) for cell in present):
        kind = "number"
    elif all(isinstance(cell, dt.datetime) for cell in present):
        kind = "datetime"
    elif all(isinstance(cell, dt.date) for cell in present):
        kind = "date"
    return Column(name, kind), [_cell(cell, kind) for cell in cells]


def _cell(cell: Any, kind: Kind) -> Cell:
    if cell is None or cell != cell:  # NaN is no value
        return None
    match kind:
        case "boolean" | "integer":
            return int(cell)
        case "number":
            return float(cell)
        case "datetime":
            return str(cell.replace(tzinfo=None, microsecond=0).isoformat(" "))
        case "date":
            return str(cell.isoformat())
        case _:
            if isinstance(cell, str):
                return cell.strip() or None
            return orjson.dumps(cell, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def _json_lines(path: Path) -> TypedTable:
    records = []
    for number, line in enumerate(_decoded(path.read_bytes()).splitlines(), 1):
        if not line.strip():
            continue
        try:
            record = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise UnreadableTable(f"{path.name}: line {number} is not JSON: {error}") from error
        if not isinstance(record, dict):
            raise UnreadableTable(f"{path.name}: line {number} is not an object")
        records.append(record)
    names = list(dict.fromkeys(key for record in records for key in record))
    if not names:
        raise UnreadableTable(f"{path.name} has no row")
    bounded(path.stem, len(records), len(names))
    rows = [[record.get(name) for name in names] for record in records]
    return typed_table(path.stem, distinct_names(names), rows)


def _of_cursor(name: str, cursor: Any) -> TypedTable:
    names = [str(item[0]) for item in cursor.description]
    rows = cursor.fetchmany(MOST_ROWS + 1)
    bounded(name, len(rows), len(names))
    return typed_table(name, distinct_names(names), rows)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _sqlite(path: Path) -> list[TypedTable]:
    database = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    try:
        names = database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' "
            "AND substr(name, 1, 7) <> 'sqlite_' ORDER BY name"
        ).fetchall()
        return [
            _of_cursor(name, database.execute(f"SELECT * FROM {_quoted(name)}"))
            for (name,) in names
        ]
    finally:
        database.close()


def _duckdb(path: Path) -> list[TypedTable]:
    with duckdb.connect(str(path), read_only=True) as database:
        names = database.execute(
            "SELECT table_name FROM duckdb_tables() WHERE NOT internal ORDER BY table_name"
        ).fetchall()
        return [
            _of_cursor(name, database.execute(f"SELECT * FROM {_quoted(name)}"))
            for (name,) in names
        ]
