"""`waggle specialist ...`: makes specialists, experts that answer from a folder of documents."""

import contextlib
import os
import re
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import orjson
import typer
import yaml
from pydantic import TypeAdapter, ValidationError
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from router.cli.context import CommandContext, in_context
from router.cli.terminal import CommandRefused, InputRefused, err, out, show_refusal
from router.config.backends import SpecialistSettings
from router.config.config import Config
from router.config.load import EMBEDDED, load
from router.config.problems import ConfigError
from router.config.values import NAME_RULE, Name
from router.deployment.processes import end_with_parent
from router.documents.indexing import IndexReport, NoDocuments, ReportProgress, refresh
from router.documents.passage_index import current
from router.encoding.encoder import CannotEncode
from router.files import replace_durably, write_whole

specialist_app = typer.Typer(
    name="specialist",
    help="Specialists: experts that answer from a folder of documents.",
    no_args_is_help=True,
)


@specialist_app.command("add")
@in_context
def add(
    here: CommandContext,
    name: Annotated[str, typer.Argument(help="Name of the backend; the plan is ask-NAME.")],
    folder: Annotated[Path, typer.Argument(help="A folder of .md, .txt, .html and .pdf files.")],
    writer: Annotated[
        str | None, typer.Option(help="A backend that answers in prose from the passages.")
    ] = None,
    encoder: Annotated[
        Path | None, typer.Option(help="The folder of another encoder model.")
    ] = None,
) -> None:
    """Index a folder of documents, and add the folder to the configuration.

    Run the command again after a change: it reads only the changed files.
    Example: waggle specialist add handbook ./handbook
    """
    config = here.config
    before = _checked(config, name, writer)
    settings = SpecialistSettings(
        kind="specialist",
        folder=str(folder.resolve()),
        writer=writer or (before.writer if before else None),
        encoder=str(encoder.resolve()) if encoder else (before.encoder if before else None),
        home=str(config.data / "specialists" / name),
        encoders=str(config.encoders_folder),
    )
    _show_report(name, _index(name, settings))
    if before is None:
        entry = {"kind": "specialist", "folder": settings.folder}
        entry |= {"writer": writer} if writer else {}
        entry |= {"encoder": str(settings.encoder)} if encoder else {}
        path = _add_to_file(here.source, name, entry)
        out.print(f"Added to {path}: backend [bold]{escape(name)}[/], plan ask-{escape(name)}.")
        if here.running is not None:
            out.print("Bring it to the running service: waggle reload")
        return
    same = before.documents.resolve() == settings.documents.resolve()
    if not same or (before.writer, before.encoder) != (settings.writer, settings.encoder):
        mend = "change its folder, writer or encoder there"
        raise InputRefused(f"{name} is in {here.source} with other settings", mend)
    out.print(f"{name} is in the configuration; a running service sees the change by itself.")


def _checked(config: Config, name: str, writer: str | None) -> SpecialistSettings | None:
    """The specialist that has this name already, if any; refuse a bad name or writer."""
    try:
        TypeAdapter(Name).validate_python(name)
    except ValidationError:
        raise InputRefused(f"NAME = {name!r}: {NAME_RULE}") from None
    before = config.backends.get(name)
    if before is not None and not isinstance(before, SpecialistSettings):
        wrong = f"there is a backend {name} of kind {before.kind}"
        raise InputRefused(wrong, "choose another name")
    for plan in (name, f"ask-{name}"):
        if plan in config.plans and before is None:
            raise InputRefused(f"there is a plan {plan}", "choose another name")
    if writer is not None and (writer not in config.backends or writer == name):
        backends = ", ".join(config.backends)
        raise InputRefused(f"--writer {writer}: no such backend; there are {backends}")
    return before


@specialist_app.command("list")
@in_context
def list_specialists(here: CommandContext) -> None:
    """List every specialist with its number of passages."""
    table = Table("name", "folder", "passages", "index", "writer", box=None)
    for name, settings in _specialists(here.config).items():
        index = current(Path(settings.home or ""))
        passages, state = "-", "not made yet"
        if index is not None:
            passages = str(orjson.loads((index / "index.json").read_bytes())["passages"])
            state = index.name
        table.add_row(name, settings.folder, passages, state, settings.writer or "")
    out.print(table)


@specialist_app.command("ask")
@in_context
def ask(
    here: CommandContext,
    name: Annotated[str, typer.Argument(help="The name of the specialist.")],
    question: Annotated[str, typer.Argument(help="The question, in quotes.")],
    most: Annotated[
        int, typer.Option("--passages", min=1, max=20, help="Number of passages to show.")
    ] = 3,
) -> None:
    """Show a specialist's answer and its confidence. No service needs to run."""
    from router.backends.specialist_backend import opened
    from router.domain import Fault

    specialists = _specialists(here.config)
    if name not in specialists:
        names = ", ".join(specialists) or "none"
        raise InputRefused(f"no specialist is called {name}; there are {names}")
    if not question.strip():
        raise InputRefused("QUESTION is empty", "ask something")
    try:
        expert = opened(specialists[name])
    except Fault as fault:
        raise CommandRefused(fault.detail) from None
    for hit in expert.ask(question, most):
        color = "green" if hit.confidence >= specialists[name].enough else "yellow"
        title = f"{hit.passage.source}  {hit.passage.title}"
        out.print(f"[{color}]{hit.confidence:.2f}[/]  [bold]{escape(title)}[/]")
        out.print(escape(hit.passage.text) + "\n")


@specialist_app.command("refresh")
@in_context
def refresh_all(here: CommandContext) -> None:
    """Read the changed documents of every specialist."""
    _refresh_each(_specialists(here.config))


def _refresh_each(specialists: Mapping[str, SpecialistSettings]) -> None:
    for name, settings in specialists.items():
        try:
            report = _index(name, settings)
        except CommandRefused as refused:
            show_refusal(refused)  # The other specialists can still be indexed.
            continue
        if report.changed:
            _show_report(name, report)


class Refreshing:
    """Reads changed documents in a fork of this process, whose memory is free at its end."""

    def __init__(self, specialists: Mapping[str, SpecialistSettings], *, shown: bool) -> None:
        """What the fork writes is kept unless it is `shown`."""
        self._written, theirs = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        self._pid = os.fork()
        if self._pid == 0:
            _refresh_here(specialists, None if shown else theirs)
        os.close(theirs)

    def wait(self) -> str:
        """Wait for its end, and return what it wrote."""
        with os.fdopen(self._written, "rb") as written:
            text = written.read().decode("utf-8", "replace")
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._pid, 0)
        return text


def refresh_in_child(config: Config) -> Refreshing | None:
    """Refresh all indexes in another process.

    If each specialist has an index, the process is returned while it runs, for the caller to wait
    for: a specialist takes a new index up by itself.
    """
    specialists = _specialists(config)
    if not specialists:
        return None
    indexed = all(current(Path(each.home or "")) is not None for each in specialists.values())
    refreshing = Refreshing(specialists, shown=not indexed)
    if indexed:
        return refreshing
    refreshing.wait()
    return None


def _refresh_here(specialists: Mapping[str, SpecialistSettings], written: int | None) -> NoReturn:
    try:
        end_with_parent()
        if written is not None:
            for standard in (sys.stdout, sys.stderr):
                os.dup2(written, standard.fileno())
            out.no_color = err.no_color = True
        _refresh_each(specialists)
    except KeyboardInterrupt:
        pass
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(0)


def _index(name: str, settings: SpecialistSettings) -> IndexReport:
    """Read the changed documents of one specialist, and show a progress bar."""
    from router.encoding.home import encoder_of

    try:
        with err.status("Preparing the sentence encoder …"):
            encoder = encoder_of(settings.encoder, settings.encoders)
        with _progress(name) as tell:
            return refresh(settings.documents, Path(settings.home or ""), encoder, tell)
    except (NoDocuments, CannotEncode, OSError) as error:
        raise CommandRefused(f"the specialist {name} cannot answer", str(error)) from None


@contextmanager
def _progress(name: str) -> Iterator[ReportProgress]:
    count = TextColumn("{task.completed}/{task.total}")
    columns = (TextColumn("{task.description}"), BarColumn(), count, TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task(f"Reading {name}", total=None)

        def tell(done: int, of: int, file: str) -> None:
            progress.update(task, completed=done, total=of, description=f"Reading {name} {file}")

        yield tell


def _show_report(name: str, report: IndexReport) -> None:
    unchanged = report.files - report.fresh - len(report.unreadable)
    counts = f"{report.files} files, {report.fresh} read, {unchanged} as before"
    doubles = f", {report.doubles} duplicates left out" if report.doubles else ""
    out.print(f"{escape(name)}: {counts}; {report.passages} passages{doubles}.")
    for file, why in report.unreadable.items():
        out.print(f"[yellow]not read:[/] {escape(file)}: {escape(why)}")


def _specialists(config: Config) -> dict[str, SpecialistSettings]:
    return {
        name: settings
        for name, settings in config.backends.items()
        if isinstance(settings, SpecialistSettings)
    }


def _add_to_file(source: Path, name: str, entry: dict[str, str]) -> Path:
    """Add one backend and one plan to the configuration file; all other lines stay."""
    target = Path("waggle.yaml") if source == EMBEDDED else source
    flow = yaml.safe_dump(entry, default_flow_style=True, width=10_000, sort_keys=False).strip()
    text = _with_line(source.read_text("utf-8"), "backends", f"{name}: {flow}")
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


def _with_line(text: str, section: str, line: str) -> str:
    """The text, with `line` as the new first entry of a section."""
    start = re.search(rf"^{section}:[ \t]*(?:#.*)?\n(?:[ \t]*(?:#.*)?\n)*([ \t]+)", text, re.M)
    if start is None:
        mend = f"add `{line}` there yourself"
        raise InputRefused(f"`{section}:` is not written out in lines", mend)
    at = text.index("\n", start.start()) + 1
    return f"{text[:at]}{start[1]}{line}\n{text[at:]}"
