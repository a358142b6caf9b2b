"""`waggle telemetry ...`: shows the size of the recorded rows, checks them, and removes rows."""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from router.api.parse import session_id
from router.cli.context import CommandContext, in_context, stored_keys, telemetry_catalog
from router.cli.conversations import forget_callers
from router.cli.data import forget_data
from router.cli.knowledge_proposals import forget_documents
from router.cli.knowledge_rights_source import forget_reasons
from router.cli.terminal import CommandRefused, InputRefused, err, out, utc_time
from router.config.config import Config
from router.growth.forgetting import forget_made
from router.reuse.solution_store import FILE, SolutionStore, UnreadableStore
from router.telemetry.keeper import rules_of
from router.telemetry.store import manifest
from router.telemetry.store.audit import verify
from router.telemetry.store.keep import Keeper
from router.telemetry.store.remove import Removed

telemetry_app = typer.Typer(
    name="telemetry",
    help="The record of every request: show its size, check it, remove rows.",
    no_args_is_help=True,
)


@telemetry_app.command("status")
@in_context
def show_status(here: CommandContext) -> None:
    """Show the number, the size and the times of the rows in each table."""
    segments = manifest.load(_recorded(here).telemetry_folder).segments
    table = Table("table", "segments", "sealed rows", "MB", "from", "to", box=None)
    for name in sorted({segment.table for segment in segments}):
        own = [segment for segment in segments if segment.table == name]
        rows, size = sum(segment.rows for segment in own), sum(segment.bytes for segment in own)
        first, last = min(segment.first for segment in own), max(segment.last for segment in own)
        times = utc_time(first // 1_000_000), utc_time(last // 1_000_000)
        table.add_row(name, str(len(own)), f"{rows:,}", f"{size / 1e6:.2f}", *times)
    out.print(table)


@telemetry_app.command("verify")
@in_context
def verify_all(here: CommandContext) -> None:
    """Check every checksum, number and count. The exit status is 1 if the check finds a fault."""
    config = _recorded(here)
    with _progress("Reading everything …"):
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
@in_context
def compact(here: CommandContext) -> None:
    """Seal the rows of closed journals, and merge small segments into large ones."""
    config = _recorded(here)
    keeper = _keeper(config)
    before = len(manifest.load(config.telemetry_folder).segments)
    with _progress("Sealing and merging …"):
        keeper.recover()
        while keeper.compact(everything=True):
            pass
        keeper.sweep()
    after = len(manifest.load(config.telemetry_folder).segments)
    out.print(f"{before} segments before, {after} now.")


@telemetry_app.command("prune")
@in_context
def prune(here: CommandContext) -> None:
    """Remove the rows beyond the limits telemetry.keep_days and telemetry.keep_bytes."""
    config = here.config
    rules = rules_of(config.telemetry)
    if rules.keep_seconds is None and rules.keep_bytes is None:
        mend = "set telemetry.keep_days or telemetry.keep_bytes"
        raise InputRefused("no limit says what to prune", mend)
    limits = {"keep_days": config.telemetry.keep_days, "keep_bytes": config.telemetry.keep_bytes}
    here.record("telemetry pruned", str(config.telemetry_folder), after=limits)
    keeper = _keeper(_recorded(here))
    keeper.recover()
    with _progress("Pruning …"):
        removed = keeper.prune(exact=True)
    _show_removed(removed)


@telemetry_app.command("forget")
@in_context
def forget(
    here: CommandContext,
    key: Annotated[
        list[str] | None, typer.Option(help="Remove the rows of this key, by its name or id.")
    ] = None,
    session: Annotated[
        list[str] | None,
        typer.Option(help="Remove the rows of this session, as the caller named it."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Remove without asking first.")] = False,
) -> None:
    """Remove all rows, solutions and conversations of a caller for good, from data sets too.

    Later requests of the caller are recorded as before. The sums that the learner and the rollup
    keep name no caller, and the dollars that a key spent today still count.

    Example: waggle telemetry forget --key alice
    """
    config = here.config
    if not key and not session:
        raise InputRefused("say whose rows", "--key NAME or --session NAME")
    keys = stored_keys(config)
    key_ids = []
    for name in key or ():
        key_ids += [record.id for record in keys if name in (record.id, record.name)] or [name]
    sessions = tuple(_stored_sessions(session or (), [record.id for record in keys]))
    if not yes:
        typer.confirm("Remove these rows, solutions and conversations for good?", abort=True)
    # The name of a session may be a person's, so only the number of sessions is written down.
    whose = {"keys": key_ids, "sessions": len(session or ())}
    here.record("telemetry forgotten", ", ".join(key_ids), after=whose)
    keeper = _keeper(_recorded(here))
    try:
        with _progress("Sealing what is open, then rewriting …"):
            removed = keeper.forget(keys=tuple(key_ids), sessions=sessions)
    except TimeoutError as error:
        raise CommandRefused(str(error)) from None
    _show_removed(removed)
    if removed.damaged:
        out.print(f"Removed {removed.damaged} damaged files, which may have held such rows.")
    solutions = _forget_solutions(config, key_ids, removed.request_ids)
    if solutions:
        out.print(f"Removed {solutions:,} solutions that were answers to these requests.")
    documents = forget_documents(config, removed.request_ids)
    if documents:
        out.print(f"Removed {documents:,} documents of stores that were made of these requests.")
    made = forget_made(config, removed.request_ids, time.time())
    if made:
        out.print(f"Removed {len(made)} made plans that held words of these requests.")
    forget_data(config, removed.request_ids, key_ids, sessions)
    conversations = forget_callers(config, key_ids, session or (), sessions)
    if conversations:
        out.print(f"Removed {conversations:,} conversations that were kept.")
    reasons = forget_reasons(config, key_ids)
    if reasons:
        out.print(f"Removed {reasons:,} reasons that were given for access to stores.")


def _forget_solutions(config: Config, key_ids: Sequence[str], request_ids: Sequence[str]) -> int:
    if not (config.reuse_folder / FILE).is_file():
        return 0
    try:
        store = SolutionStore(config.reuse_folder)
        forgotten = store.forget(request_ids=request_ids)
        return forgotten + sum(store.forget(scope=f"key {key_id}") for key_id in key_ids)
    except (UnreadableStore, sqlite3.Error) as error:
        raise CommandRefused(
            f"the rows are removed, but the solutions could not be: {error}",
            f"mend or delete {config.reuse_folder / FILE}, and say this again",
        ) from None


def _stored_sessions(names: Sequence[str], key_ids: Sequence[str]) -> Iterator[str]:
    """Every form of a stored session: plain, or hashed with the key that named the session."""
    for name in names:
        yield name
        for key_id in ("", *key_ids):
            yield session_id(key_id, name)


def _show_removed(removed: Removed) -> None:
    out.print(f"Removed {removed.rows:,} rows, {removed.bytes / 1e6:.2f} MB.")


def _recorded(here: CommandContext) -> Config:
    """The configuration; refuse if nothing was recorded."""
    telemetry_catalog(here.config)
    return here.config


def _keeper(config: Config) -> Keeper:
    manifest.load(config.telemetry_folder)  # refuses a damaged store before any change
    return Keeper(config.telemetry_folder, rules_of(config.telemetry))


@contextmanager
def _progress(what: str) -> Iterator[None]:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        progress.add_task(what)
        yield
