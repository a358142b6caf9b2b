"""`waggle specialist ...`: a folder of documents becomes an expert in the configuration."""

import contextlib
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
import yaml
from pydantic import TypeAdapter, ValidationError
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from router.cli.terminal import ConfigOption, DataOption, Stop, err, out, read
from router.config.backends import SpecialistSettings
from router.config.config import Config
from router.config.load import EMBEDDED, find, load
from router.config.values import Name
from router.config.yaml_tree import ConfigError
from router.deployment import local_service as service
from router.documents.passage_index import IndexReport, NoDocuments, Tell, refresh
from router.encoding.encoder import CannotEncode

specialist_app = typer.Typer(help="Experts made of documents.", no_args_is_help=True)


@specialist_app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="Of the backend; the plan is ask-NAME.")],
    folder: Annotated[Path, typer.Argument(help="With .md, .txt, .html and .pdf files.")],
    writer: Annotated[
        str | None, typer.Option(help="A backend that answers in prose from the passages.")
    ] = None,
    encoder: Annotated[Path | None, typer.Option(help="A model's folder of your own.")] = None,
    config_file: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Index a folder, and add it to the configuration. Again after a change: only that is read."""
    config = read(config_file, data=str(data) if data else None)
    try:
        TypeAdapter(Name).validate_python(name)
    except ValidationError:
        rule = "1 to 64 letters, digits, dots, dashes or underscores"
        raise Stop(f"NAME = {name!r} must be {rule}", 2) from None
    there = config.backends.get(name)
    if there is not None and not isinstance(there, SpecialistSettings):
        raise Stop(f"there is a backend {name} of kind {there.kind}: choose another name", 2)
    for plan in (name, f"ask-{name}"):
        if plan in config.plans and there is None:
            raise Stop(f"there is a plan {plan}: choose another name", 2)
    if writer is not None and (writer not in config.backends or writer == name):
        raise Stop(f"--writer {writer}: no such backend; there are {', '.join(config.backends)}", 2)
    settings = SpecialistSettings(
        kind="specialist",
        folder=str(folder.resolve()),
        writer=writer or (there.writer if there else None),
        encoder=str(encoder.resolve()) if encoder else (there.encoder if there else None),
        home=str(config.data / "specialists" / name),
        encoders=str(config.data / "encoders"),
    )
    _tell(name, index(name, settings))
    if there is not None and (there.documents.resolve(), there.writer, there.encoder) == (
        settings.documents.resolve(),
        settings.writer,
        settings.encoder,
    ):
        out.print(f"{name} is in the configuration; a running service sees the change by itself.")
        return
    if there is not None:
        mend = "change its folder, writer or encoder there"
        raise Stop(f"{name} is in {find(config_file)} with other settings: {mend}", 2)
    path = _written(find(config_file), name, folder, writer, encoder)
    out.print(f"Added to {path}: backend [bold]{escape(name)}[/], plan ask-{escape(name)}.")
    if service.find_running(config.data) is not None:
        out.print("Bring it to the running service: waggle reload")


@specialist_app.command("list")
def list_command(config_file: ConfigOption = None, data: DataOption = None) -> None:
    """Every specialist, and what it has read."""
    import orjson

    from router.documents.passage_index import current

    config = read(config_file, data=str(data) if data else None)
    table = Table("name", "folder", "passages", "index", "writer", box=None)
    for name, settings in _specialists(config):
        folder = current(Path(settings.home or ""))
        passages = "-"
        if folder is not None:
            passages = str(orjson.loads((folder / "index.json").read_bytes())["passages"])
        state = "not made yet" if folder is None else folder.name
        table.add_row(name, settings.folder, passages, state, settings.writer or "")
    out.print(table)


@specialist_app.command("ask")
def ask(
    name: str,
    question: str,
    most: Annotated[int, typer.Option("--passages", min=1, max=20, help="How many to show.")] = 3,
    config_file: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """What a specialist would answer, and how sure it is. Needs no running service."""
    from router.backends.specialist_backend import opened
    from router.domain import Fault

    config = read(config_file, data=str(data) if data else None)
    known = dict(_specialists(config))
    if name not in known:
        raise Stop(f"no specialist is called {name}; there are {', '.join(known) or 'none'}", 2)
    if not question.strip():
        raise Stop("QUESTION is empty: ask something", 2)
    try:
        expert = opened(known[name])
    except Fault as fault:
        raise Stop(fault.detail) from None
    for hit in expert.ask(question, most):
        sure = "green" if hit.confidence >= known[name].enough else "yellow"
        title = f"{hit.passage.source}  {hit.passage.title}"
        out.print(f"[{sure}]{hit.confidence:.2f}[/]  [bold]{escape(title)}[/]")
        out.print(escape(hit.passage.text) + "\n")


@specialist_app.command("refresh")
def refresh_command(config_file: ConfigOption = None, data: DataOption = None) -> None:
    """Bring every index up to its documents."""
    config = read(config_file, data=str(data) if data else None)
    for name, settings in _specialists(config):
        with contextlib.suppress(Stop):  # told already; the others can be made
            report = index(name, settings)
            if report.changed:
                _tell(name, report)


def prepare(config: Config, config_file: Path | None) -> None:
    """The same before a service starts, in a process that may need memory for it."""
    if not any(_specialists(config)):
        return
    start = "from router.cli.main import main; main()"
    command = [sys.executable, "-c", start, "specialist", "refresh", "--data", str(config.data)]
    command += ["-c", str(config_file)] if config_file else []
    subprocess.run(command, check=False)


def index(name: str, settings: SpecialistSettings) -> IndexReport:
    """Bring one index up to its documents, with a bar where that takes a while."""
    from router.encoding.home import encoder_of

    try:
        with err.status("Preparing the sentence encoder …"):
            encoder = encoder_of(settings.encoder, settings.encoders)
        with _bar(name) as tell:
            return refresh(settings.documents, Path(settings.home or ""), encoder, tell)
    except (NoDocuments, CannotEncode, OSError) as error:
        raise Stop(f"the specialist {name} cannot answer: {error}") from None


@contextmanager
def _bar(name: str) -> Iterator[Tell]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
    )
    with Progress(*columns, TimeElapsedColumn(), console=err, transient=True) as progress:
        task = progress.add_task(f"Reading {name}", total=None)

        def tell(done: int, of: int, file: str) -> None:
            progress.update(task, completed=done, total=of, description=f"Reading {name} {file}")

        yield tell


def _tell(name: str, report: IndexReport) -> None:
    again = report.files - report.fresh - len(report.unreadable)
    said = (
        f"{report.files} files, {report.fresh} read, {again} as before; {report.passages} passages"
    )
    doubles = f", {report.doubles} left out as doubles" if report.doubles else ""
    out.print(f"{escape(name)}: {said}{doubles}.")
    for file, why in report.unreadable.items():
        out.print(f"[yellow]not read:[/] {escape(file)}: {escape(why)}")


def _specialists(config: Config) -> Iterator[tuple[str, SpecialistSettings]]:
    for name, settings in config.backends.items():
        if isinstance(settings, SpecialistSettings):
            yield name, settings


def _written(path: Path, name: str, folder: Path, writer: str | None, encoder: Path | None) -> Path:
    """The file with one backend and one plan more; its own lines stay as they are."""
    target = Path("waggle.yaml") if path == EMBEDDED else path
    text = path.read_text("utf-8")
    told = {"kind": "specialist", "folder": str(folder.resolve())}
    told |= {"writer": writer} if writer else {}
    told |= {"encoder": str(encoder.resolve())} if encoder else {}
    flow = yaml.safe_dump(told, default_flow_style=True, width=10_000, sort_keys=False).strip()
    text = _inserted(text, "backends", f"{name}: {flow}")
    text = _inserted(text, "plans", f"ask-{name}: {{ask: {name}}}")
    beside = target.with_name(target.name + ".new")
    beside.write_text(text, "utf-8")
    try:
        load(beside)
    except ConfigError as error:
        beside.unlink()
        raise Stop(f"{target} cannot be added to by machine: {error}") from None
    beside.replace(target)
    return target


def _inserted(text: str, section: str, line: str) -> str:
    """`line` as the first entry of a section that is written out in lines."""
    found = re.search(rf"^{section}:[ \t]*(?:#.*)?\n(?:[ \t]*(?:#.*)?\n)*([ \t]+)", text, re.M)
    if found is None:
        raise Stop(f"`{section}:` is not written out in lines: add `{line}` there yourself", 2)
    at = text.index("\n", found.start()) + 1
    return f"{text[:at]}{found[1]}{line}\n{text[at:]}"
