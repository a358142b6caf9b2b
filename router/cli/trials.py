"""`waggle trial ...`, `waggle routes ...`, `waggle simplify`: strategies compete, and are read."""

import datetime as dt
import difflib
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.markup import escape
from rich.panel import Panel
from rich.syntax import Syntax
from rich.table import Table

from router.cli.terminal import ConfigOption, DataOption, Stop, err, out, read
from router.config.config import Config
from router.config.plans import whole
from router.deployment import local_service as service
from router.routing.strategies import Strategy
from router.trials.book import Book, Ledger, Line, Rejected, Trial
from router.trials.director import told_of
from router.trials.logged import LoggedTelemetry
from router.trials.trial_requests import matched

trial_app = typer.Typer(
    help="Trials: one strategy against another, adopted when it is shown to be better.",
    no_args_is_help=True,
)
routes_app = typer.Typer(
    help="Routing functions: what decides, as code to read.", no_args_is_help=True
)
_ANSWER_SECONDS = 60.0
JsonOption = Annotated[bool, typer.Option("--json", help="For programs.")]


def _ledger(config_file: Path | None, data: Path | None) -> tuple[Config, Ledger]:
    config = read(config_file, data=str(data) if data else None)
    running = service.find_running(config.data)
    if config_file is None and running is not None and Path(running.config).is_file():
        config = read(Path(running.config), data=str(config.data))
    ledger = Ledger(config.trials_folder, config)
    ledger.follow()
    return config, ledger


def _change(ledger: Ledger, told: Callable[[Book], list[Line]]) -> None:
    try:
        ledger.change(told)
    except Rejected as error:
        raise Stop(str(error), 2) from None


@trial_app.command("new")
def new(
    name: str,
    candidate: Annotated[str, typer.Option(help="A strategy: `waggle trial strategies`.")],
    split: Annotated[float, typer.Option(help="The candidate's share of the trial.")] = 0.5,
    traffic: Annotated[float, typer.Option(help="The trial's share of all requests.")] = 1.0,
    layer: Annotated[str, typer.Option(help="Trials of one layer share its traffic.")] = "",
    no_worse: Annotated[
        bool, typer.Option("--no-worse", help="It need not be better, only simpler.")
    ] = False,
    shadow: Annotated[
        bool, typer.Option("--shadow", help="Ask it beside what serves before it is followed.")
    ] = False,
    config_file: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Try a strategy on a part of the traffic, against what serves."""
    _, ledger = _ledger(config_file, data)
    now = time.time()
    _change(
        ledger,
        lambda book: book.open(
            name,
            candidate,
            now,
            share=split,
            traffic=traffic,
            layer=layer,
            goal="no worse" if no_worse else "better",
            shadow=shadow,
        ),
    )
    trial = ledger.book.trial(name)
    out.print(f"{trial.name}: {trial.candidate} against {trial.current}, {trial.state}.")
    out.print(f"Watch it with: waggle trial show {trial.name}")


@trial_app.command("list")
def list_(
    as_json: JsonOption = False, config_file: ConfigOption = None, data: DataOption = None
) -> None:
    """Every trial, the latest first, and who serves."""
    config, ledger = _ledger(config_file, data)
    book = ledger.book
    numbers = _numbers(config)
    if as_json:
        told = [_told(one, numbers) for one in reversed(book.trials.values())]
        out.print_json(orjson.dumps({"serving": book.serving.key, "trials": told}).decode())
        return
    table = Table("trial", "state", "candidate", "against", "began", "what is known", box=None)
    for trial in reversed(book.trials.values()):
        why = _told(trial, numbers)["why"]
        table.add_row(
            trial.name,
            _colored(trial.state),
            escape(trial.candidate),
            escape(trial.current),
            _day(trial.began),
            escape(str(why)),
        )
    out.print(table if book.trials else "No trial was ever opened.")
    watched = book.watched
    held = f", held against {book.control.key}" if watched and book.control else ""
    out.print(f"[bold]{escape(book.serving.key)}[/] serves{escape(held)}.")


@trial_app.command()
def show(
    name: str,
    as_json: JsonOption = False,
    config_file: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """One trial with its numbers: the interval, the guardrails, the sample ratio."""
    config, ledger = _ledger(config_file, data)
    try:
        trial = ledger.book.trial(name)
    except Rejected as error:
        raise Stop(str(error), 2) from None
    told = _told(trial, _numbers(config))
    if as_json:
        out.print_json(orjson.dumps(told).decode())
        return
    lines = [
        f"[bold]{escape(trial.candidate)}[/] against {escape(trial.current)}; it is to be "
        f"{trial.goal}; {trial.slot.share:.0%} of {trial.slot.high - trial.slot.low:.0%} of the "
        f"traffic; opened by {trial.opened_by}, {_day(trial.began)}",
        f"{_colored(trial.state)} since {_day(trial.since)}",
        escape(str(told["why"])),
    ]
    out.print(Panel("\n".join(line for line in lines if line), title=escape(trial.name)))
    numbers = told["numbers"]
    if numbers.get("shadowed"):
        out.print(
            f"In the shadow: {numbers['shadowed']:,} requests, {numbers['disagreed']:,} of them "
            f"decided otherwise, {numbers['troubled']:,} without an answer."
        )
    if numbers.get("guards"):
        out.print(_guards(numbers))
        sides = numbers["assigned"]
        out.print(
            f"Units: {sides['candidate']:,} and {sides['current']:,} (p = {numbers['split_p']:g} "
            "that the split is as it was to be)"
        )


def _guards(numbers: Mapping[str, Any]) -> Table:
    table = Table("", "candidate less current", "at every look", "", box=None)
    lift = numbers["lift"]
    table.add_row("utility", _number(lift["mean"]), _between(lift), "")
    for name, one in numbers["guards"].items():
        table.add_row(name, _number(one["mean"]), _between(one), _colored(one["state"]))
    return table


@trial_app.command()
def stop(name: str, config_file: ConfigOption = None, data: DataOption = None) -> None:
    """End a trial without a verdict; what serves goes on."""
    _, ledger = _ledger(config_file, data)
    _change(ledger, lambda book: book.stop(name, time.time()))
    out.print(f"{name} is stopped. {ledger.book.serving.key} serves.")


@trial_app.command()
def adopt(
    name: str,
    at_once: Annotated[
        bool, typer.Option("--at-once", help="All but the control at once, not by steps.")
    ] = False,
    config_file: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Have a trial's candidate serve: 1, 10, 50 per cent, then all but a control."""
    config, ledger = _ledger(config_file, data)
    why, keep = "an operator adopted it", config.trials.control
    _change(
        ledger,
        lambda book: book.adopt(name, time.time(), why=why, by_steps=not at_once, keep=keep),
    )
    told = "at once" if at_once else "by steps"
    out.print(f"{ledger.book.serving.key} is adopted {told}. Undo: waggle trial rollback")


@trial_app.command()
def rollback(
    to: Annotated[
        str | None, typer.Option("--to", help="A strategy; default: what served before.")
    ] = None,
    config_file: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Take back the last adoption, at once."""
    _, ledger = _ledger(config_file, data)
    now = time.time()
    if to is None:
        _change(ledger, lambda book: book.roll_back(now, "an operator rolled it back"))
    else:
        _change(ledger, lambda book: book.return_to(to, now, "an operator said so"))
    out.print(f"{ledger.book.serving.key} serves.")


@trial_app.command()
def strategies(config_file: ConfigOption = None, data: DataOption = None) -> None:
    """What can be tried: the configuration's own, and all that were registered."""
    _, ledger = _ledger(config_file, data)
    table = Table("strategy", "kind", "by", "settings", "", box=None)
    serving = ledger.book.serving.key
    for key, one in ledger.book.strategies.items():
        told = json.dumps(dict(one.settings)) if one.settings else ""
        told = f"without {', '.join(one.without)} {told}" if one.without else told
        told = f"{', '.join(one.instead.values())} {told}" if one.instead else told
        mark = "[green]serves[/]" if key == serving else ""
        if not ledger.book.usable(one):
            mark = "[yellow]not under this configuration[/]"
        table.add_row(
            escape(key), one.kind, escape(one.author or "configuration"), escape(told), mark
        )
    out.print(table)


@trial_app.command()
def register(
    name: str,
    kind: Annotated[str, typer.Option(help="bandit, ladder, fixed, mix, function or same.")],
    settings: Annotated[str, typer.Option(help='As JSON, e.g. \'{"plan": "a"}\'.')] = "{}",
    file: Annotated[Path | None, typer.Option(help="The source of a function.")] = None,
    without: Annotated[list[str] | None, typer.Option(help="A plan that it goes without.")] = None,
    instead: Annotated[
        list[str] | None, typer.Option(help="A simpler plan for another: records~validator.")
    ] = None,
    config_file: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Give a strategy a name and a version, so that it can be tried.

    A mix without settings is the one of the cheapest plan and the dearest that costs what is spent.
    """
    config, ledger = _ledger(config_file, data)
    try:
        told = json.loads(settings)
        source = file.read_text("utf-8") if file is not None else ""
    except (ValueError, OSError) as error:
        raise Stop(f"--settings or --file: {error}", 2) from None
    if not isinstance(told, dict):
        raise Stop(f"--settings {settings}: an object is meant, e.g. '{{}}'", 2)
    made = Strategy(
        name,
        kind,  # type: ignore[arg-type]  # the book says so where it is none
        settings=told,
        source=source,
        author="operator",
        without=tuple(without or ()),
        instead={whole(one): one for one in instead or ()},
    )
    try:
        made = matched(made, LoggedTelemetry(config.telemetry_folder), config)
    except Rejected as error:
        raise Stop(str(error), 2) from None
    _change(ledger, lambda book: book.register(made, time.time()))
    key = ledger.book.strategy(name).key
    out.print(f"Registered {key}. Try it: waggle trial new NAME --candidate {key}")


@routes_app.command("log")
def log(config_file: ConfigOption = None, data: DataOption = None) -> None:
    """Every routing function, by whom, and what became of it."""
    _, ledger = _ledger(config_file, data)
    functions = [one for one in ledger.book.registered.values() if one.kind == "function"]
    if not functions:
        out.print("No function was made yet: `waggle routes distill` makes one of what is known.")
        return
    table = Table("function", "at", "by", "lines", "became of it", "rests on", box=None)
    for one in functions:
        trials = [t for t in ledger.book.trials.values() if t.candidate == one.key]
        became = "; ".join(f"{t.name} {t.state}" for t in trials) or "not tried"
        if one.key == ledger.book.serving.key:
            became += " [green](serves)[/]"
        lines = str(one.source.count("\n"))
        table.add_row(one.key, _day(one.at), one.author, lines, became, escape(one.evidence))
    out.print(table)


@routes_app.command("show")
def show_route(
    name: Annotated[str | None, typer.Argument(help="Default: what serves.")] = None,
    config_file: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """One routing function, to read."""
    _, ledger = _ledger(config_file, data)
    strategy = _function(ledger.book, name)
    out.print(f"[bold]{escape(strategy.key)}[/], {_day(strategy.at)}, by {strategy.author}")
    out.print(Syntax(strategy.source, "python", background_color="default"))


@routes_app.command()
def diff(
    before: str,
    after: Annotated[str | None, typer.Argument(help="Default: what serves.")] = None,
    config_file: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """What changed from one routing function to another."""
    _, ledger = _ledger(config_file, data)
    one, other = _function(ledger.book, before), _function(ledger.book, after)
    lines = difflib.unified_diff(
        one.source.splitlines(), other.source.splitlines(), one.key, other.key, lineterm=""
    )
    told = "\n".join(lines)
    out.print(Syntax(told, "diff", background_color="default") if told else "They are the same.")


@routes_app.command()
def distill(config_file: ConfigOption = None, data: DataOption = None) -> None:
    """Write what was learned as a function, and try it beside what serves."""
    _wish("distill", config_file, data)


@routes_app.command()
def write(config_file: ConfigOption = None, data: DataOption = None) -> None:
    """Have the backend that `trials.writer` names write a function, and try it."""
    _wish("write", config_file, data)


def simplify(config_file: ConfigOption = None, data: DataOption = None) -> None:
    """Look for plans, backends and branches that add nothing; a trial has to prove it."""
    _wish("simplify", config_file, data)


def _wish(what: str, config_file: Path | None, data: Path | None) -> None:
    """It takes the learner: it is asked, and what follows is in the book."""
    config, ledger = _ledger(config_file, data)
    if service.find_running(config.data) is None:
        raise Stop(f"no service runs on {config.data}: its learner is needed; `waggle serve`")
    known = set(ledger.book.trials)
    notes = len(ledger.book.notes)
    _change(ledger, lambda _: [{"do": "ask", "at": time.time(), "what": what}])
    until = time.monotonic() + _ANSWER_SECONDS
    with err.status("Looking …"):
        while time.monotonic() < until:
            time.sleep(0.2)
            ledger.follow()
            made = [one for id_, one in ledger.book.trials.items() if id_ not in known]
            if made:
                out.print(f"{made[0].name}: {escape(made[0].effect)}")
                out.print(f"It is tried: waggle trial show {made[0].name}")
                return
            for note in ledger.book.notes[notes:]:
                if note["subject"] == what:
                    out.print(f"Nothing: {escape(note['why'])}.")
                    return
    if what == "write":
        out.print("The author is at work; `waggle routes log` tells what came of it.")
        return
    raise Stop("the learner did not answer within a minute: see logs/waggle.log")


def _function(book: Book, name: str | None) -> Strategy:
    try:
        strategy = book.strategy(name) if name is not None else book.serving
    except Rejected as error:
        raise Stop(str(error), 2) from None
    if strategy.kind != "function":
        known = ", ".join(k for k, one in book.registered.items() if one.kind == "function")
        raise Stop(f"{strategy.key} is no function. There are: {known or 'none yet'}", 2)
    return strategy


def _numbers(config: Config) -> Mapping[str, Any]:
    """How running trials stand, as the learner last wrote it down."""
    try:
        told: Mapping[str, Any] = orjson.loads((config.trials_folder / "numbers.json").read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return {}
    return told


def _told(trial: Trial, numbers: Mapping[str, Any]) -> dict[str, Any]:
    here = {} if trial.ended else numbers.get(trial.id, {})
    return told_of(trial) | {
        "why": here.get("why") or trial.why or trial.effect,
        "numbers": here.get("numbers") or dict(trial.numbers),
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


def _between(told: Mapping[str, float | None]) -> str:
    low, high = told["low"], told["high"]
    return "" if low is None or high is None else f"{low:+.4f} to {high:+.4f}"


def _day(at: float) -> str:
    return dt.datetime.fromtimestamp(at, dt.UTC).strftime("%Y-%m-%d %H:%M") if at else ""
