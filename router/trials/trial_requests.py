"""What people want of trials, as changes of the book; a wish that cannot be granted says why."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import duckdb

from learner.controls import cost_matched
from learner.policy import Arm
from router.config.config import Config
from router.config.plan_steps import whole
from router.routing.strategies import Strategy
from router.trials.book import Book, Line, Rejected
from router.trials.director import Director
from router.trials.logged import LoggedTelemetry


def act(director: Director, wanted: Mapping[str, Any], now: float) -> dict[str, Any]:
    """What came over the wire; a wish that cannot be granted says why."""
    try:
        if wanted.get("do") != "list":
            lines = granted(director.book, director.telemetry, wanted, now)
            director.change(lines)
        return director.overview()
    except Rejected as error:
        return {"rejected": str(error)}


def granted(
    book: Book, telemetry: LoggedTelemetry, wanted: Mapping[str, Any], now: float
) -> Callable[[Book], list[Line]]:
    """A wish as a change of the book."""
    known = {
        "new": ("name", "candidate", "split", "traffic", "layer", "goal", "shadow"),
        "stop": ("name",),
        "adopt": ("name", "at_once"),
        "rollback": ("to",),
        "register": ("name", "kind", "settings", "source", "without", "instead"),
        "simplify": (),
        "distill": (),
        "write": (),
    }
    do = wanted.get("do")
    if do not in known:
        raise Rejected(f"do = {do!r}: one of {', '.join(known)} or list is meant")
    strange = [name for name in wanted if name not in (*known[do], "do")]
    if strange:
        takes = ", ".join(known[do]) or "nothing more"
        raise Rejected(f"{strange[0]}: {do} takes {takes}")
    if do in ("new", "stop", "adopt") and not isinstance(wanted.get("name"), str):
        raise Rejected(f"{do} needs the name of a trial, a text")
    match do:
        case "new":
            return _new(wanted, now)
        case "stop":
            return lambda book: book.stop(wanted["name"], now)
        case "adopt":
            by_steps = not wanted.get("at_once", False)
            why = "an operator adopted it"
            keep = book.config.trials.control
            return lambda book: book.adopt(
                wanted["name"], now, why=why, by_steps=by_steps, keep=keep
            )
        case "rollback" if wanted.get("to"):
            return lambda book: book.return_to(str(wanted["to"]), now, "an operator said so")
        case "rollback":
            return lambda book: book.roll_back(now, "an operator rolled it back")
        case "register":
            made = matched(_strategy(wanted), telemetry, book.config)
            return lambda book: book.register(made, now)
    return lambda _: [{"do": "ask", "at": now, "what": do}]


def _new(wanted: Mapping[str, Any], now: float) -> Callable[[Book], list[Line]]:
    candidate = wanted.get("candidate")
    if not isinstance(candidate, str):
        raise Rejected("new needs a candidate, the name of a strategy")
    goal = wanted.get("goal", "better")
    if goal not in ("better", "no worse"):
        raise Rejected(f"goal = {goal!r}: `better` or `no worse`")
    numbers = {name: wanted.get(name, usual) for name, usual in (("split", 0.5), ("traffic", 1.0))}
    for name, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Rejected(f"{name} = {value!r}: it is a number")
    return lambda book: book.open(
        wanted["name"],
        candidate,
        now,
        share=float(numbers["split"]),
        traffic=float(numbers["traffic"]),
        layer=str(wanted.get("layer", "")),
        goal=goal,
        shadow=bool(wanted.get("shadow", False)),
    )


def _strategy(wanted: Mapping[str, Any]) -> Strategy:
    name, kind = wanted.get("name"), wanted.get("kind")
    if not isinstance(name, str) or not name or not isinstance(kind, str):
        raise Rejected("register needs a name and a kind")
    if not all(letter.isalnum() or letter in "-_." for letter in name):
        raise Rejected(f"name = {name!r}: letters, digits, `-`, `_` and `.` make a name")
    settings, source = wanted.get("settings", {}), wanted.get("source", "")
    if not isinstance(settings, dict) or not isinstance(source, str):
        raise Rejected("settings are an object, and a source is a text")
    without = wanted.get("without", ())
    if not all(isinstance(one, str) for one in without):
        raise Rejected(f"without = {without!r}: names of plans are meant")
    instead = wanted.get("instead", ())
    if not all(isinstance(one, str) for one in instead):
        raise Rejected(f"instead = {instead!r}: names of simpler plans are meant")
    return Strategy(
        name,
        kind,  # type: ignore[arg-type]  # `check` says so where it is none
        settings=settings,
        source=source,
        author="operator",
        without=tuple(without),
        instead={whole(one): one for one in instead},
    )


def matched(strategy: Strategy, telemetry: LoggedTelemetry, config: Config) -> Strategy:
    """A mix without shares is the one that costs what is spent: of the cheapest plan and the
    dearest that were tried."""
    if strategy.kind != "mix" or strategy.settings:
        return strategy
    try:
        costs, spent = telemetry.costs()
    except duckdb.Error:
        costs, spent = {}, 0.0
    known = {Arm(plan): cost for plan, cost in costs.items() if plan in config.asking}
    if len(known) < 2:
        raise Rejected(
            f"strategy {strategy.name}: {len(known)} plans were tried, and a mix that costs what "
            'serves needs two: give its shares, e.g. {"shares": {"a": 0.5, "b": 0.5}}'
        )
    shares = {
        str(plan): round(share, 4) for plan, share in cost_matched(known, spent).shares.items()
    }
    evidence = f"costs ${1000 * spent:.4g} per 1,000 requests, as what was decided so far"
    return replace(strategy, settings={"shares": shares}, evidence=evidence)
