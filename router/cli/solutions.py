"""`waggle solutions ...`: searches, shows, checks, exports and deletes stored solutions."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.panel import Panel
from rich.syntax import Syntax
from rich.table import Table
from rich.tree import Tree

from router.cli.context import CommandContext, in_context
from router.cli.solutions_report import report
from router.cli.solutions_why import why
from router.cli.terminal import CommandRefused, InputRefused, err, facts, out, utc_time
from router.config.config import Config
from router.reuse.acceptance import ACCEPTORS
from router.reuse.calibration import UNCHECKED, BucketSummary, Calibration, Standing
from router.reuse.solution import Solution
from router.reuse.solution_store import FILE, SolutionStore

solutions_app = typer.Typer(
    name="solutions",
    help="Solutions kept for reuse: search them, check them, export their programs.",
    no_args_is_help=True,
)
solutions_app.command()(why)
solutions_app.command()(report)
SolutionId = Annotated[int, typer.Argument(help="The id, as `waggle solutions search` shows it.")]
_SHOWN_LETTERS = 60  # length of a request in a table, at most
_NO_WORDS = "(its words are not on disk: nobody has proved it)"
_NO_JUDGE = (
    "Checks that nothing could judge count as nothing: name a backend in `reuse.verifier`, or a "
    "judge in `signals`."
)
_EXPORTED = ("id", "request", "parent", "change", "uses")


@solutions_app.command()
@in_context
def search(
    here: CommandContext,
    words: Annotated[str, typer.Argument(help="Words to look for; `all` lists everything.")],
    programs: Annotated[bool, typer.Option("--programs", help="Programs only.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Also unproven, deprecated and quarantined solutions.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Number of solutions to show.")] = 20,
) -> None:
    """List the solutions whose request is nearest to these words.

    Example: waggle solutions search "median of a list"
    """
    where = "1" if everything else "state = 'proven'"
    where += " and kind = 'program'" if programs else ""
    hits = list(_nearest(here.config, _store(here), words, where, limit))
    if not hits:
        out.print("No solution matches. `--all` also shows solutions that are not in use.")
        return
    table = Table("id", "likeness", "kind", "request", "uses", "right", "state", box=None)
    for likeness, hit in hits:
        request = _beginning(hit)
        near = f"{likeness:.2f}" if likeness is not None else ""
        fared = str(hit.uses), f"{hit.rate:.0%}", hit.state
        table.add_row(str(hit.id), near, hit.kind, escape(request), *fared)
    out.print(table)


def _nearest(
    config: Config, store: SolutionStore, words: str, where: str, limit: int
) -> Iterator[tuple[float | None, Solution]]:
    """Solutions by meaning, with their similarity; without an encoder, those with the words."""
    import numpy as np

    from router.encoding.home import encoder_of

    if words == "all":
        rows = store.everything(f"{where} order by uses desc, id desc limit ?", (limit,))
        yield from ((None, solution) for solution in rows)
        return
    try:
        home = str(config.encoders_folder)
        encoder = encoder_of(config.reuse.encoder, home, export=False)
    except LookupError:
        pattern = f"%{words}%"
        rows = store.everything(f"{where} and request like ? limit ?", (pattern, limit))
        yield from ((None, solution) for solution in rows)
        return
    vector = encoder.encode([words])[0]
    best: list[tuple[float, int]] = []
    for ids, vectors in store.all_vectors(encoder.name, where):
        scores = np.frombuffer(b"".join(vectors), np.float32).reshape(len(ids), -1) @ vector
        best = sorted([*best, *zip(scores.tolist(), ids, strict=True)], reverse=True)[:limit]
    for score, solution_id in best:
        solution = store.get(solution_id)
        if solution is not None:
            yield score, solution


@solutions_app.command()
@in_context
def show(here: CommandContext, id_: SolutionId) -> None:
    """Show a solution: its request, its answer or program, its origin and its record."""
    solution = _solution(_store(here), id_)
    model = f", {solution.model}" if solution.model else ""
    origin = f"{solution.parent}: {solution.change}" if solution.parent else "itself"
    right, wrong = f"right {solution.successes:.3g}", f"wrong {solution.failures:.3g}"
    rows = {
        "state": f"{solution.state}; {solution.proof or 'not judged yet'}",
        "whose": solution.scope,
        "solved by": f"plan {solution.plan}, {solution.backend}{model}",
        "policy": solution.policy_version or "none",
        "cost": f"{_dollars(solution.cost_usd)}, {solution.seconds:.3f} s",
        "made": f"{utc_time(solution.created)}, good until {utc_time(solution.expires)}",
        "adapted from": origin,
        "uses": f"{solution.uses}, {right}, {wrong}",
        "reviewed": solution.reviewed or "not yet",
    }
    out.print(Panel(facts(rows), title=f"solution {solution.id}, {solution.kind}", expand=False))
    out.print(escape(solution.request or _NO_WORDS), soft_wrap=True)
    if solution.program:
        out.print(Syntax(solution.program, "python", background_color="default"))
    if solution.answer:
        cut = len(solution.answer) > 600
        answer = solution.answer[:600] + " …" if cut else solution.answer
        out.print(escape(answer), soft_wrap=True)


@solutions_app.command()
@in_context
def lineage(here: CommandContext, id_: SolutionId) -> None:
    """Show the solution that this one was adapted from, and the solutions adapted from it."""
    store = _store(here)
    root = _solution(store, id_)
    while root.parent and (parent := store.get(root.parent)) is not None:
        root = parent
    tree = Tree(_label(root, id_))
    _grow(store, tree, root, id_)
    out.print(tree)


def _grow(store: SolutionStore, tree: Tree, parent: Solution, marked: int) -> None:
    for child in store.everything("parent = ? order by id", (parent.id,)):
        _grow(store, tree.add(_label(child, marked)), child, marked)


def _label(solution: Solution, marked: int) -> str:
    name = f"[bold]{solution.id}[/]" if solution.id == marked else str(solution.id)
    change = f" ({solution.change})" if solution.change else ""
    standing = f"[dim]{solution.state}, {solution.uses} uses[/]"
    return f"{name} {escape(_beginning(solution))}{change} {standing}"


def _beginning(solution: Solution) -> str:
    request = solution.request or _NO_WORDS
    return request if len(request) <= _SHOWN_LETTERS else request[: _SHOWN_LETTERS - 1] + "…"


@solutions_app.command()
@in_context
def export(
    here: CommandContext, folder: Annotated[Path, typer.Argument(help="The folder to write to.")]
) -> None:
    """Write each program in use as a file into a folder, with the request that it answers."""
    store = _store(here)
    folder.mkdir(parents=True, exist_ok=True)
    index = []
    for solution in store.everything("kind = 'program' and state = 'proven' order by id"):
        name = f"solution_{solution.id}.py"
        request = " ".join(solution.request.split()).replace('"""', "'''").replace("\\", "/")
        evidence = f"{solution.proof}; {solution.uses} uses; right {solution.rate:.0%}."
        program = f'"""{request}\n\n{evidence}\n"""\n\n{solution.program}'
        (folder / name).write_text(program, "utf-8")
        fields = {key: getattr(solution, key) for key in _EXPORTED}
        index.append({"file": name, **fields, "spec": dict(solution.spec)})
    (folder / "index.json").write_text(json.dumps(index, indent=1), "utf-8")
    out.print(f"{len(index)} programs, and index.json, in {folder}.")


@solutions_app.command()
@in_context
def verify(here: CommandContext) -> None:
    """Check that the store is undamaged, and that the index agrees with the store."""
    from router.encoding.home import encoder_of
    from router.reuse.index.solution_index import SolutionIndex

    config, store = here.config, _store(here)
    problems = store.damage()
    with err.status("Comparing the index with the store …"):
        try:
            encoder = encoder_of(config.reuse.encoder, str(config.encoders_folder), export=False)
        except LookupError:
            out.print("The sentence encoder was not exported yet: only the store was checked.")
        else:
            folder, size = config.reuse_folder / "graphs", encoder.dimensions
            index, wrong = SolutionIndex.open(folder, store, dimensions=size, encoder=encoder.name)
            problems += wrong + index.differs(store)
    out.print(f"{_counts(store) or 'nothing'}.")
    for problem in problems[:20]:
        out.print(f"[red]{escape(problem)}[/]")
    if problems:
        mend = "the next start builds a damaged index again"
        raise CommandRefused(f"{len(problems)} problems", mend)
    out.print("[green]Index and solutions agree.[/]")


@solutions_app.command()
@in_context
def status(here: CommandContext) -> None:
    """Show the number of solutions, and which kinds of likeness may be reused."""
    config, store = here.config, _store(here)
    out.print(f"{_counts(store) or 'nothing yet'}; mode {config.reuse.mode}")
    calibration = Calibration(config.reuse.budget, least_checked=config.reuse.checked)
    calibration.learn(store.checks(0))
    table = Table(
        *("likeness", "checked", "wrong", "not judged", "at most (95%)", "answers"), box=None
    )
    summaries, unjudged = calibration.summary(), store.unjudged()
    buckets = [f"{likeness}:{n}" for likeness in ACCEPTORS for n in (3, 2, 1, 0)]
    for bucket in dict.fromkeys([*buckets, *summaries]):
        standing, summary = calibration.standing(bucket), summaries.get(bucket, UNCHECKED)
        counts = f"{summary.checks:g}", f"{summary.wrong:g}", str(unjudged.get(bucket, 0))
        table.add_row(bucket, *counts, f"{standing.bound:.2%}", _answers(standing, summary))
    out.print(table)
    out.print(f"Budget: {config.reuse.budget:.1%} of reused answers may be wrong.")
    if unjudged and config.reuse.verifier is None:
        out.print(_NO_JUDGE)


def _answers(standing: Standing, summary: BucketSummary) -> str:
    """Whether answers of a bucket are reused, and where they are not."""
    state = {"serves": "yes", "not yet": "not yet", "stopped": "stopped"}[standing.state]
    times = f", stopped {summary.stops} times" if summary.stops else ""
    parts = f", but in {summary.stopped_parts} neighbourhoods" if summary.stopped_parts else ""
    return f"{state}{parts}{times}"


@solutions_app.command()
@in_context
def forget(
    here: CommandContext,
    ids: Annotated[
        list[int] | None,
        typer.Argument(help="Ids of solutions; solutions adapted from these are deleted as well."),
    ] = None,
    key: Annotated[str | None, typer.Option(help="All solutions of the key with this id.")] = None,
    group: Annotated[
        str | None, typer.Option(help="All solutions of the keys that share this group.")
    ] = None,
) -> None:
    """Delete solutions for good."""
    store = _store(here)
    scopes = [f"key {key}"] if key is not None else []
    scopes += [f"group {group}"] if group is not None else []
    if not ids and not scopes:
        raise InputRefused("name solutions by their ids, or --key ID, or --group NAME")
    solutions = [_solution(store, id_) for id_ in ids or ()]
    subjects = [*scopes, *(str(solution.id) for solution in solutions)]
    here.record("solutions forgotten", ", ".join(subjects)[:200])
    count = store.forget(ids=[solution.id for solution in solutions])
    count += sum(store.forget(scope=scope) for scope in scopes)
    out.print(f"{count} solutions are deleted. Running routers forget them within a second.")


@solutions_app.command()
@in_context
def prepare(here: CommandContext) -> None:
    """Export the sentence encoder now; otherwise the router exports it at its first start."""
    from router.encoding.home import encoder_of

    config = here.config
    with err.status("Exporting the sentence encoder …"):
        encoder = encoder_of(config.reuse.encoder, str(config.encoders_folder))
    out.print(f"The sentence encoder is ready, in {encoder.folder}.")


def _store(here: CommandContext) -> SolutionStore:
    folder = here.config.reuse_folder
    if not (folder / FILE).is_file():
        mend = "set `reuse: {mode: similar}` in waggle.yaml, and ask something"
        raise CommandRefused(f"there is no solution in {folder} yet", mend)
    return SolutionStore(folder)


def _solution(store: SolutionStore, id_: SolutionId) -> Solution:
    solution = store.get(id_)
    if solution is None:
        mend = "`waggle solutions search all` lists them"
        raise InputRefused(f"there is no solution {id_}", mend)
    return solution


def _counts(store: SolutionStore) -> str:
    return ", ".join(f"{count} {state}" for state, count in sorted(store.counts().items()))


def _dollars(usd: float | None) -> str:
    return "unknown" if usd is None else f"${usd:.6g}"
