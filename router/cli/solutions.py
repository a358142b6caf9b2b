"""`waggle solutions ...`: what was solved, to look through, to check and to take out."""

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.panel import Panel
from rich.syntax import Syntax
from rich.table import Table
from rich.tree import Tree

from router.cli.terminal import ConfigOption, DataOption, Stop, err, out, read
from router.config.config import Config
from router.reuse.guards import compare
from router.reuse.solution import Solution
from router.reuse.solution_store import SolutionStore, UnreadableStore
from router.reuse.tiers import Calibration

solutions_app = typer.Typer(
    help="What was solved once: search it, check it, export its programs.", no_args_is_help=True
)
_SHOWN = 60  # characters of a request in a table


def _store(config_file: Path | None, data: Path | None) -> tuple[Config, SolutionStore]:
    config = read(config_file, data=str(data) if data else None)
    if not (config.reuse_folder / "solutions.sqlite").is_file():
        hint = "set `reuse: {mode: similar}` in waggle.yaml, and ask something"
        raise Stop(f"nothing was remembered yet in {config.reuse_folder}: {hint}")
    try:
        return config, SolutionStore(config.reuse_folder)
    except UnreadableStore as error:
        raise Stop(str(error)) from None


@solutions_app.command()
def search(
    words: Annotated[str, typer.Argument(help="What to look for, in any words; all: everything.")],
    programs: Annotated[bool, typer.Option("--programs", help="Programs only.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Also what is unproven, deprecated or quarantined.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    config_file: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Solutions whose request is nearest to these words."""
    config, store = _store(config_file, data)
    where = "1" if everything else "state = 'proven'"
    where += " and kind = 'program'" if programs else ""
    found = list(_nearest(config, store, words, where, limit))
    if not found:
        out.print("No solution matches. `--all` shows those that are not in use as well.")
        return
    table = Table("id", "likeness", "kind", "request", "uses", "right", "state", box=None)
    for likeness, one in found:
        shown = one.request if len(one.request) <= _SHOWN else one.request[: _SHOWN - 1] + "…"
        near = f"{likeness:.2f}" if likeness is not None else ""
        table.add_row(
            str(one.id), near, one.kind, escape(shown), str(one.uses), f"{one.rate:.0%}", one.state
        )
    out.print(table)


def _nearest(
    config: Config, store: SolutionStore, words: str, where: str, limit: int
) -> Iterator[tuple[float | None, Solution]]:
    """By meaning where the encoder is there, else by the words themselves."""
    import numpy as np

    from router.encoding.home import encoder_of

    if words == "all":
        some = store.everything(f"{where} order by uses desc, id desc limit ?", (limit,))
        yield from ((None, one) for one in some)
        return
    try:
        home = str(config.data / "encoders")
        encoder = encoder_of(config.reuse.encoder, home, export=False)
    except LookupError:
        like = f"%{words}%"
        some = store.everything(f"{where} and request like ? limit ?", (like, limit))
        yield from ((None, one) for one in some)
        return
    wanted = encoder.encode([words])[0]
    best: list[tuple[float, int]] = []
    for ids, vectors in store.all_vectors(encoder.name, where):
        scores = np.frombuffer(b"".join(vectors), np.float32).reshape(len(ids), -1) @ wanted
        best = sorted([*best, *zip(scores.tolist(), ids, strict=True)], reverse=True)[:limit]
    for score, id_ in best:
        one = store.get(id_)
        if one is not None:
            yield score, one


def _one(store: SolutionStore, id_: int) -> Solution:
    found = store.get(id_)
    if found is None:
        raise Stop(f"there is no solution {id_}: `waggle solutions search all` lists them", 2)
    return found


@solutions_app.command()
def show(id_: int, config_file: ConfigOption = None, data: DataOption = None) -> None:
    """One solution: its request, its answer or program, where it came from and how it fared."""
    _, store = _store(config_file, data)
    one = _one(store, id_)
    grid = Table.grid(padding=(0, 2))
    came = f"{one.parent}: {one.change}" if one.parent else "itself"
    told = {
        "state": f"{one.state}; {one.proof or 'nobody judged it yet'}",
        "whose": one.scope,
        "solved by": f"plan {one.plan}, {one.backend}" + (f", {one.model}" if one.model else ""),
        "policy": one.policy_version or "none",
        "cost": f"${one.cost_usd:.6g}, {one.seconds:.3f} s",
        "made": f"{_at(one.created)}, good until {_at(one.expires)}",
        "adapted from": came,
        "uses": f"{one.uses}, right {one.successes:.3g}, wrong {one.failures:.3g}",
        "reviewed": one.reviewed or "not yet",
    }
    for name, value in told.items():
        grid.add_row(f"[bold]{name}[/]", escape(value))
    out.print(Panel(grid, title=f"solution {one.id}, {one.kind}", expand=False))
    out.print(escape(one.request), soft_wrap=True)
    if one.program:
        out.print(Syntax(one.program, "python", background_color="default"))
    if one.answer:
        cut = one.answer if len(one.answer) <= 600 else one.answer[:600] + " …"
        out.print(escape(cut), soft_wrap=True)


@solutions_app.command()
def lineage(id_: int, config_file: ConfigOption = None, data: DataOption = None) -> None:
    """What a solution was adapted from, and what came of it."""
    _, store = _store(config_file, data)
    root = _one(store, id_)
    while root.parent and (parent := store.get(root.parent)) is not None:
        root = parent
    tree = Tree(_label(root, id_))
    _grow(store, tree, root, id_)
    out.print(tree)


def _grow(store: SolutionStore, tree: Tree, of: Solution, marked: int) -> None:
    for child in store.everything("parent = ? order by id", (of.id,)):
        _grow(store, tree.add(_label(child, marked)), child, marked)


def _label(one: Solution, marked: int) -> str:
    name = f"[bold]{one.id}[/]" if one.id == marked else str(one.id)
    change = f" ({one.change})" if one.change else ""
    return f"{name} {escape(one.request[:_SHOWN])}{change} [dim]{one.state}, {one.uses} uses[/]"


@solutions_app.command()
def export(folder: Path, config_file: ConfigOption = None, data: DataOption = None) -> None:
    """Write the programs that are in use into a folder, each a file that says what it is."""
    _, store = _store(config_file, data)
    folder.mkdir(parents=True, exist_ok=True)
    index = []
    for one in store.everything("kind = 'program' and state = 'proven' order by id"):
        name = f"solution_{one.id}.py"
        said = " ".join(one.request.split()).replace('"""', "'''").replace("\\", "/")
        head = f'"""{said}\n\n{one.proof}; {one.uses} uses; right {one.rate:.0%}.\n"""\n\n'
        (folder / name).write_text(head + one.program, "utf-8")
        told = {"file": name, "id": one.id, "request": one.request, "parent": one.parent}
        index.append(told | {"change": one.change, "uses": one.uses, "spec": dict(one.spec)})
    (folder / "index.json").write_text(json.dumps(index, indent=1), "utf-8")
    out.print(f"{len(index)} programs, and index.json, in {folder}.")


@solutions_app.command()
def verify(config_file: ConfigOption = None, data: DataOption = None) -> None:
    """Prove that the index and what it points at agree, and that the store is whole."""
    from router.encoding.home import encoder_of
    from router.reuse.index import SolutionIndex

    config, store = _store(config_file, data)
    problems = store.damage()
    counts = store.counts()
    with err.status("Holding the index against the store …"):
        try:
            encoder = encoder_of(config.reuse.encoder, str(config.data / "encoders"), export=False)
        except LookupError:
            out.print("The sentence encoder was not exported yet: only the store was checked.")
        else:
            index, wrong = SolutionIndex.open(
                config.reuse_folder / "graphs",
                store,
                dimensions=encoder.dimensions,
                encoder=encoder.name,
            )
            problems += wrong + index.differs(store)
    shown = ", ".join(f"{n} {state}" for state, n in sorted(counts.items())) or "nothing"
    out.print(f"{shown}.")
    for problem in problems[:20]:
        out.print(f"[red]{escape(problem)}[/]")
    if problems:
        raise Stop(f"{len(problems)} problems: what is wrong in the index is made anew at a start")
    out.print("[green]Index and solutions agree.[/]")


@solutions_app.command()
def status(config_file: ConfigOption = None, data: DataOption = None) -> None:
    """How many there are, and how far each kind of likeness is trusted."""
    config, store = _store(config_file, data)
    counts = ", ".join(f"{n} {state}" for state, n in sorted(store.counts().items()))
    out.print(f"{counts or 'nothing yet'}; mode {config.reuse.mode}")
    calibration = Calibration(config.reuse.budget, least_checked=config.reuse.checked)
    calibration.learn(store.checks(0))
    table = Table("likeness", "checked", "wrong", "at most (95%)", "answers", box=None)
    buckets = dict.fromkeys([f"{k}:{n}" for k in ("same", "moved") for n in (3, 2, 1, 0)])
    told = calibration.summary()
    for bucket in buckets | dict.fromkeys(told):
        standing = calibration.standing(bucket)
        seen = told.get(bucket, {"checks": 0.0, "wrong": 0.0})
        table.add_row(
            bucket,
            f"{seen['checks']:g}",
            f"{seen['wrong']:g}",
            f"{standing.bound:.2%}",
            "yes" if standing.serves else "not yet",
        )
    out.print(table)
    out.print(f"Budget: {config.reuse.budget:.1%} of reused answers may be wrong.")


@solutions_app.command()
def why(stored: str, asked: str) -> None:
    """Whether the answer to one request may be given to another, and what decides it."""
    verdict = compare(stored, asked)
    colour = "green" if verdict.likeness == "same" else "yellow"
    out.print(f"[{colour}]{verdict.likeness}[/]: {escape(verdict.why)}")


@solutions_app.command()
def forget(
    ids: Annotated[
        list[int] | None, typer.Argument(help="Solutions, with what came of them.")
    ] = None,
    key: Annotated[str | None, typer.Option(help="All of this key's, by its id.")] = None,
    group: Annotated[str | None, typer.Option(help="All of the keys that share this.")] = None,
    config_file: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Delete solutions for good."""
    _, store = _store(config_file, data)
    scopes = [f"key {key}"] if key is not None else []
    scopes += [f"group {group}"] if group is not None else []
    if not ids and not scopes:
        raise Stop("name solutions by their ids, or --key ID, or --group NAME", 2)
    gone = store.forget(ids=_known(store, ids or ()))
    gone += sum(store.forget(scope=scope) for scope in scopes)
    out.print(f"{gone} solutions are gone. Running routers forget them within a second.")


def _known(store: SolutionStore, ids: Sequence[int]) -> Sequence[int]:
    for id_ in ids:
        _one(store, id_)
    return ids


@solutions_app.command()
def prepare(config_file: ConfigOption = None, data: DataOption = None) -> None:
    """Export the sentence encoder now; otherwise the router exports it at its first start."""
    from router.encoding.encoder import CannotEncode
    from router.encoding.home import encoder_of

    config = read(config_file, data=str(data) if data else None)
    try:
        with err.status("Exporting the sentence encoder …"):
            encoder = encoder_of(config.reuse.encoder, str(config.data / "encoders"))
    except CannotEncode as error:
        raise Stop(str(error)) from None
    out.print(f"The sentence encoder is ready, in {encoder.folder}.")


def _at(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat(" ", "seconds")[:19]
