"""`waggle sql` and `waggle telemetry ...`: what people do with what was recorded."""

import atexit
import datetime as dt
import readline
import sys
import time
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import duckdb
import typer
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from router.api.parse import session_id
from router.cli.terminal import ConfigOption, DataOption, Stop, err, out, read
from router.config.config import Config
from router.keys import load_keys
from router.telemetry.keeper import rules_of
from router.telemetry.sql import quoted
from router.telemetry.store import catalog, manifest
from router.telemetry.store.audit import verify
from router.telemetry.store.keep import Keeper
from router.telemetry.store.manifest import Damaged
from router.telemetry.store.remove import Removed

telemetry_app = typer.Typer(help="The record of every request.", no_args_is_help=True)
_SHOWN_ROWS = 200


class Format(StrEnum):
    table = "table"
    csv = "csv"
    json = "json"
    parquet = "parquet"


def sql(
    query: Annotated[str | None, typer.Argument(help="None: a shell.")] = None,
    output: Annotated[Format, typer.Option("--format", "-f", help="How to write it.")] = (
        Format.table
    ),
    to: Annotated[Path | None, typer.Option("--out", "-o", help="A file to write to.")] = None,
    config_file: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Ask the telemetry, while the service runs or not. `SHOW TABLES` lists what there is."""
    path = _database(read(config_file, data=str(data) if data else None))
    if query is None:
        _shell(path)
        return
    if output is Format.parquet and to is None:
        raise Stop("parquet is not for a screen: say where to, --out FILE.parquet", 2)
    try:
        with _connected(path) as con:
            _write(con, query, output, to)
    except duckdb.Error as error:
        raise Stop(str(error)) from None


def _database(config: Config) -> Path:
    path = config.telemetry_folder / catalog.CATALOG_FILE
    if not path.exists():
        raise Stop(f"there is no telemetry in {config.telemetry_folder}: start with `waggle serve`")
    return path


def _connected(path: Path) -> duckdb.DuckDBPyConnection:
    """A fresh look at the catalog: it is replaced every few seconds."""
    return duckdb.connect(str(path), read_only=True, config={"python_enable_replacements": False})


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
            return value.isoformat(
                sep=" ", timespec="milliseconds" if value.microsecond else "auto"
            )
        case _:
            return str(value)


def _shell(path: Path) -> None:
    """Lines until one ends in a semicolon. Each query sees the newest rows."""
    interactive = sys.stdin.isatty()
    if interactive:
        history = Path.home() / ".waggle_sql_history"
        if history.exists():
            readline.read_history_file(history)
        atexit.register(readline.write_history_file, history)
        out.print("Queries end in a semicolon. SHOW TABLES; lists views; Ctrl-D leaves.")
    for query in _queries(interactive=interactive):
        try:
            with _connected(path) as con:
                began = time.monotonic()
                _show(con.execute(query))
                if interactive:
                    out.print(f"[dim]{time.monotonic() - began:.3f} s[/]")
        except duckdb.Error as error:
            err.print(escape(str(error)))
        except KeyboardInterrupt:
            err.print("Interrupted.")


def _queries(*, interactive: bool) -> Iterator[str]:
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


@telemetry_app.command("status")
def status_command(config_file: ConfigOption = None, data: DataOption = None) -> None:
    """How much there is, from when, and how large it is."""
    config = read(config_file, data=str(data) if data else None)
    _database(config)
    now = _manifest(config)
    table = Table("table", "segments", "sealed rows", "MB", "from", "to", box=None)
    for name in sorted({segment.table for segment in now.segments}):
        some = now.of(name)
        table.add_row(
            name,
            str(len(some)),
            f"{sum(s.rows for s in some):,}",
            f"{sum(s.bytes for s in some) / 1e6:.2f}",
            _when(min(s.first for s in some)),
            _when(max(s.last for s in some)),
        )
    out.print(table)


@telemetry_app.command("verify")
def verify_command(config_file: ConfigOption = None, data: DataOption = None) -> None:
    """Check every checksum, number and count. Ends with status 1 where something is wrong."""
    config = read(config_file, data=str(data) if data else None)
    _database(config)
    with _progress() as progress:
        progress.add_task("Reading everything …")
        report = verify(config.telemetry_folder)
    rows = ", ".join(f"{count:,} {name}" for name, count in report.rows.items() if count)
    out.print(
        f"{report.segments} segments ({report.bytes / 1e6:.2f} MB) and {report.journals} journals "
        f"hold {rows or 'no rows'}."
    )
    if not report.findings:
        out.print("[green]Nothing is damaged, missing or there twice.[/]")
        return
    table = Table("where", "what is wrong", "mend", box=None)
    for finding in report.findings:
        table.add_row(escape(finding.where), escape(finding.problem), escape(finding.mend))
    out.print(table)
    raise typer.Exit(1)


@telemetry_app.command("compact")
def compact_command(config_file: ConfigOption = None, data: DataOption = None) -> None:
    """Seal what is closed, and merge small segments into large ones."""
    config = read(config_file, data=str(data) if data else None)
    keeper = _keeper(config)
    before = len(_manifest(config).segments)
    with _progress() as progress:
        task = progress.add_task("Sealing …")
        keeper.recover()
        progress.update(task, description="Merging …")
        while keeper.compact(everything=True):
            progress.advance(task)
        keeper.sweep()
    out.print(f"{before} segments before, {len(_manifest(config).segments)} now.")


@telemetry_app.command("prune")
def prune_command(config_file: ConfigOption = None, data: DataOption = None) -> None:
    """Remove what telemetry.keep_days and telemetry.keep_bytes no longer keep."""
    config = read(config_file, data=str(data) if data else None)
    rules = rules_of(config.telemetry)
    if rules.keep_seconds is None and rules.keep_bytes is None:
        raise Stop("nothing is to be pruned: set telemetry.keep_days or telemetry.keep_bytes", 2)
    keeper = _keeper(config)
    keeper.recover()
    with _progress() as progress:
        progress.add_task("Pruning …")
        removed = keeper.prune(exact=True)
    _removed(removed)


@telemetry_app.command("forget")
def forget_command(
    key: Annotated[list[str] | None, typer.Option(help="Name or id of a key.")] = None,
    session: Annotated[list[str] | None, typer.Option(help="As the caller named it.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    config_file: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Remove all rows of a caller, for good. What is written from now on is kept as before."""
    config = read(config_file, data=str(data) if data else None)
    if not key and not session:
        raise Stop("say whose rows: --key NAME or --session NAME", 2)
    keys = load_keys(config.keys_file)
    key_ids = []
    for name in key or ():
        hit = [one.id for one in keys if name in (one.id, one.name)]
        key_ids += hit or [name]
    sessions = list(_sessions(session or (), [one.id for one in keys]))
    if not yes:
        typer.confirm("Remove these rows for good?", abort=True)
    keeper = _keeper(config)
    try:
        with _progress() as progress:
            progress.add_task("Sealing what is open, then rewriting …")
            removed = keeper.forget(keys=tuple(key_ids), sessions=tuple(sessions))
    except TimeoutError as error:
        raise Stop(str(error)) from None
    _removed(removed)


def _sessions(names: Sequence[str], key_ids: Sequence[str]) -> Iterator[str]:
    """The hashes under which a session may have been kept: it belongs to the key that named it."""
    for name in names:
        yield name
        for key_id in ("", *key_ids):
            yield session_id(key_id, name)


def _removed(removed: Removed) -> None:
    out.print(f"Removed {removed.rows:,} rows, {removed.bytes / 1e6:.2f} MB.")


def _keeper(config: Config) -> Keeper:
    _database(config)
    _manifest(config)
    return Keeper(config.telemetry_folder, rules_of(config.telemetry))


def _manifest(config: Config) -> manifest.Manifest:
    try:
        return manifest.load(config.telemetry_folder)
    except Damaged as error:
        raise Stop(str(error)) from None


def _progress() -> Progress:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    return Progress(*columns, console=err, transient=True)


def _when(micros: int) -> str:
    return dt.datetime.fromtimestamp(micros / 1e6, dt.UTC).strftime("%Y-%m-%d %H:%M:%S")
