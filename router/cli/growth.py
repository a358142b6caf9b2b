"""`waggle growth ...`: plans that Waggle made for patterns of requests, and what became of them."""

import time
from collections.abc import Mapping
from typing import Annotated, Any

import orjson
import typer
import yaml
from rich.markup import escape
from rich.panel import Panel

from router.cli.context import CommandContext, JsonOption, in_context
from router.cli.terminal import entries, err, out, utc_minute
from router.cli.trial_book import open_ledger
from router.config.config import Config
from router.growth.growth_requests import change, forget_ended
from router.growth.overview import exported, lineage, overview, plan_fields
from router.trials.made_trials import named_plan, state_of

growth_app = typer.Typer(
    name="growth",
    help="Plans that Waggle made for patterns of requests: what was tried, kept, and why.",
    no_args_is_help=True,
)
PlanName = Annotated[str, typer.Argument(help="A made plan; `waggle growth list` names them.")]
_WORDS = {"kept": "kept out", "running": "on trial", "decided": "won, waits"}
_COLORS = {"adopted": "green", "running": "cyan", "waiting": "yellow", "decided": "yellow"}


@growth_app.command("list")
@in_context
def list_made(here: CommandContext, as_json: JsonOption = False) -> None:
    """List every made plan, the latest first, with what became of it and why."""
    ledger = open_ledger(here)
    shown = overview(ledger.book, _numbers(ledger.book.config))
    if as_json:
        out.print_json(orjson.dumps(shown).decode())
        return
    listed = entries((_head(row), row["why"]) for row in shown["plans"])
    out.print(listed if shown["plans"] else "Nothing was made yet.")
    if not shown["enabled"]:
        out.print("Growth is off: it needs growth.enabled and trials.propose in waggle.yaml.")


@growth_app.command()
@in_context
def show(here: CommandContext, name: PlanName, as_json: JsonOption = False) -> None:
    """Show a made plan: what it does, where it came from, its evidence and its numbers."""
    book = open_ledger(here).book
    made = named_plan(book, name)
    row = plan_fields(book, made, _numbers(book.config))
    if as_json:
        out.print_json(orjson.dumps(row).decode())
        return
    does = f"{row['examples']} examples from answers" if row["examples"] else "an instruction"
    plan = yaml.safe_dump(row["plan"], sort_keys=False, allow_unicode=True).strip()
    lines = [
        f"[bold]{_colored(row['state'])}[/] since {utc_minute(row['since'])}, for requests of "
        f"{escape(made.pattern)}",
        f"made {escape(_origin(made.parent, made.author))}, version {made.version}",
        f"answers what would go to {escape(made.stands_for)}" if made.stands_for else "",
        f"in the place of {escape(' and '.join(made.merges))}" if made.merges else "",
        f"answers {', '.join(made.patterns)}" if made.others else "",
        escape(made.evidence),
        escape(row["why"]),
        _believed(row["believed"]),
        f"{does}, in words of callers, for the requests of their owner alone"
        if row["holds_words"]
        else escape(plan),
    ]
    out.print(Panel("\n".join(line for line in lines if line), title=escape(name)))
    sql = f"select ts, quality, cost_usd, latency_ms from requests where plan = '{name}'"
    out.print(f'Its rows: waggle sql "{escape(sql)}"', soft_wrap=True)
    others = [each for each in lineage(book, name) if each.name != name]
    for each in others:
        out.print(f"before or after it: {each.name}, {_colored(state_of(book, each.name))}")


@growth_app.command()
@in_context
def approve(here: CommandContext, name: PlanName) -> None:
    """Begin the trial of a plan that waits, or adopt a plan that is on trial."""
    _change(here, "approve", name)


@growth_app.command()
@in_context
def forbid(here: CommandContext, name: PlanName) -> None:
    """End a plan at once, and never make one like it for its pattern again."""
    _change(here, "forbid", name)


@growth_app.command()
@in_context
def remove(here: CommandContext, name: PlanName) -> None:
    """End a plan at once; its pattern gets no other plan for a week."""
    _change(here, "remove", name)


@growth_app.command()
@in_context
def export(
    here: CommandContext,
    words: Annotated[
        bool, typer.Option("--words", help="With plans whose examples hold words of callers.")
    ] = False,
) -> None:
    """Print the adopted plans as `plans:` of waggle.yaml.

    A plan of waggle.yaml answers any caller. So a plan that holds words of callers is left out,
    unless you ask for it.
    """
    book = open_ledger(here).book
    plans, left_out = exported(book, book.config.growth_folder, words=words)
    typer.echo(yaml.safe_dump({"plans": plans}, sort_keys=False, allow_unicode=True), nl=False)
    if left_out:
        names = ", ".join(left_out)
        err.print(f"Left out, as they hold words of callers: {names}. With them: --words")


def _change(here: CommandContext, do: str, name: str) -> None:
    ledger = open_ledger(here)
    named_plan(ledger.book, name)
    here.record(f"growth {do}", name, before={"state": state_of(ledger.book, name)})
    ledger.change(change, ledger.book.config, do, name, time.time())
    forget_ended(ledger.book, name)
    out.print(f"{name} is {state_of(ledger.book, name)}.")


def _numbers(config: Config) -> Mapping[str, Any]:
    """The numbers of running trials from the learner's latest file."""
    try:
        numbers = orjson.loads((config.trials_folder / "numbers.json").read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return {}
    return numbers if isinstance(numbers, dict) else {}


def _origin(parent: str, recipe: str) -> str:
    """The plan that a made plan comes from, and the recipe, if it is more than a plan with less."""
    return f"from {parent} by {recipe}" if recipe else f"from {parent}"


def _believed(believed: Mapping[str, float] | None) -> str:
    """What an answer of the plan is expected to be. It began with what its parent was there."""
    if believed is None:
        return ""
    return (
        f"expected of an answer: quality {believed['quality']:.2f} ± "
        f"{1.96 * believed['deviation']:.2f}, ${believed['usd']:.2g}, {believed['seconds']:.2g} s"
    )


def _head(row: Mapping[str, Any]) -> str:
    """A made plan in a line: its name, its state, and what it was made from, for what."""
    source = escape(f"{_origin(row['made_from'], row['by'])}, for {row['pattern']}")
    name, made_at = escape(row["name"]), utc_minute(row["made_at"])
    return f"[bold]{name}[/] {_colored(row['state'])}: {source}, {made_at}"


def _colored(state: str) -> str:
    words, color = _WORDS.get(state, state), _COLORS.get(state)
    return f"[{color}]{words}[/]" if color else words
