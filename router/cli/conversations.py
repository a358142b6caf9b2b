"""`waggle conversations ...`: lists, shows and forgets what responses and conversations keep."""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from router.cli.context import CommandContext, in_context, stored_keys
from router.cli.terminal import CommandRefused, InputRefused, out, utc_time
from router.config.config import Config
from router.conversations.kept import BrokenChain, Earlier, NotKept
from router.conversations.store import ConversationStore
from router.conversations.summary_words import words_of
from router.conversations.tables import FILE, UnreadableMemory

conversations_app = typer.Typer(
    name="conversations",
    help="Conversations that are kept for their next turn: list, show, forget them.",
    no_args_is_help=True,
)
KeyOption = Annotated[
    str | None, typer.Option(help="Only what this key keeps, by its name or id; '' without keys.")
]
_DAY = 86_400.0


@conversations_app.command("list")
@in_context
def list_threads(
    here: CommandContext,
    key: KeyOption = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Most rows to show.")] = 50,
) -> None:
    """List conversations and chains of responses, the last used first. Shows none of their words.

    Example: waggle conversations list --key alice
    """
    owner = None if key is None else _owner(here.config, key)
    names = {record.id: record.name for record in stored_keys(here.config)}
    with _store(here.config) as store:
        threads = store.threads(owner, limit)
    if not threads:
        out.print("Nothing is kept.")
        return
    table = Table("key", "id", "kind", "turns", "items", "KB", "last used", box=None)
    for thread in threads:
        whose = names.get(thread.owner, thread.owner) or "anyone"
        counts = str(thread.responses), str(thread.items), f"{thread.bytes / 1e3:.1f}"
        table.add_row(whose, escape(thread.id), thread.kind, *counts, utc_time(thread.touched))
    out.print(table)


@conversations_app.command()
@in_context
def show(
    here: CommandContext,
    id_: Annotated[str, typer.Argument(help="The id of a conversation or of a response.")],
) -> None:
    """Show the words of a conversation, or of all turns up to a response."""
    with _store(here.config) as store:
        earlier = _words(store, id_)
    out.print(escape(words_of(earlier.items)), soft_wrap=True)


def _words(store: ConversationStore, id_: str) -> Earlier:
    now = time.time()
    try:
        owner = store.owner_of(id_)
        try:
            return store.earlier(owner, id_, now)
        except NotKept:
            return store.conversed(owner, id_, now)
    except NotKept:
        mend = "`waggle conversations list` shows what is kept"
        raise InputRefused(f"nothing is kept under the id {id_}", mend) from None
    except BrokenChain as broken:
        mend = "show an earlier response instead"
        raise InputRefused(f"{id_} goes on with {broken.missing}, which is deleted", mend) from None


@conversations_app.command()
@in_context
def forget(
    here: CommandContext,
    ids: Annotated[
        list[str] | None, typer.Argument(help="Conversations, or responses with all their turns.")
    ] = None,
    key: KeyOption = None,
    older_than: Annotated[
        float | None, typer.Option(min=0, help="Only what nobody used for so many days.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Forget without asking first.")] = False,
) -> None:
    """Delete conversations for good, also from the disk. Several conditions must all hold.

    Example: waggle conversations forget --key alice --older-than 7
    """
    if not ids and key is None and older_than is None:
        raise InputRefused(
            "say which conversations", "name ids, or --key NAME, or --older-than DAYS"
        )
    owner = None if key is None else _owner(here.config, key)
    before = None if older_than is None else time.time() - older_than * _DAY
    if not yes:
        typer.confirm("Forget these conversations for good?", abort=True)
    whose = {"key": owner, "ids": list(ids or ()), "older_than_days": older_than}
    here.record("conversations forgotten", key or ", ".join(ids or ())[:200], after=whose)
    with _store(here.config) as store:
        count = store.forget(owner=owner, ids=ids or (), before=before)
    out.print(f"{count} conversations are forgotten.")


def forget_callers(
    config: Config, key_ids: Sequence[str], names: Sequence[str], sessions: Sequence[str]
) -> int:
    """Forget all that these keys keep, and what these sessions keep; `names` are the sessions as
    their callers named them, such as the ids of conversations. Returns how much it was."""
    if not (config.conversations_folder / FILE).is_file():
        return 0
    with _store(config) as store:
        count = sum(store.forget(owner=key_id) for key_id in key_ids)
        return count + store.forget(ids=names) + store.forget_sessions(sessions)


def _owner(config: Config, key: str) -> str:
    """The id of the key with this name or id. Also a key that was deleted may keep something."""
    records = stored_keys(config)
    return next((record.id for record in records if key in (record.id, record.name)), key)


@contextmanager
def _store(config: Config) -> Iterator[ConversationStore]:
    settings = config.conversations
    store = ConversationStore(
        config.conversations_folder,
        keep_seconds=settings.keep_seconds,
        max_bytes=settings.max_bytes,
        may_read=lambda owner, name: True,  # noqa: ARG005 - the operator reads the file anyway
    )
    if not store.exists:
        mend = "requests to /v1/responses keep conversations, if conversations.enabled is true"
        raise CommandRefused(f"no conversation is kept in {config.conversations_folder}", mend)
    try:
        yield store
    except (sqlite3.Error, UnreadableMemory) as error:
        raise CommandRefused("the store of conversations cannot be used", str(error)) from None
    finally:
        store.close()
