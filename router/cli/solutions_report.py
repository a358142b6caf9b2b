"""`waggle solutions report`: how the library of programs grows, and who uses it."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

import orjson
import typer
from rich.markup import escape
from rich.table import Column, Table

from router.cli.context import CommandContext, JsonOption, in_context
from router.cli.terminal import CommandRefused, InputRefused, facts, out
from router.cli.trial_book import open_ledger
from router.reuse.programs.figures import VIEWS, LibraryReader, Row
from router.reuse.solution_store import FILE, SolutionStore
from router.routing.nodes import Node
from router.routing.strategies import Strategy
from router.trials.node_reviews import in_short, lineage, verdicts_of

_SHOWN_LETTERS = 48


@in_context
def report(
    here: CommandContext,
    rows: Annotated[
        str, typer.Option("--rows", help=f"Print the rows of a view: {', '.join(VIEWS)}.")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Most rows in a table.")] = 10,
    as_json: JsonOption = False,
) -> None:
    """Show the library of programs: totals, the popular ones, quality by week, lines and spread.

    Example: waggle solutions report --rows program_reviews
    """
    folder = here.config.reuse_folder
    if not (folder / FILE).is_file():
        mend = "set `reuse: {mode: similar}` in waggle.yaml, and ask something"
        raise CommandRefused(f"there is no solution in {folder} yet", mend)
    SolutionStore(folder).close()  # refuses a damaged file, and brings an older one forward
    reader = LibraryReader(folder / FILE)
    try:
        if rows:
            _show_rows(reader, rows, limit, as_json=as_json)
            return
        figures = reader.figures(limit)
    finally:
        reader.close()
    functions = _functions(here)
    if as_json:
        document = {**asdict(figures), "functions": functions}
        typer.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
        return
    _show_totals(figures.totals)
    _show("Popular programs", figures.popular, _POPULAR, "programs")
    _show("By week", figures.weeks, _WEEKS, "program_weeks")
    _show("Deepest lines", figures.deepest, _DEEPEST, "program_lines")
    _show("Breakthroughs, and how they spread", figures.breakthroughs, _SPREAD, _SPREAD_VIEW)
    _show("Reviewers", figures.reviewers, _REVIEWERS, "program_reviews")
    _show("Written functions and nodes", functions, _FUNCTIONS, "waggle routes log, nodes")
    _show_standards(figures.standards)


_POPULAR = {
    "id": "id", "version": "version", "request": "request", "author": "author", "keys": "keys",
    "uses": "uses", "success": "held", "stars": "stars",
}  # fmt: skip
_WEEKS = {
    "week": "week of", "made": "made", "accepted": "reviews that accept", "uses": "uses",
    "success": "held", "stars": "stars",
}  # fmt: skip
_DEEPEST = {
    "root": "begins with", "request": "request", "versions": "versions", "depth": "depth",
    "forks": "forks", "uses": "uses",
}  # fmt: skip
_SPREAD_VIEW = "program_breakthroughs"
_SPREAD = {
    "id": "id", "request": "request", "keys": "keys", "hours_to_third_key": "hours to 3 keys",
    "days_to_last_key": "days to the last", "heirs": "heirs", "share_of_line": "of its line's uses",
}  # fmt: skip
_FUNCTIONS = {
    "function": "name", "kind": "kind", "author": "by", "follows": "follows", "lines": "lines",
    "reviews": "reviewers", "trials": "trials", "serves": "serves",
}  # fmt: skip
_REVIEWERS = {
    "reviewer": "reviewer", "reviews": "reviews", "accepted": "accept", "revise": "revise",
    "rejected": "reject",
}  # fmt: skip
_SHARES = frozenset({"success", "accepted", "share_of_line"})


def _functions(here: CommandContext) -> list[Row]:
    """The functions and other nodes of the book of trials: each version with what it follows, what
    its reviewers said, and how its trials ended."""
    book = open_ledger(here).book
    written: list[tuple[Strategy | Node, str]] = [
        (each, "router") for each in book.registered.values() if each.kind == "function"
    ]
    written += [(node, node.kind) for node in book.nodes.values()]
    acting = {book.serving.key, *(trial.candidate for trial in book.adopted_nodes)}
    return [
        {
            "function": each.key,
            "kind": kind,
            "author": each.author,
            "follows": next(iter(lineage(book, each.key)), ""),
            "lines": each.source.count("\n"),
            "reviews": in_short(verdicts_of(book, each.key)),
            "trials": ", ".join(t.state for t in book.trials.values() if t.candidate == each.key),
            "serves": "yes" if each.key in acting else "no",
        }
        for each, kind in written
    ]


def _show_totals(totals: Row) -> None:
    if totals["answers"] or totals["answer_uses"]:
        used = f"{totals['answers']} remembered, which answered {totals['answer_uses']} requests"
        out.print(facts({"answers": used}))
    if not totals["programs"]:
        out.print("The library holds no program yet: ask for something that is to be computed.")
        return
    states = ("in_use", "superseded", "quarantined", "rejected")
    counts = ", ".join(f"{totals[name]} {name.replace('_', ' ')}" for name in states)
    lines = f"{totals['lines']} lines, {totals['forks']} forks; at most {totals['most_versions']}"
    held = _cell("success", totals["success"])
    rows = {
        "programs": f"{totals['programs']}: {counts}",
        "lineage": f"{lines} versions, {totals['deepest']} deep",
        "uses": f"{totals['uses']} by {totals['keys']} keys; {held} held",
        "stars": _stars(totals),
    }
    out.print(facts(rows))
    out.print("[dim]rows: waggle solutions report --rows programs[/]")


def _stars(totals: Row) -> str:
    if totals["stars"] is None:
        return "no caller has rated an answer of a program"
    return f"{totals['stars']:.2f} of 5, by {totals['rated']} ratings"


def _show_standards(standards: Row) -> None:
    if not standards["version"]:
        return
    out.print(f"\n[italic]Standards {standards['version']}[/], which half of the authors see")
    out.print(escape(standards["text"]), soft_wrap=True)
    sides = {"with them": standards["shown"], "without": standards["not_shown"]}
    for name, side in sides.items():
        share = f" ({side['succeeded'] / side['requests']:.0%})" if side["requests"] else ""
        proven = f"{side['succeeded']} of {side['requests']} requests proven{share}"
        out.print(f"{name}: {proven}, {side['programs']} programs written")
    if standards["interval"] is not None:
        low, high = standards["interval"]
        sure = "" if low > 0 or high < 0 else ": nothing is shown yet"
        out.print(f"effect: {standards['gain']:+.1%}, 95% from {low:+.1%} to {high:+.1%}{sure}")
    out.print("[dim]rows: waggle solutions report --rows program_drafts[/]")


def _show(title: str, rows: Sequence[Row], columns: dict[str, str], view: str) -> None:
    if not rows:
        return
    name, *others = columns.values()
    whole = Column(name, no_wrap=True)  # it names the row, so that it can be copied
    table = Table(whole, *others, box=None, title=title, title_justify="left")
    for row in rows:
        table.add_row(*(_cell(name, row[name]) for name in columns))
    out.print()
    out.print(table)
    command = view if " " in view else f"waggle solutions report --rows {view}"
    out.print(f"[dim]rows: {command}[/]")


def _cell(name: str, value: Any) -> str:
    if value is None:
        return "-"
    if name in _SHARES and isinstance(value, float):
        return f"{value:.0%}"
    text = " ".join(str(value).split())
    return escape(text if len(text) <= _SHOWN_LETTERS else text[: _SHOWN_LETTERS - 1] + "…")


def _show_rows(reader: LibraryReader, view: str, limit: int, *, as_json: bool) -> None:
    try:
        rows = reader.rows(view, limit)
    except ValueError as error:
        raise InputRefused(f"--rows: {error}") from None
    if as_json:
        typer.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
    elif not rows:
        out.print(f"The view {view} has no rows yet.")
    else:
        table = Table(*rows[0], box=None)
        for row in rows:
            table.add_row(*(_cell("", value) for value in row.values()))
        out.print(table)
