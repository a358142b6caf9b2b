"""SQL that reads journals and segments as rows of their table. Strings in, strings out."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from router.telemetry.tables import Table

_LONGEST_LINE = 4 * 2**20  # a reader holds two of them for each file


def quoted(text: str | Path) -> str:
    return "'" + str(text).replace("'", "''") + "'"


def listed(paths: Iterable[str | Path]) -> str:
    return "[" + ", ".join(quoted(path) for path in paths) + "]"


def from_journals(table: Table, version: int, paths: Sequence[str | Path], *, live: bool) -> str:
    """Rows of journals. Live: one may be cut short while it is read, and is then not there yet."""
    columns = {n: t for n, t in table.columns_of(version).items() if n != "writer"}
    read = {name: _journaled(type_, version) for name, type_ in columns.items()}
    chosen = ", ".join(_selected(name, type_, version) for name, type_ in columns.items())
    writer = "parse_filename(filename, true)" if version == 1 else _WRITER
    options = [
        f"columns = {_struct(read)}",
        "format = 'newline_delimited'",
        "filename = true",
        f"maximum_object_size = {_LONGEST_LINE}",
        *(["ignore_errors = true"] if live else []),
    ]
    whole = " WHERE n IS NOT NULL" if live else ""
    return (
        f"(SELECT {chosen}, {writer} AS writer, filename "
        f"FROM read_json({listed(paths)}, {', '.join(options)}){whole})"
    )


def from_segments(paths: Sequence[str | Path]) -> str:
    return f"read_parquet({listed(paths)})"


_WRITER = "split_part(parse_filename(filename), '.', 1)"


def _journaled(type_: str, version: int) -> str:
    if type_ == "TIMESTAMP":
        return "DOUBLE" if version == 1 else "BIGINT"
    return type_


def _selected(name: str, type_: str, version: int) -> str:
    if type_ != "TIMESTAMP":
        return name
    micros = f"({name} * 1e6)::BIGINT" if version == 1 else name
    return f"make_timestamp({micros}) AS {name}"


def _struct(columns: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{name}: {quoted(type_)}" for name, type_ in columns.items()) + "}"
