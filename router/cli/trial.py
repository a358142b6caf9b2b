"""`waggle trial ...`: opens trials of a strategy on real traffic, shows them and ends them."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from router.cli.context import CommandContext, JsonOption, in_context
from router.cli.terminal import InputRefused, entries, out, utc_minute
from router.cli.trial_book import open_ledger
from router.config.config import Config
from router.trials import changes
from router.trials.book import Trial
from router.trials.logged import LoggedTelemetry
from router.trials.overview import trial_fields
from router.trials.trial_requests import requested_strategy

trial_app = typer.Typer(
    name="trial",
    help="Trials: one strategy against another, adopted when it is shown to be better.",
    no_args_is_help=True,
)
_NOTHING = "doing without"  # what a written node is compared with
TrialName = Annotated[str, typer.Argument(help="The name of the trial.")]


@trial_app.command("new")
@in_context
def new(
    here: CommandContext,
    name: Annotated[str, typer.Argument(help="A name for the trial.")],
    candidate: Annotated[
        str, typer.Option(help="The strategy to try; `waggle trial strategies` lists them.")
    ],
    split: Annotated[
        float, typer.Option(help="The candidate's share of the trial's requests.")
    ] = 0.5,
    traffic: Annotated[float, typer.Option(help="The trial's share of all requests.")] = 1.0,
    layer: Annotated[str, typer.Option(help="Trials of the same layer share its traffic.")] = "",
    no_worse: Annotated[
        bool,
        typer.Option("--no-worse", help="Adopt the candidate if it is no worse (but simpler)."),
    ] = False,
    shadow: Annotated[
        bool, typer.Option("--shadow", help="At first, only compare its decisions; use them later.")
    ] = False,
) -> None:
    """Try a strategy on a part of the traffic, against the strategy that serves now.

    Example: waggle trial new cheaper --candidate always-records --traffic 0.2
    """
    ledger = open_ledger(here)
    now = time.time()
    here.record("trial opened", name, after={"candidate": candidate, "traffic": traffic})
    ledger.change(
        changes.open_trial,
        name,
        candidate,
        now,
        share=split,
        traffic=traffic,
        layer=layer,
        goal="no worse" if no_worse else "better",
        shadow=shadow,
    )
    trial = ledger.book.trial(name)
    out.print(f"{trial.name}: {trial.candidate} against {trial.current}, {trial.state}.")
    out.print(f"Watch it with: waggle trial show {trial.name}")


@trial_app.command("list")
@in_context
def list_trials(here: CommandContext, as_json: JsonOption = False) -> None:
    """List every trial, the latest first, and show which strategy serves."""
    ledger = open_ledger(here)
    book, numbers = ledger.book, _numbers(ledger.book.config)
    rows = [_row(trial, numbers) for trial in reversed(book.trials.values())]
    if as_json:
        out.print_json(orjson.dumps({"serving": book.serving.key, "trials": rows}).decode())
        return
    listed = zip(reversed(book.trials.values()), rows, strict=True)
    shown = entries((_head(trial), str(row["why"])) for trial, row in listed)
    out.print(shown if rows else "There is no trial yet.")
    held = f", held against {book.control.key}" if book.watched and book.control else ""
    out.print(f"[bold]{escape(book.serving.key)}[/] serves{escape(held)}.")


@trial_app.command()
@in_context
def show(here: CommandContext, name: TrialName, as_json: JsonOption = False) -> None:
    """Show a trial with its numbers: intervals, guardrails, and how the traffic was split."""
    ledger = open_ledger(here)
    trial = ledger.book.trial(name)
    row = _row(trial, _numbers(ledger.book.config))
    if as_json:
        out.print_json(orjson.dumps(row).decode())
        return
    share = trial.share if trial.state in ("adopting", "adopted") else trial.slot.share
    lines = [
        f"[bold]{escape(trial.candidate)}[/] against {escape(trial.current or _NOTHING)}; goal: "
        f"{trial.goal}; {share:.0%} of {trial.slot.high - trial.slot.low:.0%} of the "
        f"traffic; opened by {trial.opened_by}, {utc_minute(trial.began)}",
        f"{_colored(trial.state)} since {utc_minute(trial.since)}",
        escape(str(row["why"])),
    ]
    out.print(Panel("\n".join(line for line in lines if line), title=escape(trial.name)))
    numbers = row["numbers"]
    if numbers.get("shadowed"):
        out.print(
            f"In the shadow: {numbers['shadowed']:,} requests, {numbers['disagreed']:,} of them "
            f"decided differently; the function failed on {numbers['troubled']:,} more."
        )
    for reason, count in numbers.get("silent", {}).items():
        out.print(f"On {count:,} requests it had no effect: {escape(reason)}.")
    if numbers.get("guards"):
        out.print(_guards(numbers))
        sides = numbers["assigned"]
        out.print(
            f"Units: {sides['candidate']:,} and {sides['current']:,} (p = {numbers['split_p']:g} "
            "that the split is as intended)"
        )


def _head(trial: Trial) -> str:
    """A trial in a line: its name, its state, its sides and its beginning."""
    sides = escape(f"{trial.candidate} against {trial.current or _NOTHING}")
    return (
        f"[bold]{escape(trial.name)}[/] {_colored(trial.state)}: {sides}, {utc_minute(trial.began)}"
    )


def _guards(numbers: Mapping[str, Any]) -> Table:
    table = Table("", "candidate less current", "at every look", "", box=None)
    lift = numbers["lift"]
    table.add_row("utility", _number(lift["mean"]), _between(lift), "")
    for name, guard in numbers["guards"].items():
        state = _colored(guard["state"])
        table.add_row(name, _number(guard["mean"]), _between(guard), state)
    return table


@trial_app.command()
@in_context
def stop(here: CommandContext, name: TrialName) -> None:
    """End a trial without a verdict; the serving strategy stays."""
    ledger = open_ledger(here)
    here.record("trial stopped", name)
    ledger.change(changes.stop, name, time.time())
    out.print(f"{name} is stopped. {ledger.book.serving.key} serves.")


@trial_app.command()
@in_context
def adopt(
    here: CommandContext,
    name: TrialName,
    at_once: Annotated[
        bool, typer.Option("--at-once", help="Adopt the candidate in one step.")
    ] = False,
) -> None:
    """Adopt a trial's candidate in steps: 1 %, 10 %, 50 %, then everything but a control group."""
    ledger = open_ledger(here)
    reason, keep = "an operator adopted it", ledger.book.config.trials.control
    here.record("trial adopted", name, before={"serving": ledger.book.serving.key})
    ledger.change(changes.adopt, name, time.time(), why=reason, by_steps=not at_once, keep=keep)
    pace = "at once" if at_once else "by steps"
    out.print(f"{ledger.book.serving.key} is adopted {pace}. Undo: waggle trial rollback")


@trial_app.command()
@in_context
def rollback(
    here: CommandContext,
    to: Annotated[
        str | None,
        typer.Option("--to", help="The strategy to go back to. Default: the previous one."),
    ] = None,
) -> None:
    """Undo the last adoption at once."""
    ledger = open_ledger(here)
    now = time.time()
    here.record("trial rolled back", to or "", before={"serving": ledger.book.serving.key})
    if to is None:
        ledger.change(changes.roll_back, now, "an operator rolled it back")
    else:
        ledger.change(changes.return_to, to, now, "an operator said so")
    out.print(f"{ledger.book.serving.key} serves.")


@trial_app.command()
@in_context
def strategies(here: CommandContext) -> None:
    """List the strategies that a trial can try: configured and registered ones."""
    book = open_ledger(here).book
    table = Table("strategy", "kind", "by", "settings", "", box=None)
    serving = book.serving.key
    for key, strategy in book.strategies.items():
        settings = json.dumps(dict(strategy.settings)) if strategy.settings else ""
        if strategy.without:
            settings = f"without {', '.join(strategy.without)} {settings}"
        if strategy.instead:
            settings = f"{', '.join(strategy.instead.values())} {settings}"
        mark = "[green]serves[/]" if key == serving else ""
        if not book.usable(strategy):
            mark = "[yellow]not under this configuration[/]"
        author = strategy.author or "configuration"
        table.add_row(escape(key), strategy.kind, escape(author), escape(settings), mark)
    out.print(table)


@trial_app.command()
@in_context
def register(
    here: CommandContext,
    name: Annotated[str, typer.Argument(help="A name for the strategy.")],
    kind: Annotated[str, typer.Option(help="bandit, ladder, fixed, mix, function or same.")],
    settings: Annotated[
        str, typer.Option(help='The settings as JSON, e.g. \'{"plan": "a"}\'.')
    ] = "{}",
    file: Annotated[Path | None, typer.Option(help="The Python file of a function.")] = None,
    without: Annotated[
        list[str] | None, typer.Option(help="A plan that the strategy never chooses.")
    ] = None,
    instead: Annotated[
        list[str] | None,
        typer.Option(help="A simpler plan to use in place of another: records~validator."),
    ] = None,
) -> None:
    """Register a strategy under a name and a version, so that a trial can try it.

    A mix without settings chooses at random between the cheapest and the dearest plan, at today's
    average cost.
    """
    ledger = open_ledger(here)
    try:
        fields = json.loads(settings)
        source = file.read_text("utf-8") if file is not None else ""
    except (ValueError, OSError) as error:
        raise InputRefused(f"--settings or --file: {error}") from None
    if not isinstance(fields, dict):
        raise InputRefused(f"--settings {settings} must be a JSON object, e.g. '{{}}'")
    given = {"name": name, "kind": kind, "settings": fields, "source": source}
    plans = {"without": without or (), "instead": instead or ()}
    telemetry = LoggedTelemetry(ledger.book.config.telemetry_folder)
    strategy = requested_strategy(given | plans, telemetry, ledger.book.config)
    here.record("strategy registered", strategy.key)
    ledger.change(changes.register, strategy, time.time())
    key = ledger.book.strategy(name).key
    out.print(f"Registered {key}. Try it: waggle trial new NAME --candidate {key}")


def _numbers(config: Config) -> Mapping[str, Any]:
    """The numbers of running trials from the learner's latest file."""
    try:
        content = (config.trials_folder / "numbers.json").read_bytes()
        numbers: Mapping[str, Any] = orjson.loads(content)
    except (OSError, orjson.JSONDecodeError):
        return {}
    return numbers


def _row(trial: Trial, numbers: Mapping[str, Any]) -> dict[str, Any]:
    latest = {} if trial.ended else numbers.get(trial.id, {})
    return trial_fields(trial) | {
        "why": latest.get("why") or trial.why or trial.effect,
        "numbers": latest.get("numbers") or dict(trial.numbers),
    }


_COLORS = {
    "running": "cyan", "shadow": "cyan", "adopting": "cyan", "adopted": "green", "held": "green",
    "rolled back": "red", "vetoed": "red", "breached": "red", "decided": "yellow",
}  # fmt: skip


def _colored(state: str) -> str:
    color = _COLORS.get(state)
    return f"[{color}]{state}[/]" if color else state


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:+.4f}"


def _between(interval: Mapping[str, float | None]) -> str:
    low, high = interval["low"], interval["high"]
    return "" if low is None or high is None else f"{low:+.4f} to {high:+.4f}"
