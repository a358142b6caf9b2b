"""`waggle knowledge add | list | show | remove`: the stores themselves."""

import re
import shutil
from pathlib import Path
from typing import Annotated

import typer
import yaml
from pydantic import TypeAdapter, ValidationError
from rich.markup import escape
from rich.table import Table

from router.cli.context import CommandContext, in_context
from router.cli.terminal import CommandRefused, InputRefused, out
from router.config.load import EMBEDDED, load
from router.config.made_stores import keep_made_stores, made_stores
from router.config.problems import ConfigError
from router.config.values import NAME_RULE, Name
from router.documents.languages import SPANISH
from router.files import replace_durably, write_whole
from router.knowledge.feeding.folder import FolderFeed
from router.knowledge.feeding.schedule import runs_of
from router.knowledge.finding.store_source import language_in
from router.knowledge.opening import StoreShelf
from router.knowledge.store import KnowledgeStore
from router.knowledge.vectors import StoreVectors

stores_app = typer.Typer()


@stores_app.command("add")
@in_context
def add(
    here: CommandContext,
    name: Annotated[str, typer.Argument(help="Name of the store; the plan is ask-NAME.")],
    folder: Annotated[
        Path | None, typer.Argument(help="A folder to watch; without one, /v1/knowledge feeds it.")
    ] = None,
    owner: Annotated[str | None, typer.Option(help="Name of the key that owns the store.")] = None,
    visible: Annotated[str, typer.Option(help="private, locale or public.")] = "private",
    writer: Annotated[
        str | None, typer.Option(help="A backend that answers in prose from the passages.")
    ] = None,
) -> None:
    """Add a store of documents and rows, with a backend and a plan that answer from it.

    Example: waggle knowledge add handbook ./handbook --owner alice
    """
    try:
        TypeAdapter(Name).validate_python(name)
    except ValidationError:
        raise InputRefused(f"NAME = {name!r}: {NAME_RULE}") from None
    config = here.config
    for taken in (name in config.knowledge, name in config.backends, f"ask-{name}" in config.plans):
        if taken:
            raise InputRefused(f"{here.source} has a store, backend or plan of this name", name)
    if folder is not None and not folder.is_dir():
        raise InputRefused(f"there is no folder {folder}", "make it, or write another")
    store = {"folder": str(folder.resolve())} if folder else {}
    store |= {"owner": owner} if owner else {}
    store |= {} if visible == "private" else {"visible": visible}
    backend: dict[str, object] = {"kind": "knowledge", "stores": [name]}
    backend |= {"writer": writer} if writer else {}
    path = _add_to_file(here.source, name, store, backend)
    out.print(f"Added to {path}: store and backend [bold]{escape(name)}[/], plan ask-{name}.")
    if folder is not None:
        shelf = StoreShelf(config.knowledge_folder)
        try:
            feed = FolderFeed(shelf.kept(name), folder, keep=5)
            report = feed.look()
            rows = f", {tables} of rows" if (tables := _tables(shelf.kept(name))) else ""
            read = f"{report.added} documents{rows} read"
            out.print(f"{escape(name)}: {report.files} files, {read}.")
            if language_in(shelf.kept(name)) == SPANISH:
                out.print("Most of it is Spanish, so the multilingual encoder reads it.")
            for file, why in feed.errors().items():
                out.print(f"[yellow]not read:[/] {escape(file)}: {escape(why)}")
        finally:
            shelf.close()
    if here.running is not None:
        out.print("Bring it to the running service: waggle reload")
    else:
        out.print(f'Start the service: waggle serve    Ask: waggle ask --model ask-{name} "…"')


def _tables(store: KnowledgeStore) -> str:
    """How many tables a store holds, in words; empty if it holds none."""
    count = store.count()["tables"]
    return f"{count} table{'s' if count > 1 else ''}" if count else ""


@stores_app.command("list")
@in_context
def list_stores(here: CommandContext) -> None:
    """List the stores: what they hold, and how far their vectors are behind."""
    config = here.config
    if not config.knowledge:
        out.print("There is no store. Make one: waggle knowledge add NAME FOLDER")
        return
    table = Table("store", "owner", "visible", "documents", "passages", "tables", "event", "behind")
    shelf = StoreShelf(config.knowledge_folder)
    try:
        for name, settings in config.knowledge.items():
            counts, lag = {"documents": 0, "passages": 0, "tables": 0}, None
            if shelf.exists(name):
                counts = shelf.kept(name).count()
                lag = StoreVectors(shelf.kept(name)).lag()
            behind = f"{lag.events} events, {lag.seconds:.0f} s" if lag and lag.events else "0"
            table.add_row(
                *(name, settings.owner or "admins", settings.visible),
                *(str(counts[each]) for each in ("documents", "passages", "tables")),
                *(str(lag.newest if lag else 0), behind),
            )
    finally:
        shelf.close()
    out.print(table)


@stores_app.command("show")
@in_context
def show(
    here: CommandContext,
    name: Annotated[str, typer.Argument(help="Name of the store.")],
    events: Annotated[int, typer.Option(min=1, max=1000, help="Latest events to show.")] = 10,
) -> None:
    """Show the documents and tables of a store, its latest events, and what could not be read."""
    config = here.config
    shelf = StoreShelf(config.knowledge_folder)
    try:
        if name not in config.knowledge or not shelf.exists(name):
            stores = ", ".join(config.knowledge) or "none"
            raise InputRefused(
                f"no store {name} holds anything; there are {stores}", "add or feed it"
            )
        store = shelf.kept(name)
        for document in store.documents(most=50):
            title = f"{document.id}  version {document.version}"
            out.print(f"[bold]{escape(title)}[/]  {escape(document.title)}")
        for each in store.tables():
            columns = ", ".join(column["name"] for column in each.columns)
            out.print(f"[bold]{escape(each.name)}[/]  {each.rows} rows: {escape(columns)}")
        newest = store.newest
        for event in store.events(after=max(newest - events, 0)):
            about = event.document or str(event.detail)
            out.print(f"{event.number}  {event.kind}  {escape(about)}  by {escape(event.by)}")
        errors = store.looking.execute("select path, error from files where error != ''").fetchall()
        for file, why in errors:
            out.print(f"[yellow]not read:[/] {escape(file)}: {escape(why)}")
        for query, run in runs_of(store).items():
            if run["error"]:
                out.print(f"[yellow]query {escape(query)}:[/] {escape(str(run['error']))}")
    finally:
        shelf.close()


@stores_app.command("remove")
@in_context
def remove(
    here: CommandContext,
    name: Annotated[str, typer.Argument(help="Name of a store that the configuration lacks.")],
) -> None:
    """Delete the data of a store that is no longer in the configuration.

    A store that was made from a proposal is first taken out of the configuration.
    """
    folder = here.config.knowledge_folder
    made = made_stores(folder)
    if name in made:
        keep_made_stores(folder, {n: each for n, each in made.items() if n != name})
        if here.running is not None:
            again = f"waggle reload, then waggle knowledge remove {name}"
            out.print(f"{escape(name)} is out of the configuration. To delete its data: {again}")
            return
    elif name in here.config_in_force.knowledge or name in here.config.knowledge:
        mend = "take it out of the configuration and run `waggle reload` first"
        raise CommandRefused(f"the store {name} is in use", mend)
    shelf = StoreShelf(folder)
    places = [shelf.archive_place(name)] if shelf.is_archived(name) else []
    places += [shelf.place(name)] if shelf.exists(name) else []
    if not places:
        raise InputRefused(f"there is no data of a store {name}", "see `waggle knowledge list`")
    for place in places:
        shutil.rmtree(place)
    out.print(f"The data of {escape(name)} is deleted.")


def _add_to_file(
    source: Path, name: str, store: dict[str, str], backend: dict[str, object]
) -> Path:
    """Add a store, a backend and a plan to the configuration file; all other lines stay."""
    target = Path("waggle.yaml") if source == EMBEDDED else source
    text = _with_line(source.read_text("utf-8"), "knowledge", f"{name}: {_flow(store)}")
    text = _with_line(text, "backends", f"{name}: {_flow(backend)}")
    text = _with_line(text, "plans", f"ask-{name}: {{ask: {name}}}")
    candidate = target.with_name(target.name + ".candidate")
    write_whole(candidate, text.encode(), mode=0o644)
    try:
        load(candidate)
    except ConfigError as error:
        candidate.unlink()
        raise CommandRefused(f"Waggle cannot add to {target}", str(error)) from None
    replace_durably(candidate, target)
    return target


def _flow(entry: object) -> str:
    text: str = yaml.safe_dump(entry, default_flow_style=True, width=10_000, sort_keys=False)
    return text.strip()


def _with_line(text: str, section: str, line: str) -> str:
    """The text, with `line` as the first entry of a section, which is added if it is missing."""
    if not re.search(rf"^{section}:", text, re.M):
        return f"{text.rstrip()}\n\n{section}:\n  {line}\n"
    text = re.sub(rf"^{section}:[ \t]*\{{\}}[^\n]*\n", f"{section}:\n", text, count=1, flags=re.M)
    start = re.search(rf"^{section}:[ \t]*(?:#.*)?\n(?:[ \t]*(?:#.*)?\n)*([ \t]+)?", text, re.M)
    if start is None:
        raise InputRefused(f"`{section}:` is not written out in lines", f"add `{line}` there")
    at = text.index("\n", start.start()) + 1
    return f"{text[:at]}{start[1] or '  '}{line}\n{text[at:]}"
