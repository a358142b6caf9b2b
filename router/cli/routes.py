"""`waggle routes ...`: shows and compares written functions and nodes, and has new ones written."""

import difflib
from typing import Annotated

import typer
from rich.markup import escape
from rich.syntax import Syntax

from router.cli.context import CommandContext, in_context
from router.cli.routes_nodes import adopt, back, new, nodes
from router.cli.routes_prompts import prompts
from router.cli.terminal import InputRefused, entries, out, utc_minute
from router.cli.trial_book import ask_learner, open_ledger
from router.routing.nodes import Node
from router.routing.strategies import Strategy
from router.trials.book import Book
from router.trials.node_reviews import in_short, lineage, verdicts_of

routes_app = typer.Typer(
    name="routes",
    help="Written code that decides: routing functions, validators, classifiers, matchers.",
    no_args_is_help=True,
)
for command in (new, nodes, adopt, back, prompts):
    routes_app.command()(command)


@routes_app.command("log")
@in_context
def log(here: CommandContext) -> None:
    """List every routing function, with its author and its trials."""
    book = open_ledger(here).book
    functions = [row for row in book.registered.values() if row.kind == "function"]
    if not functions:
        out.print("No function was made yet: `waggle routes distill` makes one.")
        return
    out.print(entries((_head(book, function), function.evidence) for function in functions))


def _head(book: Book, function: Strategy) -> str:
    """A version of a function in a line: its author, its reviews, its trials."""
    tried = [trial for trial in book.trials.values() if trial.candidate == function.key]
    trials = "; ".join(f"{trial.name} {trial.state}" for trial in tried) or "not tried"
    serves = " [green](serves)[/]" if function.key == book.serving.key else ""
    made = (
        f"by {function.author}, {utc_minute(function.at)}, {function.source.count(chr(10))} lines"
    )
    reviews = in_short(verdicts_of(book, function.key))
    words = escape(f"{made}; reviewers: {reviews}; {trials}")
    return f"[bold]{escape(function.key)}[/]: {words}{serves}"


@routes_app.command("show")
@in_context
def show_route(
    here: CommandContext,
    name: Annotated[
        str | None,
        typer.Argument(help="A function or node, or name@1. Default: the function that serves."),
    ] = None,
) -> None:
    """Show the source of a function or node, what it follows, and what its reviewers say."""
    book = open_ledger(here).book
    written = _written(book, name)
    out.print(f"[bold]{escape(written.key)}[/], {utc_minute(written.at)}, by {written.author}")
    for parent in lineage(book, written.key):
        out.print(f"follows {escape(parent)}")
    for verdict in verdicts_of(book, written.key):
        reasons = "".join(f": {escape(reason)}" for reason in verdict["reasons"])
        out.print(f"{verdict['reviewer']}: {verdict['verdict']}{reasons}")
    out.print(Syntax(written.source, "python", background_color="default"))


@routes_app.command()
@in_context
def diff(
    here: CommandContext,
    before: Annotated[str, typer.Argument(help="A function or node, e.g. distilled@1.")],
    after: Annotated[
        str | None, typer.Argument(help="Another one. Default: the function that serves.")
    ] = None,
) -> None:
    """Show what changed from one function or node to another.

    Example: waggle routes diff distilled@1 distilled@2
    """
    book = open_ledger(here).book
    old, new = _written(book, before), _written(book, after)
    lines = difflib.unified_diff(
        old.source.splitlines(), new.source.splitlines(), old.key, new.key, lineterm=""
    )
    text = "\n".join(lines)
    out.print(Syntax(text, "diff", background_color="default") if text else "Both are the same.")


@routes_app.command()
@in_context
def distill(here: CommandContext) -> None:
    """Ask the learner to write its knowledge as a function, and open a trial of the function."""
    ask_learner(here, "distill")


@routes_app.command()
@in_context
def write(
    here: CommandContext,
    node: Annotated[
        bool, typer.Option("--node", help="A validator, classifier or matcher; no function.")
    ] = False,
) -> None:
    """Ask the backend `trials.writer` for a function or another node, and open its trial.

    Which node is written, and what for, follows from what the judged answers show.
    """
    ask_learner(here, "write_node" if node else "write")


def _written(book: Book, name: str | None) -> Strategy | Node:
    """The function or node with this key, or the latest version of this name."""
    functions = [each for each in book.registered.values() if each.kind == "function"]
    written: list[Strategy | Node] = [*functions, *book.nodes.values()]
    listed = ", ".join(each.key for each in written) or "none yet"
    if name is None and book.serving.kind != "function":
        raise InputRefused(f"{book.serving.key} serves, and is no function. There are: {listed}")
    wanted = book.serving.key if name is None else name
    fitting = [each for each in written if wanted in (each.key, each.name)]
    if not fitting:
        raise InputRefused(f"{wanted}: no function or node is called that. There are: {listed}")
    return max(fitting, key=lambda each: each.version)
