"""The changes of the book of trials: each function takes the book and returns lines to add.

A function raises `Rejected`, with the reason, if the change is not allowed. `Ledger.change` calls
these functions under its lock and writes their lines.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from types import MappingProxyType
from typing import Any

from learner.assignment import Slot, room
from router.domain import new_id
from router.routing.function_contract import lint
from router.routing.strategies import Strategy, built_in, check
from router.trials.book import Book, Line, Rejected, Trial, TrialState
from router.trials.node_reviews import review_line

STEPS = (0.01, 0.1, 0.5)  # the candidate's shares during an adoption by steps
_SIMPLER = "-simpler"


def register(book: Book, strategy: Strategy, at: float) -> list[Line]:
    """Add a strategy as the next version of its name."""
    if strategy.name in built_in(book.config):
        raise Rejected(f"{strategy.name}: that name is the configuration's own: give another")
    versioned = replace(strategy, version=_next_version(book, strategy.name), at=at)
    try:
        check(versioned, book.config)
    except ValueError as error:
        raise Rejected(str(error)) from None
    faults = lint(versioned.source) if versioned.kind == "function" else []
    if faults:
        raise Rejected(f"strategy {versioned.name}: {'; '.join(faults)}")
    line = {"do": "register", "at": at, "strategy": versioned.written()}
    if versioned.kind != "function":
        return [line]
    before = book.latest(versioned.name)
    parent = before.key if before is not None else ""
    made = {"kind": "router", "author": versioned.author, "parent": parent}
    return [line, review_line(versioned.key, versioned.source, at, **made)]


def open_trial(
    book: Book,
    name: str,
    candidate: str,
    at: float,
    *,
    traffic: float = 1.0,
    share: float = 0.5,
    layer: str = "",
    goal: str = "better",
    shadow: bool = False,
    opened_by: str = "operator",
    effect: str = "",
    rules: Mapping[str, Any] = MappingProxyType({}),
) -> list[Line]:
    """Try a candidate on a part of the traffic, against the serving strategy."""
    strategy, serving = book.strategy(candidate), book.serving
    if any(trial.name == name for trial in book.live):
        raise Rejected(f"a trial called {name} is running: give another name, or stop it")
    if strategy.over(serving).key == serving.key:
        raise Rejected(f"{strategy.key} serves already: there is nothing to compare it with")
    if not 0 < traffic <= 1 or not 0 < share < 1:
        raise Rejected(
            f"traffic = {traffic:g} and split = {share:g}: each is more than 0, traffic at most 1 "
            "and split below 1"
        )
    layer = layer or ("plans" if strategy.kind == "same" else "strategy")
    id_ = new_id(at)
    trial = Trial(
        id_,
        name,
        strategy.key,
        serving.key,
        _slot(book, id_, layer, traffic, share),
        "shadow" if shadow else "running",
        opened_by,
        at,
        at,
        goal=goal,
        rules=dict(rules),
        effect=effect,
    )
    return [{"do": "open", "at": at, "trial": asdict(trial)}]


def stop(book: Book, name: str, at: float, why: str = "an operator stopped it") -> list[Line]:
    trial = book.trial(name)
    if trial.state not in ("shadow", "running", "decided"):
        raise Rejected(f"{trial.name} is {trial.state}: only a trial that runs can be stopped")
    return [state_line(trial, "stopped", at, why)]


def adopt(
    book: Book, name: str, at: float, *, why: str, by_steps: bool = True, keep: float = 0.02
) -> list[Line]:
    """Let a trial's candidate serve beside its control; by steps, first for 1 % of requests."""
    trial = book.trial(name)
    if trial.state not in ("shadow", "running", "decided", "kept", "stopped"):
        raise Rejected(f"{trial.name} is {trial.state}: it cannot be adopted from there")
    if trial.pattern:
        raise Rejected(f"{trial.name} is a made plan: use waggle growth approve {trial.name}")
    if trial.node:
        raise Rejected(f"{trial.name} tries a node: waggle routes adopt {trial.node}")
    candidate = book.strategies[trial.candidate]
    lines: list[Line] = []
    serving = candidate.over(book.serving)
    if candidate.kind == "same":
        # Register the simpler strategy by itself, so that it does not depend on what serves later.
        bare = book.serving.name.removesuffix(_SIMPLER)
        serving = replace(serving, name=f"{bare}{_SIMPLER}", author="simplifier", evidence=why)
        serving = replace(serving, version=_next_version(book, serving.name), at=at)
        lines.append({"do": "register", "at": at, "strategy": serving.written()})
    watched = book.watched
    if watched is not None:
        lines.append(state_line(watched, "superseded", at, f"{serving.key} took its place"))
    for other in book.live:
        if other.id != trial.id and other.slot.layer == trial.slot.layer:
            lines.append(state_line(other, "superseded", at, f"{serving.key} was adopted"))
    share = STEPS[0] if by_steps else 1 - keep
    state: TrialState = "adopting" if by_steps else "adopted"
    lines.append({**state_line(trial, state, at, why), "share": share})
    return [*lines, {**_serve_line(serving, at, why), "trial": trial.id}]


def roll_back(book: Book, at: float, why: str) -> list[Line]:
    """Let the control serve again."""
    if book.watched is None or book.control is None:
        raise Rejected("no adopted strategy serves: there is nothing to roll back")
    return [
        state_line(book.watched, "rolled back", at, why),
        _serve_line(book.control, at, why),
    ]


def return_to(book: Book, name: str, at: float, why: str) -> list[Line]:
    """Let any strategy serve at once, without a trial."""
    strategy = book.strategy(name)
    watched = [] if book.watched is None else [state_line(book.watched, "rolled back", at, why)]
    return [*watched, _serve_line(strategy, at, why)]


def switch(book: Book, at: float, *, live: bool, by: str, why: str) -> list[Line]:
    """Let `auto` answer what names a model, after a shadow, or put it into the shadow again.

    A bound switches at most once, and only on: what an operator decided stays.
    """
    if by == "bound" and book.switches:
        return []
    if book.config.objective.start != "shadow":
        raise Rejected(
            "objective.start is live: `auto` decides what names `auto`, and nothing is in the "
            "shadow. Set objective.start: shadow to change that"
        )
    if book.switched == live:
        raise Rejected("`auto` is live already" if live else "`auto` is in the shadow already")
    return [{"do": "switch", "at": at, "live": live, "by": by, "why": why}]


def state_line(trial: Trial, state: TrialState, at: float, why: str) -> Line:
    return {"do": "state", "at": at, "trial": trial.id, "state": state, "why": why}


def share_line(trial: Trial, share: float, at: float, why: str) -> Line:
    return {"do": "share", "at": at, "trial": trial.id, "share": share, "why": why}


def trouble_line(trial: Trial, why: str, at: float) -> Line:
    """The trial cannot be judged; it can be judged again if `why` is empty."""
    return {"do": "trouble", "at": at, "trial": trial.id, "why": why}


def write(_: Book, *lines: Line) -> list[Line]:
    """Return lines that do not depend on the book."""
    return list(lines)


def _slot(book: Book, trial: str, layer: str, traffic: float, share: float) -> Slot:
    try:
        low, high = room([other.slot for other in book.live], layer, traffic)
        return Slot(trial, layer, low, high, share)
    except ValueError as error:
        raise Rejected(str(error)) from None


def _serve_line(strategy: Strategy, at: float, why: str) -> Line:
    return {"do": "serve", "at": at, "strategy": strategy.key, "why": why}


def _next_version(book: Book, name: str) -> int:
    latest = book.latest(name)
    return 1 if latest is None else latest.version + 1
