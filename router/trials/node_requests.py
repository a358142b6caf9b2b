"""The requests of operators about written functions and nodes, as changes of the book of trials."""

from collections.abc import Iterator, Mapping
from typing import Any

from router.config.config import Config
from router.routing.nodes import Node
from router.routing.strategies import Strategy
from router.trials import changes
from router.trials.book import Book, Line, Rejected, Trial
from router.trials.director import Director
from router.trials.named_requests import carried_out
from router.trials.node_reviews import lineage, verdicts_of
from router.trials.node_trials import adopt_by_hand, back_by_hand
from router.trials.overview import standing
from router.trials.prompt_versions import versions_of

DOES: Mapping[str, str] = {
    "approve": "let the version on trial act for all requests but a control",
    "remove": "take back the version in use; the one before it acts again",
}
_ON_TRIAL = ("shadow", "running", "decided")
_IN_USE = ("adopting", "adopted")


def act(director: Director, wish: Mapping[str, Any], now: float) -> dict[str, Any]:
    """Carry out a request and return the overview, or the reason why the request is rejected."""

    def carry_out(do: str, name: str) -> None:
        director.change(change, do=do, name=name, at=now)

    thing = "a function or a node"
    return carried_out(director, wish, carry_out, overview, does=DOES, thing=thing)


def overview(book: Book, standings: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """All versions of functions and nodes, the latest first, with the prompts that write them."""
    return {
        "object": "routes",
        "nodes": [_fields(book, written, standings) for written in reversed([*_written(book)])],
        "prompts": [
            {
                "version": each.version,
                "parent": each.parent or None,
                "author": each.author,
                "state": "retired" if each.retired else "competes",
                "functions": len(each.achieved),
                "score": each.score,
                "why": each.retired or each.why,
            }
            for each in versions_of(book)
        ],
    }


def change(book: Book, *, do: str, name: str, at: float) -> list[Line]:
    """The lines of the book for what an operator wants of a function or a node."""
    config = book.config
    if any(node.name == name for node in book.nodes.values()):
        if do == "approve":
            return adopt_by_hand(book, name, at, keep=config.trials.control)
        return back_by_hand(book, name, at)
    function = book.latest(name)
    if function is None or function.kind != "function":
        names = ", ".join(dict.fromkeys(each.name for each in _written(book))) or "none yet"
        raise Rejected(f"{name}: no function or node is called that. There are: {names}")
    return _change_function(book, config, function, do, at)


def _change_function(
    book: Book, config: Config, function: Strategy, do: str, at: float
) -> list[Line]:
    trial = _trial_of(book, function.key)
    if do == "approve":
        if trial is None or trial.state not in _ON_TRIAL:
            raise Rejected(f"{function.key}: it is not on trial, so it cannot be adopted")
        why, keep = "an operator adopted it", config.trials.control
        return changes.adopt(book, trial.name, at, why=why, by_steps=True, keep=keep)
    if trial is not None and trial.state in _ON_TRIAL:
        return changes.stop(book, trial.name, at)
    if book.serving.key == function.key:
        return changes.roll_back(book, at, "an operator took it back")
    raise Rejected(f"{function.key}: it is not in use: there is nothing to take back")


def _written(book: Book) -> Iterator[Strategy | Node]:
    functions = (each for each in book.registered.values() if each.kind == "function")
    written: list[Strategy | Node] = [*functions, *book.nodes.values()]
    yield from sorted(written, key=lambda each: each.at)


def _trial_of(book: Book, key: str) -> Trial | None:
    trials = [trial for trial in book.trials.values() if trial.candidate == key]
    return trials[-1] if trials else None


def _fields(
    book: Book, written: Strategy | Node, standings: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    trial, node = _trial_of(book, written.key), isinstance(written, Node)
    now = standings.get(trial.id) or standing(trial, None) if trial is not None else {}
    acts = trial is not None and trial.state in _IN_USE if node else written.key == book.serving.key
    return {
        "key": written.key,
        "name": written.name,
        "version": written.version,
        "kind": written.kind if node else "router",
        "author": written.author,
        "at": written.at,
        "lines": written.source.count("\n"),
        "evidence": written.evidence,
        "plan": written.plan if isinstance(written, Node) else "",
        "cases": len(written.cases) if isinstance(written, Node) else 0,
        "follows": lineage(book, written.key),
        "reviews": verdicts_of(book, written.key),
        "state": trial.state if trial is not None else "not tried",
        "acts": acts,
        "trial": trial.name if trial is not None else "",
        "why": now.get("why", ""),
        "lift": now.get("numbers", {}).get("lift"),
    }
