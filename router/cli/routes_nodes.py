"""`waggle routes new`, `nodes`, `adopt` and `back`: written routers, validators and other nodes."""

import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, get_args

import orjson
import typer
import yaml
from rich.markup import escape

from router.cli.context import CommandContext, JsonOption, in_context
from router.cli.terminal import InputRefused, entries, out, utc_minute
from router.cli.trial_book import open_ledger
from router.config.plans import AnyPlan
from router.config.problems import unknown
from router.config.values import NAME_PATTERN, NAME_RULE
from router.routing.node_contract import NODE_KINDS, NodeKind
from router.routing.nodes import Node
from router.routing.strategies import Strategy
from router.trials import changes
from router.trials.book import Book
from router.trials.ledger import Ledger
from router.trials.node_gates import check_node, checked_cases
from router.trials.node_reviews import in_short, lineage, verdicts_of
from router.trials.node_trials import adopt_by_hand, back_by_hand, register_node

_MOST_FILE = 1_000_000  # bytes
NodeName = Annotated[str, typer.Argument(help="The name of the node.")]


@in_context
def new(
    here: CommandContext,
    name: NodeName,
    kind: Annotated[str, typer.Option(help=f"router, {', '.join(NODE_KINDS)}.")],
    source: Annotated[Path, typer.Option(help="The Python file.")],
    cases: Annotated[
        Path | None,
        typer.Option(help="A JSON or YAML list of {request, answer, expect}, run before all else."),
    ] = None,
    plan: Annotated[
        str, typer.Option(help="The plan at whose gate a validator stands. Default: as configured.")
    ] = "",
) -> None:
    """Register a node that somebody wrote, after its gates, and begin its trial in the shadow.

    Example: waggle routes new has-total --kind validator --source total.py --cases cases.yaml
    """
    if kind not in ("router", *NODE_KINDS):
        rule, mend = unknown("kind", kind, ("router", *NODE_KINDS))
        raise InputRefused(f"--kind {kind}: {rule}. {mend}")
    if not re.fullmatch(NAME_PATTERN, name):
        raise InputRefused(f"{name!r:.80}: {NAME_RULE}")
    code, ledger, now = _text(source, "--source"), open_ledger(here), time.time()
    if kind == "router":
        if plan:
            raise InputRefused(
                "--plan: only a validator stands at the gate of a plan: leave it out"
            )
        if cases is not None:
            raise InputRefused("--cases: a router is checked against logged requests: leave it out")
        _new_router(here, ledger, Strategy(name, "function", source=code, author="operator"), now)
        return
    node_kind: NodeKind = next(each for each in get_args(NodeKind) if each == kind)
    given = checked_cases(node_kind, _list_in(cases)) if cases is not None else ()
    node = Node(name, node_kind, code, cases=given, author="operator", plan=plan)
    check_node(node, ledger.book.config.trials.function_ms / 1000)
    here.record("node written", name, after={"kind": kind})
    ledger.change(register_node, node, now)
    trial = next(t for t in reversed(ledger.book.trials.values()) if t.node == name)
    tested = f"passes its {len(given)} cases" if given else "has no cases: give some with --cases"
    out.print(f"{trial.candidate} {tested}. It is in the shadow: waggle trial show {trial.name}")
    if here.running is None:
        out.print(f"No service runs on {escape(str(here.config.data))}; the shadow begins with it.")


def _new_router(here: CommandContext, ledger: Ledger, strategy: Strategy, at: float) -> None:
    here.record("strategy registered", strategy.name)
    ledger.change(changes.register, strategy, at)
    key = ledger.book.strategy(strategy.name).key
    trial = key.replace("@", "-")
    ledger.change(changes.open_trial, trial, key, at, shadow=True)
    out.print(f"{key} is in the shadow: waggle trial show {trial}")


@in_context
def nodes(here: CommandContext, as_json: JsonOption = False) -> None:
    """List the written validators, classifiers and matchers, with their state and their use."""
    book = open_ledger(here).book
    rows = [_row(book, node) for node in book.nodes.values()]
    if as_json:
        out.print_json(orjson.dumps({"nodes": rows}).decode())
        return
    if not rows:
        out.print("No node was written yet: waggle routes new NAME --kind validator --source FILE")
        return
    out.print(entries((_head(row), str(row["why"])) for row in rows))


def _head(row: Mapping[str, Any]) -> str:
    """A version of a node in a line: its kind, its state, its author, its use."""
    made = f"{row['kind']} by {row['author']}, {utc_minute(row['at'])}, {len(row['cases'])} cases"
    use = f"; stands at {', '.join(row['used_by'])}" if row["used_by"] else ""
    reviews = f"reviewers: {in_short(row['reviews'])}"
    return f"[bold]{escape(row['key'])}[/] {row['state']}: {escape(f'{made}{use}; {reviews}')}"


@in_context
def adopt(here: CommandContext, name: NodeName) -> None:
    """Let the version of a node that is on trial act for all requests but a control."""
    ledger = open_ledger(here)
    here.record("node adopted", name)
    keep = ledger.book.config.trials.control
    ledger.change(adopt_by_hand, name, time.time(), keep=keep)
    acting = next(trial for trial in ledger.book.adopted_nodes if trial.node == name)
    out.print(f"{acting.candidate} acts for all but {keep:.0%}. Undo: waggle routes back {name}")


@in_context
def back(here: CommandContext, name: NodeName) -> None:
    """Take back the latest version of a node; the version that it replaced acts again."""
    ledger = open_ledger(here)
    here.record("node taken back", name)
    ledger.change(back_by_hand, name, time.time())
    acting = [trial.candidate for trial in ledger.book.adopted_nodes if trial.node == name]
    out.print(f"{acting[0]} acts again." if acting else f"No version of {name} acts now.")


def _row(book: Book, node: Node) -> dict[str, Any]:
    trial = next(trial for trial in book.trials.values() if trial.candidate == node.key)
    plans = book.config.plans.items()
    return node.written() | {
        "key": node.key,
        "state": trial.state,
        "trial": trial.name,
        "reviews": verdicts_of(book, node.key),
        "follows": lineage(book, node.key),
        "why": trial.why or trial.effect,
        "used_by": [
            plan for plan, tree in plans if node.name in _validators_in(tree) or plan == node.plan
        ],
    }


def _validators_in(plan: AnyPlan) -> Iterator[str]:
    if plan.gate is not None and plan.gate.function is not None:
        yield plan.gate.function
    for _, step in plan.places:
        if not isinstance(step, str):
            yield from _validators_in(step)


def _text(file: Path, option: str) -> str:
    try:
        if file.stat().st_size > _MOST_FILE:
            raise InputRefused(f"{option} {file}: it has more than {_MOST_FILE:,} bytes")
        return file.read_text("utf-8")
    except (OSError, ValueError) as error:
        raise InputRefused(f"{option} {file}: {error}") from None


def _list_in(file: Path) -> Any:
    try:
        return yaml.safe_load(_text(file, "--cases"))
    except yaml.YAMLError as error:
        raise InputRefused(f"--cases {file}: neither JSON nor YAML: {error}") from None
