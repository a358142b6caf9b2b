"""`waggle policy ...`: compares policies; lists the learner's snapshots, pins or restores one."""

import time
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.table import Table

from router.cli.context import CommandContext, in_context
from router.cli.policy_compare import compare
from router.cli.terminal import InputRefused, out, utc_time
from router.cli.trial_book import open_ledger
from router.learning.registry import Registry, Version
from router.trials import changes

policy_app = typer.Typer(
    name="policy",
    help="Policies: compare two on logged requests; list, pin or restore the learner's snapshots.",
    no_args_is_help=True,
)
policy_app.command()(compare)
SnapshotName = Annotated[str, typer.Argument(help="Name of the snapshot, or its beginning.")]


@policy_app.command("list")
@in_context
def list_snapshots(here: CommandContext) -> None:
    """List every stored snapshot, and how much the learner knew at that time."""
    registry = _registry(here)
    table = Table("snapshot", "at (UTC)", "judged", "plans", "features", "size", "", box=None)
    for version in registry.versions():
        table.add_row(*_row(version, registry.pinned))
    out.print(table)


def _row(version: Version, pinned: str) -> Sequence[str]:
    from learner.snapshot import UnreadableSnapshot, opened

    content = version.path.read_bytes()
    size = f"{len(content) / 1024:.0f} kB"
    try:
        snapshot = opened(content)
    except UnreadableSnapshot as error:
        return version.name, "", "", "", "", size, f"[red]{error}[/]"
    at = utc_time(int(snapshot.get("at", 0)))
    mark = "pinned" if version.name == pinned else ""
    plans = ", ".join(snapshot["arms"])
    return version.name, at, str(snapshot["learned"]), plans, snapshot["features"], size, mark


@policy_app.command()
@in_context
def pin(here: CommandContext, name: SnapshotName) -> None:
    """Decide by this snapshot from now on. The learner continues to learn meanwhile."""
    registry = _registry(here)
    version = _version(registry, name)
    here.record("policy pinned", version.name, before={"pinned": registry.pinned})
    registry.pin(version.name)
    out.print(f"Pinned to {version.name}. Routers follow within a second or two.")


@policy_app.command()
@in_context
def unpin(here: CommandContext) -> None:
    """Decide by the learner's current knowledge again."""
    registry = _registry(here)
    pinned = registry.pinned
    here.record("policy unpinned", pinned)
    registry.unpin()
    out.print(f"No longer pinned to {pinned}." if pinned else "Nothing was pinned.")


@policy_app.command()
@in_context
def rollback(here: CommandContext, name: SnapshotName) -> None:
    """Go back to this snapshot and learn on from there. Later answers are not learned again."""
    registry = _registry(here)
    version = _version(registry, name)
    here.record("policy rolled back", version.name)
    registry.go_back(version.name)
    out.print(f"The learner goes back to {version.name} at its next turn.")


@policy_app.command()
@in_context
def live(here: CommandContext) -> None:
    """Let `auto` answer also what names a model, after a shadow (`objective.start: shadow`)."""
    _switch(here, live=True)
    out.print("`auto` answers from now on. Routers follow within a second or two.")
    out.print("To undo it: waggle policy shadow")


@policy_app.command()
@in_context
def shadow(here: CommandContext) -> None:
    """Serve what callers name again, and only note what `auto` would choose."""
    _switch(here, live=False)
    out.print("`auto` is in the shadow again. Routers follow within a second or two.")
    out.print("It does not switch on by itself any more; waggle policy live does.")


def _switch(here: CommandContext, *, live: bool) -> None:
    why = "an operator said so"
    here.record("auto switched", "live" if live else "shadow")
    open_ledger(here).change(changes.switch, time.time(), live=live, by="operator", why=why)


def _registry(here: CommandContext) -> Registry:
    return Registry(here.config.learner_folder)


def _version(registry: Registry, name: str) -> Version:
    try:
        return registry.find(name)
    except LookupError as error:
        raise InputRefused(str(error)) from None
