"""SQL that reads journals and segments as rows of their table. Strings in, strings out."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from router.telemetry.tables import TableSchema

_LONGEST_LINE = 4 * 2**20  # a reader holds two of them for each file


def quoted(text: str | Path) -> str:
    return "'" + str(text).replace("'", "''") + "'"


def listed(paths: Iterable[str | Path]) -> str:
    return "[" + ", ".join(quoted(path) for path in paths) + "]"


def from_journals(table: TableSchema, paths: Sequence[str | Path]) -> str:
    """Rows of journals that are whole."""
    columns = {n: t for n, t in table.columns.items() if n != "writer"}
    read = {name: _journaled(type_) for name, type_ in columns.items()}
    chosen = ", ".join(_selected(name, type_, name) for name, type_ in columns.items())
    options = [
        f"columns = {_struct(read)}",
        "format = 'newline_delimited'",
        "filename = true",
        f"maximum_object_size = {_LONGEST_LINE}",
    ]
    return (
        f"(SELECT {chosen}, {_WRITER} AS writer, filename "
        f"FROM read_json({listed(paths)}, {', '.join(options)}))"
    )


def from_live_journals(table: TableSchema, paths: Sequence[str | Path]) -> str:
    """The same of journals that are being written: a line that is cut short is not there yet.

    Each line is read as one value and cast once. DuckDB reads the name of each column's type anew
    for every query that touches the view: 25 ms for the columns of a request, and 6 this way.
    """
    columns = {n: t for n, t in table.columns.items() if n != "writer"}
    struct = ", ".join(f"{name} {_journaled(type_)}" for name, type_ in columns.items())
    chosen = ", ".join(_selected(f"line.{name}", type_, name) for name, type_ in columns.items())
    return (
        f"(SELECT {chosen}, {_WRITER} AS writer, filename FROM "
        f"(SELECT TRY_CAST(line AS STRUCT({struct})) AS line, filename FROM read_json("
        f"{listed(paths)}, columns = {{line: 'JSON'}}, records = false, "
        "format = 'newline_delimited', filename = true, ignore_errors = true, "
        f"maximum_object_size = {_LONGEST_LINE})) WHERE line.n IS NOT NULL)"
    )


def from_segments(paths: Sequence[str | Path]) -> str:
    return f"read_parquet({listed(paths)})"


_WRITER = "split_part(parse_filename(filename), '.', 1)"


def _journaled(type_: str) -> str:
    return "BIGINT" if type_ == "TIMESTAMP" else type_


def _selected(value: str, type_: str, name: str) -> str:
    if type_ == "TIMESTAMP":
        return f"make_timestamp({value}) AS {name}"
    return value if value == name else f"{value} AS {name}"


def _struct(columns: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{name}: {quoted(type_)}" for name, type_ in columns.items()) + "}"
