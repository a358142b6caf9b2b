"""Builds the SQL that reads journals and segments as rows of their table."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from router.telemetry.tables import TableSchema

_LONGEST_LINE = 4 * 2**20  # bytes; DuckDB reserves twice as much for each file
_WRITER = "split_part(parse_filename(filename), '.', 1)"


def quoted(text: str | Path) -> str:
    return "'" + str(text).replace("'", "''") + "'"


def listed(paths: Iterable[str | Path]) -> str:
    return "[" + ", ".join(quoted(path) for path in paths) + "]"


def from_journals(table: TableSchema, paths: Sequence[str | Path]) -> str:
    """SQL for the rows of closed journals whose lines are all good."""
    types = _journaled_types(table)
    columns = "{" + ", ".join(f"{name}: {quoted(type_)}" for name, type_ in types.items()) + "}"
    selected = ", ".join(_selected(table, name, name) for name in types)
    return (
        f"(SELECT {selected}, {_WRITER} AS writer, filename FROM read_json({listed(paths)}, "
        f"columns = {columns}, format = 'newline_delimited', filename = true, "
        f"maximum_object_size = {_LONGEST_LINE}))"
    )


def from_live_journals(table: TableSchema, paths: str) -> str:
    """SQL for the rows of journals that are being written, without an unfinished last line. `paths`
    is SQL for the list of their paths.

    Each line is read as one JSON value and cast once. With typed columns, DuckDB would parse the
    types anew for each query on the view: 25 ms for the columns of a request, against 6 ms.
    """
    types = _journaled_types(table)
    struct = ", ".join(f"{name} {type_}" for name, type_ in types.items())
    selected = ", ".join(_selected(table, name, f"line.{name}") for name in types)
    return (
        f"(SELECT {selected}, {_WRITER} AS writer, filename FROM "
        f"(SELECT TRY_CAST(line AS STRUCT({struct})) AS line, filename FROM read_json("
        f"{paths}, columns = {{line: 'JSON'}}, records = false, "
        "format = 'newline_delimited', filename = true, ignore_errors = true, "
        f"maximum_object_size = {_LONGEST_LINE})) WHERE line.n IS NOT NULL)"
    )


def from_segments(paths: Sequence[str | Path]) -> str:
    return f"read_parquet({listed(paths)})"


def _journaled_types(table: TableSchema) -> Mapping[str, str]:
    """The types of columns in a journal: times are microseconds, and the writer is left out."""
    return {
        name: "BIGINT" if type_ == "TIMESTAMP" else type_
        for name, type_ in table.columns.items()
        if name != "writer"
    }


def _selected(table: TableSchema, name: str, value: str) -> str:
    if table.columns[name] == "TIMESTAMP":
        value = f"make_timestamp({value})"
    return value if value == name else f"{value} AS {name}"
