"""`waggle sql`: queries telemetry; the rows go to the screen or a file, or a shell opens.

A query only reads; no command here changes what was recorded.
"""

import atexit
import datetime as dt
import readline
import sys
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
from router.telemetry.sql import quoted

_SHOWN_ROWS = 200


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
    """Connect anew for each query, because the service replaces the catalog every few seconds."""
    return duckdb.connect(
        str(catalog_file), read_only=True, config={"python_enable_replacements": False}
    )


def _write(con: duckdb.DuckDBPyConnection, query: str, output: Format, to: Path | None) -> None:
    if output is Format.table and to is None:
        _show(con.execute(query))
        return
    target = quoted(to) if to is not None else "'/dev/stdout'"
    options = {
        Format.parquet: "FORMAT parquet, COMPRESSION zstd",
        Format.json: "FORMAT json, ARRAY true",
    }.get(output, "FORMAT csv, HEADER true")
    sys.stdout.flush()
    con.execute(f"COPY ({query.rstrip().rstrip(';')}) TO {target} ({options})")


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
                _show(con.execute(query))
                if interactive:
                    out.print(f"[dim]{time.monotonic() - began:.3f} s[/]")
        except duckdb.Error as error:
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
