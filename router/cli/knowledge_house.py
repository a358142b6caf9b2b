"""`waggle knowledge archive | restore`: stores that nobody reads, moved out of the way and back."""

import os
import pwd
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.table import Table

from router.cli.context import CommandContext, in_context
from router.cli.knowledge_rights_source import OPERATOR, refusing, rights_of
from router.cli.terminal import CommandRefused, InputRefused, out
from router.knowledge.house.archive import CannotMove, archive, restore, stale
from router.knowledge.opening import StoreShelf

house_app = typer.Typer()


@house_app.command("archive")
@in_context
def archive_store(
    here: CommandContext,
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="The store; none: list the unread ones.")
    ] = None,
    days: Annotated[
        float | None,
        typer.Option("--days", min=1, help="List stores unread for so many days: stale_days."),
    ] = None,
) -> None:
    """List the stores that nobody reads; or move one out of the way, whole and restorable.

    Example: waggle knowledge archive handbook
    """
    with _shelf(here) as shelf:
        if name is None:
            settings = here.config_in_force.knowledge
            _list(shelf, {name: days or own.stale_days for name, own in settings.items()})
            return
        with _moving(name):
            shelf.rights.check_owner(shelf.rights.looking, OPERATOR, name)
            here.record("knowledge archived", name)
            archive(shelf, OPERATOR, name, by=_user())
    out.print(f"{name} is archived. Back: waggle knowledge restore {name}", markup=False)


@house_app.command("restore")
@in_context
def restore_store(
    here: CommandContext, name: Annotated[str, typer.Argument(help="The archived store.")]
) -> None:
    """Bring an archived store back as it was, with its grants.

    Example: waggle knowledge restore handbook
    """
    with _shelf(here) as shelf, _moving(name):
        shelf.rights.check_owner(shelf.rights.looking, OPERATOR, name)
        here.record("knowledge restored", name)
        restore(shelf, OPERATOR, name, by=_user())
    out.print(f"{name} is back.", markup=False)


@contextmanager
def _shelf(here: CommandContext) -> Iterator[StoreShelf]:
    with rights_of(here) as rights:
        shelf = StoreShelf(here.config_in_force.knowledge_folder, rights)
        try:
            yield shelf
        finally:
            shelf.close()


@contextmanager
def _moving(name: str) -> Iterator[None]:
    try:
        with refusing(name):
            yield
    except CannotMove as error:
        raise InputRefused(str(error), "`waggle knowledge archive` lists unread stores") from None
    except OSError as error:
        raise CommandRefused(f"{name} cannot be moved", error.strerror or "") from None


def _list(shelf: StoreShelf, days_of: Mapping[str, float | None]) -> None:
    stores = stale(shelf, OPERATOR, days_of)
    if not stores:
        out.print("No store has gone unread for its days.")
        return
    table = Table("store", "owner", "unread since (UTC)", "days", "archive it by", box=None)
    for store in stores:
        command = f"waggle knowledge archive {store.name}"
        owner = store.owner or "the admins"
        table.add_row(store.name, owner, f"{store.since}", f"{store.days}", command)
    out.print(table)


def _user() -> str:
    return f"user {pwd.getpwuid(os.getuid()).pw_name}"
