"""`waggle scores`, `waggle policy ...`, `waggle warm`: what was learned, and what it is taught."""

import datetime as dt
import time
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.progress import track
from rich.table import Table

from router.cli import client
from router.cli.terminal import ConfigOption, DataOption, Stop, UrlOption, err, out, read
from router.config.config import Config
from router.config.environment import environment
from router.deployment import local_service as service
from router.files import write_whole
from router.learning.registry import Registry, Version
from router.request.complexity import complexity
from router.request.context import numbers
from router.request.lens import ENOUGH, Lens, fitted, keep, kept, terms

policy_app = typer.Typer(
    help="Snapshots of what was learned: list them, pin one, go back to one.", no_args_is_help=True
)


def scores(
    kind: Annotated[str | None, typer.Argument(help="One kind of request; default: all.")] = None,
    url: UrlOption = None,
    json_: Annotated[bool, typer.Option("--json", help="As /v1/learner gives it.")] = False,
    config_file: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """What the learner knows: quality, cost and time of each plan, by kind of request."""
    config = read(config_file, data=str(data) if data else None)
    told = _told(config, url)
    if json_:
        out.print_json(orjson.dumps(told).decode())
        return
    if told.get("state") != "learning":
        out.print("The learner is starting.")
        return
    shown = [one for one in told["kinds"] if kind is None or one["kind"] == kind]
    if not shown:
        known = ", ".join(one["kind"] for one in told["kinds"])
        raise Stop(f"nothing is known of the kind {kind}. Known: {known}", 2)
    for one in shown:
        out.print(_table(one))
    pinned = f", pinned to {told['pinned']}" if told["pinned"] else ""
    out.print(
        f"{told['learned']} judged answers; snapshot {told['snapshot'] or 'none yet'}{pinned}; "
        f"strategy {told['strategy']}; curiosity {told['curiosity']}"
    )
    for arm, left in told["bursts"].items():
        out.print(f"[yellow]{arm} is tried more, for {left:g} more judged answers[/]")
    if told["trouble"]:
        err.print(f"[red]Telemetry cannot be read:[/] {told['trouble']}")


def _table(kind: Mapping[str, Any]) -> Table:
    table = Table(title=f"{kind['named_by'] or 'all requests'} {kind['kind']}".strip(), box=None)
    for name in ("plan", "quality", "$ per 1k", "seconds", "p95", "utility", "would get", "had"):
        table.add_column(name, justify="left" if name == "plan" else "right")
    best = max((row["utility"] for row in kind["plans"]), default=0.0)
    for row in sorted(kind["plans"], key=lambda one: -one["utility"]):
        tail = row["tail_seconds"]
        table.add_row(
            f"[bold]{row['plan']}[/]" if row["utility"] == best else row["plan"],
            f"{row['quality']:.3f} ± {row['interval']:.3f}" if row["judged"] else "unknown",
            f"{row['usd_per_1k']:.4g}",
            f"{row['seconds']:.3f}" if row["requests"] else "unknown",
            f"{tail:.3f}" if tail is not None else "",
            f"{row['utility']:.3f}",
            f"{100 * row['share']:.1f}%",
            f"{row['requests']} ({100 * row['traffic']:.0f}%), {row['judged']} judged",
        )
    return table


def _told(config: Config, url: str | None) -> Mapping[str, Any]:
    running = service.find_running(config.data)
    if url is None and running is None:
        raise Stop(f"no service runs on {config.data}: start it with `waggle serve`")
    address = url or (running.url if running else "")
    try:
        key = environment("WAGGLE_API_KEY")
        told: Mapping[str, Any] = client.get_json(f"{address}/v1/learner", key)
        if "error" in told:
            raise client.ServiceRefused(told["error"]["message"])
    except client.ServiceRefused as error:
        raise Stop(str(error)) from None
    return told


@policy_app.command("list")
def list_(config_file: ConfigOption = None, data: DataOption = None) -> None:
    """Every snapshot that is kept, with what it knew."""
    registry = _registry(config_file, data)
    table = Table("snapshot", "at (UTC)", "judged", "plans", "features", "size", "", box=None)
    for version in registry.versions():
        table.add_row(*_row(version, registry.pinned))
    out.print(table)


def _row(version: Version, pinned: str) -> Sequence[str]:
    from learner.snapshot import UnreadableSnapshot, opened

    content = version.path.read_bytes()
    size = f"{len(content) / 1024:.0f} kB"
    try:
        told = opened(content)
    except UnreadableSnapshot as error:
        return version.name, "", "", "", "", size, f"[red]{error}[/]"
    at = dt.datetime.fromtimestamp(told.get("at", 0), dt.UTC).isoformat(" ", "seconds")[:19]
    mark = "pinned" if version.name == pinned else ""
    plans = ", ".join(told["arms"])
    return version.name, at, str(told["learned"]), plans, told["features"], size, mark


@policy_app.command()
def pin(name: str, config_file: ConfigOption = None, data: DataOption = None) -> None:
    """Decide by this snapshot from now on; what comes is learned all the same."""
    registry = _registry(config_file, data)
    version = _find(registry, name)
    registry.pin(version.name)
    out.print(f"Pinned to {version.name}. Routers follow within a second or two.")


@policy_app.command()
def unpin(config_file: ConfigOption = None, data: DataOption = None) -> None:
    """Decide by what is known now, again."""
    registry = _registry(config_file, data)
    was = registry.pinned
    registry.unpin()
    out.print(f"No longer pinned to {was}." if was else "Nothing was pinned.")


@policy_app.command()
def rollback(name: str, config_file: ConfigOption = None, data: DataOption = None) -> None:
    """Go back to this snapshot and learn on from there; what came since is not learned again."""
    registry = _registry(config_file, data)
    version = _find(registry, name)
    registry.go_back(version.name)
    out.print(f"Going back to {version.name}: the learner does so at its next turn.")


def _registry(config_file: Path | None, data: Path | None) -> Registry:
    return Registry(read(config_file, data=str(data) if data else None).learner_folder)


def _find(registry: Registry, name: str) -> Version:
    try:
        return registry.find(name)
    except LookupError as error:
        raise Stop(str(error), 2) from None


def warm(
    source: Annotated[Path, typer.Argument(help="One JSON object a line; see the README.")],
    config_file: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Teach the learner what is known already: prompts, and how good each plan's answer was."""
    config = read(config_file, data=str(data) if data else None)
    try:
        lines = [line for line in source.read_bytes().splitlines() if line.strip()]
    except OSError as error:
        raise Stop(f"{source} cannot be read: {error.strerror}", 2) from None
    told = [_taught(config, source, n, line) for n, line in enumerate(lines, 1)]
    if not told:
        raise Stop(f"{source} is empty: write one prompt a line, with its scores", 2)
    lens = _lens(config, told)
    rows = list(_rows(config, told, lens))
    content = orjson.dumps({"at": time.time(), "lens": lens.number if lens else 0, "rows": rows})
    name = blake2b(orjson.dumps(rows), digest_size=8).hexdigest()
    path = config.learner_folder / "warm" / f"{name}.json"
    if path.exists():
        out.print(f"{source} was taught before ({name}): nothing is learned twice.")
        return
    write_whole(path, content)
    judged = sum(len(row["scores"]) for row in rows)
    running = service.find_running(config.data) is not None
    when = "The learner takes it in within a second." if running else "The next start takes it in."
    out.print(f"{len(rows)} prompts with {judged} scores, as {name}. {when}")


def _taught(config: Config, source: Path, n: int, line: bytes) -> Mapping[str, Any]:
    """One line, or what is wrong with it."""
    try:
        told = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise Stop(f"{source}:{n} is not JSON: {error}", 2) from None
    if not isinstance(told, dict) or not isinstance(told.get("prompt"), str):
        raise Stop(f'{source}:{n} needs a "prompt", a text, and has none', 2)
    scored = told.get("scores")
    if not isinstance(scored, dict) or not scored:
        raise Stop(f'{source}:{n} needs "scores", a number from 0 to 1 for each plan', 2)
    for plan, score in scored.items():
        if plan not in config.plans:
            known = ", ".join(config.plans)
            raise Stop(f"{source}:{n} scores the plan {plan}, which is none. Known: {known}", 2)
        good = isinstance(score, int | float) and not isinstance(score, bool)
        if not (good and 0 <= score <= 1):
            raise Stop(f"{source}:{n}: the score of {plan} must be 0 to 1, not {score!r}", 2)
    task = told.get("task", "")
    if not isinstance(task, str):
        raise Stop(f"{source}:{n}: the task must be a text, not {task!r}", 2)
    return told


def _lens(config: Config, told: Sequence[Mapping[str, Any]]) -> Lens | None:
    """The lens in use; the first, where these prompts are enough to fit one to."""
    lens = kept(config.learner_folder)
    distinct = list({one["prompt"]: None for one in told})
    if lens is None and len(distinct) >= ENOUGH:
        out.print(f"Fitting a lens to {len(distinct)} prompts …")
        lens = fitted([terms(prompt) for prompt in distinct], [None] * len(distinct))
        keep(lens, config.learner_folder)
    return lens


def _rows(
    config: Config, told: Sequence[Mapping[str, Any]], lens: Lens | None
) -> Iterator[dict[str, Any]]:
    weights = config.objective.ladder.all_weights
    for one in track(told, "Reading", console=err, transient=True):
        fields = {"messages": [{"role": "user", "content": one["prompt"]}]}
        score = complexity(fields, weights)
        task = one.get("task", "")
        seen = numbers(fields, score, sort=score.kind, tagged=bool(task), lens=lens)
        yield {"features": seen, "kind": task or score.kind, "scores": one["scores"]}
