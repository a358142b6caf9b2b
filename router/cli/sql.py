"""`waggle sql`: queries telemetry; the rows go to the screen or a file, or a shell opens.

No query here changes what was recorded. The queries are the operator's own: they may read and
write the operator's other files. What callers wrote cannot command the terminal. Nothing in the
folder but rows is believed: the views are Waggle's own, not those of its `telemetry.duckdb`.
"""

import atexit
import contextlib
import datetime as dt
import os
import readline
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import duckdb
import typer
from rich.markup import escape
from rich.table import Table

from router.cli.context import CommandContext, in_context, telemetry_catalog
from router.cli.terminal import CommandRefused, InputRefused, err, out
from router.telemetry.query.utc import know_utc
from router.telemetry.sql import quoted
from router.telemetry.store import catalog, manifest
from router.wire.plain_text import plain

_SHOWN_ROWS = 200
_CHANGES = ("INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER", "MERGE_INTO")


class Format(StrEnum):
    table = "table"
    csv = "csv"
    json = "json"
    parquet = "parquet"


@in_context
def sql(
    here: CommandContext,
    query: Annotated[
        str | None, typer.Argument(help="A query in SQL. Without it, a shell opens.")
    ] = None,
    output: Annotated[Format, typer.Option("--format", "-f", help="The format of the rows.")] = (
        Format.table
    ),
    to: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write the rows to this file.")
    ] = None,
) -> None:
    """Query the telemetry, whether or not the service runs. `SHOW TABLES` lists the views.

    Example: waggle sql "select plan, count(*) from requests group by plan"
    """
    catalog_file = telemetry_catalog(here.config)
    if query is None:
        _shell(catalog_file)
        return
    if output is Format.parquet and to is None:
        raise InputRefused("a terminal cannot show parquet", "name a file: --out FILE.parquet")
    try:
        with _connected(catalog_file) as con:
            _write(con, query, output, to)
    except duckdb.Error as error:
        raise CommandRefused(str(error)) from None


def _connected(catalog_file: Path) -> duckdb.DuckDBPyConnection:
    """A new database with our views for each query, because rows move every few seconds."""
    folder = catalog_file.parent.absolute()
    know_utc()
    con = duckdb.connect(config={"python_enable_replacements": False})
    for statement in catalog.in_memory(folder, manifest.load(folder)):
        con.execute(statement)
    return con


def _executed(con: duckdb.DuckDBPyConnection, query: str) -> duckdb.DuckDBPyConnection:
    for statement in con.extract_statements(query):
        with contextlib.suppress(ValueError):  # a kind that DuckDB's Python has no name for
            if statement.type.name in _CHANGES:
                raise CommandRefused(
                    f"telemetry is only read here, and this is {statement.type.name}"
                )
    return con.execute(query)


def _into_a_pipe() -> bool:
    """Whether the output is a pipe, which DuckDB may open by its name."""
    try:
        return stat.S_ISFIFO(os.fstat(sys.stdout.fileno()).st_mode)
    except OSError:  # an output within the process
        return False


def _write(con: duckdb.DuckDBPyConnection, query: str, output: Format, to: Path | None) -> None:
    if output is Format.table and to is None:
        _show(_executed(con, query))
        return
    options = {
        Format.parquet: "FORMAT parquet, COMPRESSION zstd",
        Format.json: "FORMAT json, ARRAY true",
    }.get(output, "FORMAT csv, HEADER true")
    sys.stdout.flush()
    copy = f"COPY ({query.rstrip().rstrip(';')}) TO {{}} ({options})"
    if to is not None or _into_a_pipe():
        con.execute(copy.format(quoted(to) if to is not None else "'/dev/stdout'"))
        return
    # A file that DuckDB opens by the name of the output would lose what was written before.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows"
        con.execute(copy.format(quoted(path)))
        if not sys.stdout.isatty():
            with path.open("rb") as content:
                shutil.copyfileobj(content, sys.stdout.buffer)
            return
        with path.open(encoding="utf-8") as rows:
            for line in rows:
                sys.stdout.write(plain(line))


def _show(cursor: duckdb.DuckDBPyConnection) -> None:
    if not cursor.description:
        return
    rows = cursor.fetchmany(_SHOWN_ROWS + 1)
    table = Table(*(escape(str(column[0])) for column in cursor.description), box=None)
    for column, value in zip(table.columns, rows[0] if rows else (), strict=False):
        column.justify = "right" if isinstance(value, int | float) else "left"
    for row in rows[:_SHOWN_ROWS]:
        table.add_row(*(escape(_cell(value)) for value in row))
    out.print(table)
    if len(rows) > _SHOWN_ROWS:
        err.print(f"The first {_SHOWN_ROWS} rows; all of them: --format csv, json or parquet.")


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case float():
            return f"{value:.6g}"
        case dt.datetime():
            precision = "milliseconds" if value.microsecond else "auto"
            return value.isoformat(sep=" ", timespec=precision)
        case _:
            return str(value)


def _shell(catalog_file: Path) -> None:
    """Run queries from the keyboard; each query sees the newest rows."""
    interactive = sys.stdin.isatty()
    if interactive:
        history = Path.home() / ".waggle_sql_history"
        if history.exists():
            readline.read_history_file(history)
        atexit.register(readline.write_history_file, history)
        out.print("Queries end in a semicolon. SHOW TABLES; lists views; Ctrl-D leaves.")
    for query in _queries(interactive=interactive):
        try:
            with _connected(catalog_file) as con:
                began = time.monotonic()
                _show(_executed(con, query))
                if interactive:
                    out.print(f"[dim]{time.monotonic() - began:.3f} s[/]")
        except (duckdb.Error, CommandRefused) as error:
            err.print(escape(str(error)))
        except KeyboardInterrupt:
            err.print("Interrupted.")


def _queries(*, interactive: bool) -> Iterator[str]:
    """Queries from the keyboard; a query ends at a line that ends in a semicolon."""
    lines: list[str] = []
    while True:
        prompt = ("waggle> " if not lines else "   ...> ") if interactive else ""
        try:
            line = input(prompt)
        except EOFError:
            break
        except KeyboardInterrupt:
            lines = []
            continue
        lines.append(line)
        if line.rstrip().endswith(";"):
            yield "\n".join(lines)
            lines = []
    if any(line.strip() for line in lines):
        yield "\n".join(lines)
