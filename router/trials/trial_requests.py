"""The requests of operators about trials, as changes of the book."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import duckdb

from learner.controls import cost_matched
from learner.policy import Arm
from router.config.config import Config
from router.config.plan_steps import whole
from router.routing.strategies import Strategy
from router.trials import changes
from router.trials.book import Book, Line, Rejected
from router.trials.director import Director
from router.trials.logged import LoggedTelemetry

Change = Callable[[Book], list[Line]]

_FIELDS: Mapping[str, tuple[str, ...]] = {
    "new": ("name", "candidate", "split", "traffic", "layer", "goal", "shadow"),
    "stop": ("name",),
    "adopt": ("name", "at_once"),
    "rollback": ("to",),
    "live": (),
    "shadow": (),
    "register": ("name", "kind", "settings", "source", "without", "instead"),
    "simplify": (),
    "distill": (),
    "write": (),
    "write_node": (),
}


def act(director: Director, wish: Mapping[str, Any], now: float) -> dict[str, Any]:
    """Carry out a request and return the overview, or the reason why the request is rejected."""
    try:
        if wish.get("do") != "list":
            director.change(_change(wish, director.book.config, director.telemetry, now))
        return director.overview()
    except Rejected as error:
        return {"rejected": str(error)}


def _change(
    wish: Mapping[str, Any], config: Config, telemetry: LoggedTelemetry, now: float
) -> Change:
    do = wish.get("do")
    if not isinstance(do, str) or do not in _FIELDS:
        raise Rejected(f"do = {do!r}: one of {', '.join(_FIELDS)} or list is meant")
    strange = [name for name in wish if name not in (*_FIELDS[do], "do")]
    if strange:
        fields = ", ".join(_FIELDS[do]) or "nothing more"
        raise Rejected(f"{strange[0]}: {do} takes {fields}")
    name = wish.get("name")
    match do:
        case "new" | "stop" | "adopt" if not isinstance(name, str):
            raise Rejected(f"{do} needs the name of a trial, a text")
        case "new":
            return _new(str(name), wish, now)
        case "stop":
            return partial(changes.stop, name=str(name), at=now)
        case "adopt":
            return partial(
                changes.adopt,
                name=str(name),
                at=now,
                why="an operator adopted it",
                by_steps=not wish.get("at_once", False),
                keep=config.trials.control,
            )
        case "rollback" if wish.get("to"):
            why = "an operator said so"
            return partial(changes.return_to, name=str(wish["to"]), at=now, why=why)
        case "rollback":
            return partial(changes.roll_back, at=now, why="an operator rolled it back")
        case "live" | "shadow":
            why = "an operator said so"
            return partial(changes.switch, at=now, live=do == "live", by="operator", why=why)
        case "register":
            strategy = requested_strategy(wish, telemetry, config)
            return partial(changes.register, strategy=strategy, at=now)
    return lambda _: [{"do": "ask", "at": now, "what": do}]


def _new(name: str, wish: Mapping[str, Any], now: float) -> Change:
    candidate = wish.get("candidate")
    if not isinstance(candidate, str):
        raise Rejected("new needs a candidate, the name of a strategy")
    goal = wish.get("goal", "better")
    if goal not in ("better", "no worse"):
        raise Rejected(f"goal = {goal!r}: `better` or `no worse`")
    numbers = {field: wish.get(field, usual) for field, usual in (("split", 0.5), ("traffic", 1.0))}
    for field, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Rejected(f"{field} = {value!r}: it is a number")
    return partial(
        changes.open_trial,
        name=name,
        candidate=candidate,
        at=now,
        share=float(numbers["split"]),
        traffic=float(numbers["traffic"]),
        layer=str(wish.get("layer", "")),
        goal=goal,
        shadow=bool(wish.get("shadow", False)),
    )


def requested_strategy(
    wish: Mapping[str, Any], telemetry: LoggedTelemetry, config: Config
) -> Strategy:
    """The strategy that an operator describes. The book gives the strategy its version."""
    name, kind = wish.get("name"), wish.get("kind")
    if not isinstance(name, str) or not name or not isinstance(kind, str):
        raise Rejected("register needs a name and a kind")
    if not all(letter.isalnum() or letter in "-_." for letter in name):
        raise Rejected(f"name = {name!r}: letters, digits, `-`, `_` and `.` make a name")
    settings, source = wish.get("settings", {}), wish.get("source", "")
    if not isinstance(settings, dict) or not isinstance(source, str):
        raise Rejected("settings are an object, and a source is a text")
    without, instead = wish.get("without", ()), wish.get("instead", ())
    if not all(isinstance(plan, str) for plan in without):
        raise Rejected(f"without = {without!r}: names of plans are meant")
    if not all(isinstance(plan, str) for plan in instead):
        raise Rejected(f"instead = {instead!r}: names of simpler plans are meant")
    strategy = Strategy(
        name,
        kind,  # type: ignore[arg-type]  # the book rejects a kind that does not exist
        settings=settings,
        source=source,
        author="operator",
        without=tuple(without),
        instead={whole(plan): plan for plan in instead},
    )
    if kind == "mix" and not settings:
        return _with_shares(strategy, telemetry, config)
    return strategy


def _with_shares(strategy: Strategy, telemetry: LoggedTelemetry, config: Config) -> Strategy:
    """Give a mix the shares at which its cost equals the mean cost of requests so far."""
    try:
        costs, spent = telemetry.costs()
    except duckdb.Error:
        costs, spent = {}, 0.0
    tried = {Arm(plan): cost for plan, cost in costs.items() if plan in config.asking}
    if len(tried) < 2:
        raise Rejected(
            f"strategy {strategy.name}: {len(tried)} plans were tried, and a mix that costs what "
            'serves needs two: give its shares, e.g. {"shares": {"a": 0.5, "b": 0.5}}'
        )
    mix = cost_matched(tried, spent)
    shares = {str(plan): round(share, 4) for plan, share in mix.shares.items()}
    evidence = f"costs ${1000 * spent:.4g} per 1,000 requests, as what was decided so far"
    return replace(strategy, settings={"shares": shares}, evidence=evidence)
