"""`waggle models ...`: models that Waggle trained on its own traffic, and which of them answers."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast, get_args

import orjson
import typer
from rich.markup import escape
from rich.panel import Panel
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from router.cli.context import CommandContext, ConfigOption, JsonOption, in_context
from router.cli.terminal import CommandRefused, InputRefused, err, out, utc_minute
from router.config.values import NAME_PATTERN, NAME_RULE
from router.domain import Event, new_id
from router.models import model_files
from router.models.card import BrokenModel, Card, ModelKind
from router.models.registry import NoSuchModel, Registry
from router.training.data_sets import DataSets
from router.training.lessons.state import states_in
from router.training.model_changes import Refused, cards, promote, remove, rollback

models_app = typer.Typer(
    name="models",
    help="Models trained on this service's own traffic: make, compare, promote, take back.",
    no_args_is_help=True,
)
if TYPE_CHECKING:
    from router.training.starting import Running

_KINDS = get_args(ModelKind)
Reference = Annotated[str, typer.Argument(help="NAME, or NAME@3 for a version.")]


@models_app.command()
def train(
    name: Annotated[str, typer.Argument(help="The model's name; each run adds a version.")],
    data: Annotated[str, typer.Option("--data", help="A data set: NAME, or NAME@v2.")] = "",
    kind: Annotated[str, typer.Option(help=f"What to train: {', '.join(_KINDS)}.")] = "head",
    target: Annotated[
        str, typer.Option(help="`answer`, or `quality`: how good an answer is.")
    ] = "answer",
    loss: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help="Most that answers may be worse than the teacher's. Default: 0.01."
        ),
    ] = None,
    vectors: Annotated[
        bool, typer.Option("--vectors/--no-vectors", help="Whether sentence vectors may be used.")
    ] = True,
    base: Annotated[
        str, typer.Option(help="Of an adapter: a model of a local backend, or a folder.")
    ] = "",
    steps: Annotated[
        int | None, typer.Option(min=1, help="Most steps of an adapter. Default: 400.")
    ] = None,
    texts: Annotated[
        Path | None, typer.Option(help="Of a twin: a folder of the person's texts.")
    ] = None,
    consent: Annotated[
        str, typer.Option(help="Of a twin: the person's words of consent, or a file with them.")
    ] = "",
    person: Annotated[str, typer.Option("--of", help="Of a twin: the person's name.")] = "",
    scope: Annotated[
        str, typer.Option(help="Of a twin: what the person agreed to.")
    ] = "answers of this service",
    until: Annotated[
        str, typer.Option(help="Of a twin: the consent's last day; default: in a year.")
    ] = "",
    promoted: Annotated[
        bool, typer.Option("--promote", help="Promote it at once if it passes its evaluation.")
    ] = False,
    config_file: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train a model on a data set, in a process that takes only spare time.

    Killed runs go on where they were. Example: waggle models train triage --data tickets
    """
    from router.cli.models_twin import voice  # what trains takes a second to import
    from router.training.starting import RunEnded, base_folder, job_of, start
    from router.training.trainer import Wish

    if kind not in _KINDS:
        raise InputRefused(f"--kind {kind}: there are {', '.join(_KINDS)}")
    if target not in ("answer", "quality"):
        raise InputRefused(f"--target {target}: there are answer and quality")
    if not re.fullmatch(NAME_PATTERN, name):
        raise InputRefused(f"NAME = {name!r}: {NAME_RULE}")
    given: dict[str, Any] = {"allowed_loss": loss, "most_steps": steps}
    given = {name: value for name, value in given.items() if value is not None}
    wish = Wish(cast(Any, kind), cast(Any, target), vectors=vectors, **given)
    try:
        # `--data` is the data set here, so the data folder is always that of the configuration.
        config = CommandContext(config_file).config
        if kind == "twin":
            data, agreed = voice(config, name, texts, consent, person, scope, until)
            wish = replace(wish, consent=agreed)
        elif not data:
            raise InputRefused("--data is missing: name a data set, made by `waggle data make`")
        if kind == "adapter":
            wish = replace(wish, base=base_folder(config, base))
        job = job_of(config, name, data, wish, promote=promoted)
        result = _followed(start(job), name)
    except RunEnded as error:
        raise CommandRefused(str(error)) from None
    if as_json:
        out.print_json(orjson.dumps(result).decode())
        return
    _show_result(result)


@models_app.command("list")
@in_context
def list_models(here: CommandContext, as_json: JsonOption = False) -> None:
    """List every version of every model, and which version answers."""
    rows = [_row(*each) for each in cards(_registry(here))]
    if as_json:
        out.print_json(orjson.dumps(rows).decode())
        return
    table = Table("model", "", "kind", "made", "data", "answers", "loss", "ms", box=None)
    for row in rows:
        table.add_row(
            escape(row["model"]),
            "[green]promoted[/]" if row["promoted"] else "",
            row["kind"],
            utc_minute(row["made_at"]),
            escape(row["data"]),
            *(_share(row["answered"]), _share(row["loss"]), _digits(row["ms"])),
        )
    out.print(table if rows else "No model was trained yet: waggle models train NAME --data SET")


@models_app.command()
@in_context
def show(here: CommandContext, reference: Reference, as_json: JsonOption = False) -> None:
    """Show the card of a model: its data, parameters, metrics by slice, calibration, parent."""
    card, _ = _card_of(here, reference)
    if as_json:
        out.print_json(card.encoded().decode())
        return
    data = f"{card.data['name']}@v{card.data['version']}"
    why = card.metrics.get("why")
    lines = [
        f"{card.kind} for {card.target}, trained on {escape(data)}, {utc_minute(card.made_at)}",
        f"parent: {escape(card.parent or 'none')}; features: {card.features}; run: {card.run}",
        f"[yellow]did not pass: {escape(str(why))}[/]" if why else "[green]passed[/]",
    ]
    lines += [f"{name}: {_shown(value)}" for name, value in card.parameters.items()]
    lines += [f"{name}: {_shown(v)}" for name, v in card.metrics.items() if name != "why"]
    out.print(Panel("\n".join(lines), title=escape(card.reference)))
    table = Table("slice", "value", "rows", "answers", "loss", box=None)
    for part in card.slices:
        facts = (_share(part.get("answered")), _share(part.get("loss_answered")))
        table.add_row(part["slice"], escape(str(part["value"])), str(part["rows"]), *facts)
    out.print(table)


@models_app.command()
@in_context
def diff(here: CommandContext, first: Reference, second: Reference) -> None:
    """Compare the cards of two models, line by line."""
    left, right = _card_of(here, first)[0], _card_of(here, second)[0]
    table = Table("", escape(left.reference), escape(right.reference), box=None)
    for name, a, b in _differences(left, right):
        table.add_row(name, escape(a), escape(b))
    out.print(table)


@models_app.command()
@in_context
def lessons(here: CommandContext, as_json: JsonOption = False) -> None:
    """List what is trained by itself again and again: how far each lesson is, and why."""
    states = states_in(here.config.training_folder / "lessons")
    if as_json:
        out.print_json(orjson.dumps([asdict(state) for state in states]).decode())
        return
    table = Table("lesson", "for", "state", "since", "model", "trained", "why", box=None)
    for state in states:
        table.add_row(
            state.name,
            escape(state.place),
            state.state,
            utc_minute(state.at),
            escape(state.model),
            escape(state.trigger),
            escape(state.why),
        )
    out.print(table if states else "Nothing is trained by itself yet: see `training` in the docs.")


@models_app.command("promote")
@in_context
def promote_version(
    here: CommandContext,
    reference: Reference,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Even if it did not pass its evaluation.")
    ] = False,
) -> None:
    """Let a version answer under the model's name; a running service uses it at once."""
    with _refusals():
        here.record("models promote", reference, after={"anyway": anyway})
        card = promote(_registry(here), reference, anyway=anyway)
    _note(here, card.reference, "promoted")
    out.print(f"{escape(card.reference)} answers from now on.")


@models_app.command("rollback")
@in_context
def roll_back(here: CommandContext, name: Reference) -> None:
    """Let the version answer that was promoted before the present one."""
    with _refusals():
        here.record("models rollback", name)
        number = rollback(_registry(here), name)
    _note(here, f"{name}@{number}", "rolled back to")
    out.print(f"{escape(name)}@{number} answers again.")


@models_app.command("remove")
@in_context
def remove_versions(here: CommandContext, reference: Reference) -> None:
    """Remove a version, or a model with all its versions, and the files."""
    with _refusals():
        here.record("models remove", reference)
        gone = remove(_registry(here), reference)
    _note(here, reference, "removed")
    out.print(f"Removed {escape(reference)}: {len(gone)} version{'s' * (len(gone) != 1)}.")


@models_app.command()
@in_context
def withdraw(here: CommandContext, name: Reference) -> None:
    """Take back the consent to a twin: it refuses at once, and its files and texts are removed."""
    from router.training.consent import withdraw_consent

    config = here.config
    sets, runs = DataSets(config.training_folder / "data"), config.training_folder / "runs"
    with _refusals():
        here.record("models withdraw", name)
        count = withdraw_consent(_registry(here), sets, runs, name)
    _note(here, name, "consent withdrawn")
    versions = f"{count} version{'s' * (count != 1)}"
    out.print(f"{escape(name)} writes no more: {versions} and the texts were removed.")


@models_app.command()
@in_context
def export(
    here: CommandContext,
    mlflow: Annotated[Path, typer.Option("--mlflow", help="An `mlruns` folder to write into.")],
) -> None:
    """Write every model's run in MLflow's format: `mlflow ui --backend-store-uri DIR` shows it."""
    from router.training.mlflow_export import export as export_runs

    count = export_runs(_registry(here), mlflow)
    out.print(f"{count} runs are in {escape(str(mlflow))}.")


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn the registry's errors into refusals of a command."""
    try:
        yield
    except (Refused, NoSuchModel, BrokenModel) as error:
        raise InputRefused(str(error)) from None


def _registry(here: CommandContext) -> Registry:
    return Registry(here.config.models_folder)


def _card_of(here: CommandContext, reference: str) -> tuple[Card, str]:
    """The card of a version; of a name, that of the promoted version, else of the latest."""
    registry = _registry(here)
    registry.follow()
    model = registry.book.models.get(reference)
    if model is not None and model.versions and model.promoted is None:
        reference = f"{reference}@{max(model.versions)}"
    try:
        _, version = registry.find(reference)
        return model_files.opened(registry.files, version.digest)[0], version.digest
    except (NoSuchModel, BrokenModel) as error:
        raise InputRefused(str(error)) from None


def _followed(running: "Running", name: str) -> dict[str, Any]:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task(f"{name}: starting", total=1.0)

        def tell(done: float, what: str) -> None:
            progress.update(task, completed=done, description=f"{name}: {what}")

        return running.wait(tell)


def _show_result(result: dict[str, Any]) -> None:
    facts, model = result["metrics"], escape(result["model"])
    if "nearer_to_the_author" in facts:
        near = _share(facts["nearer_to_the_author"])
        out.print(
            f"[bold]{model}[/]: a twin from {facts['texts']} texts; {near} of "
            f"{facts['held_out_texts']} others are recognised as the person's."
        )
    else:
        out.print(
            f"[bold]{model}[/]: answers {_share(facts.get('answered'))} of the test rows, "
            f"{_share(facts.get('loss_answered'))} worse than its teacher there; "
            f"{result['cpu_seconds']:.1f} s of a processor."
        )
    if result["why"]:
        out.print(f"[yellow]It did not pass:[/] {escape(result['why'])}.")
    elif result["promoted"]:
        out.print(f"{model} answers from now on.")
    else:
        out.print(f"Let it answer: waggle models promote {model}")


def _row(card: Card | None, version: Any, name: str, promoted: bool) -> dict[str, Any]:
    metrics = card.metrics if card else {}
    return {
        "model": f"{name}@{version.number}",
        "promoted": promoted,
        "kind": version.kind if card else "broken",
        "made_at": version.at,
        "data": f"{card.data['name']}@v{card.data['version']}" if card else "",
        "answered": metrics.get("answered"),
        "loss": metrics.get("loss_answered"),
        "passed": bool(card) and not metrics.get("why"),
        "ms": card.cost.get("ms") if card else None,
    }


def _differences(left: Card, right: Card) -> list[tuple[str, str, str]]:
    rows = []
    for part in ("data", "parameters", "metrics", "cost"):
        a, b = getattr(left, part), getattr(right, part)
        for name in (*a, *(key for key in b if key not in a)):
            if a.get(name) != b.get(name):
                rows.append((f"{part} {name}", _shown(a.get(name)), _shown(b.get(name))))
    for name in ("kind", "features", "threshold", "parent"):
        a, b = getattr(left, name), getattr(right, name)
        if a != b:
            rows.append((name, _shown(a), _shown(b)))
    return rows


def _note(here: CommandContext, subject: str, state: str) -> None:
    """Write what became of a model to telemetry, for the dashboard."""
    from router.telemetry.journal import FileJournal
    from router.telemetry.metrics import Metrics

    now = time.time()
    try:
        journal = FileJournal(here.config.telemetry_folder, "command", Metrics())
        journal.note(Event(new_id(now), now, "model", subject, state))
        journal.close()
    except OSError as error:
        err.print(f"the event was not written to telemetry: {escape(str(error))}")


def _share(value: Any) -> str:
    return "" if value is None else f"{value:.1%}"


def _digits(value: Any) -> str:
    return "" if value is None else f"{value:.2f}"


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else orjson.dumps(value).decode()
