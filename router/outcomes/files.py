"""Reads and writes tables of outcomes as CSV, JSON lines or Parquet; the name's end says which.

Not covered: compressed CSV files, and a first row that holds no names.
"""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import orjson

from router.files import write_whole

Row = Mapping[str, Any]
ENDINGS = (".csv", ".jsonl", ".ndjson", ".parquet")


class UnreadableTable(ValueError):
    """A file is no table that can be used. The message names the file, the fault and the mend."""


def check_ending(path: Path) -> None:
    if path.suffix.lower() not in ENDINGS:
        raise UnreadableTable(f"{path.name} must end in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}")


def read_rows(path: Path) -> list[dict[str, Any]]:
    """All rows of a table, with a value or None for each column."""
    check_ending(path)
    try:
        match path.suffix.lower():
            case ".csv":
                rows = _csv_rows(path)
            case ".parquet":
                rows = _parquet_rows(path)
            case _:
                rows = _json_rows(path)
    except OSError as error:
        raise UnreadableTable(f"{path} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error, duckdb.Error) as error:
        reason = str(error).splitlines()[0]
        raise UnreadableTable(f"{path} cannot be read as {path.suffix[1:]}: {reason}") from None
    if not rows:
        raise UnreadableTable(f"{path} holds no row")
    return rows


def write_rows(path: Path, rows: Sequence[Row], types: Mapping[str, str]) -> None:
    """Write a table whole or not at all. `types` names the columns, with their types in SQL."""
    check_ending(path)
    match path.suffix.lower():
        case ".csv":
            text = io.StringIO()
            writer = csv.DictWriter(text, list(types), extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)
            write_whole(path, text.getvalue().encode())
        case ".parquet":
            _write_parquet(path, rows, types)
        case _:
            lines = (orjson.dumps({name: row.get(name) for name in types}) for row in rows)
            write_whole(path, b"".join(line + b"\n" for line in lines))


def number(value: Any) -> float | None:
    """A finite number, also from a text or a truth value; None for anything else."""
    if isinstance(value, str):
        text = value.strip()
        if text.lower() in ("true", "yes", "correct"):
            return 1.0
        if text.lower() in ("false", "no", "wrong", "incorrect"):
            return 0.0
        try:
            value = float(text.removesuffix("%"))
        except ValueError:
            return None
    if isinstance(value, int | float) and math.isfinite(value):
        return float(value)
    return None


def is_missing(value: Any) -> bool:
    if isinstance(value, float) and math.isnan(value):
        return True
    return value is None or (
        isinstance(value, str) and value.strip().lower() in ("", "nan", "none", "null", "n/a", "-")
    )


def _csv_rows(path: Path) -> list[dict[str, Any]]:
    csv.field_size_limit(2**27)  # one prompt may be long
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        rows = [dict(row) for row in reader]
    for line, row in enumerate(rows, 2):
        if None in row:
            raise UnreadableTable(
                f"{path}: row {line} has more values than the first row has names"
            )
    return rows


def _json_rows(path: Path) -> list[dict[str, Any]]:
    rows = []
    for line_number, line in enumerate(path.read_bytes().splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise UnreadableTable(f"{path}:{line_number} is not JSON: {error}") from None
        if not isinstance(row, dict):
            raise UnreadableTable(f"{path}:{line_number} must be a JSON object")
        rows.append(row)
    return rows


def _parquet_rows(path: Path) -> list[dict[str, Any]]:
    path.stat()  # DuckDB's own error would call a missing file a pattern
    with duckdb.connect() as con:
        result = con.execute("SELECT * FROM read_parquet(?)", [[str(path)]])
        names = [column[0] for column in result.description or ()]
        return [dict(zip(names, values, strict=True)) for values in result.fetchall()]


def _write_parquet(path: Path, rows: Sequence[Row], types: Mapping[str, str]) -> None:
    beside = path.with_name(path.name + ".new")
    columns = ", ".join(f'"{name}" {kind}' for name, kind in types.items())
    marks = ", ".join("?" * len(types))
    with duckdb.connect() as con:
        con.execute(f"CREATE TABLE outcomes ({columns})")
        values = [[row.get(name) for name in types] for row in rows]
        if values:
            con.executemany(f"INSERT INTO outcomes VALUES ({marks})", values)
        quoted = str(beside).replace("'", "''")
        con.execute(f"COPY outcomes TO '{quoted}' (FORMAT parquet, COMPRESSION zstd)")
    beside.replace(path)
