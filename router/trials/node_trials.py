"""Written nodes in the book: how a node enters, is adopted, and goes back.

A node that passed its gates begins a trial in the shadow. Its verdicts are compared as those of any
trial: on the requests where it would act otherwise, is what follows worth more?
"""

import re
from dataclasses import asdict, replace

from learner.assignment import Slot
from router.config.problems import unknown
from router.domain import new_id
from router.routing.node_contract import NODE_KINDS, lint_node
from router.routing.nodes import Node
from router.trials.book import Book, Line, Rejected, Trial
from router.trials.changes import state_line
from router.trials.node_reviews import review_line

_HALF = 0.5
_IN_USE = ("shadow", "running", "decided", "adopted")


def register_node(book: Book, node: Node, at: float, opened_by: str = "operator") -> list[Line]:
    """Add a node as the next version of its name, and open its trial in the shadow."""
    if node.kind not in NODE_KINDS:
        raise Rejected(f"kind = {node.kind}: a node is a {', a '.join(NODE_KINDS)}")
    faults = lint_node(node.kind, node.source)
    if faults:
        raise Rejected(f"{node.name}: {'; '.join(faults)}")
    if node.kind == "matcher" and re.fullmatch(r"p\d+", node.name):
        raise Rejected(f"{node.name} is the id of a pattern in traffic: give another name")
    versions = versions_of_node(book, node.name)
    if versions and versions[-1].kind != node.kind:
        raise Rejected(f"{node.name} is a {versions[-1].kind} already: give another name")
    if any(trial.node == node.name for trial in book.live):
        raise Rejected(f"a version of {node.name} is on trial: waggle routes back {node.name}")
    _check_place(book, node)
    versioned = replace(node, version=len(versions) + 1, at=at)
    acting = acting_trial(book, node.name)
    id_ = new_id(at)
    trial = Trial(
        id_,
        f"{node.name}-{versioned.version}",
        versioned.key,
        acting.candidate if acting is not None else "",
        Slot(id_, f"node {node.name}", 0.0, 1.0, _HALF),
        "shadow",
        opened_by,
        at,
        at,
        node=node.name,
        effect=f"a {node.kind}, written by {node.author}",
    )
    parent = trial.current or (versions[-1].key if versions else "")
    made = {"kind": node.kind, "author": node.author, "parent": parent}
    return [
        {"do": "node", "at": at, "node": versioned.written()},
        review_line(versioned.key, versioned.source, at, **made),
        {"do": "open", "at": at, "trial": asdict(trial)},
    ]


def _check_place(book: Book, node: Node) -> None:
    """Raise `Rejected` unless a validator may stand at the gate of the plan that it names."""
    if not node.plan:
        return
    if node.kind != "validator":
        rule = f"a {node.kind} stands at no gate, as validators do: leave it out"
        raise Rejected(f"plan = {node.plan}: {rule}")
    plan = book.config.plans.get(node.plan)
    if plan is None:
        rule, mend = unknown("plan", node.plan, book.config.plans)
        raise Rejected(f"plan = {node.plan}: {rule}. {mend}")
    if plan.gate is not None:
        raise Rejected(f"{node.plan} has a gate in waggle.yaml: name the validator there")
    others = [
        trial.node
        for trial in (*book.live_nodes, *book.adopted_nodes)
        if trial.node != node.name and book.nodes[trial.candidate].plan == node.plan
    ]
    if others:
        raise Rejected(f"{others[0]} stands at {node.plan}: waggle routes back {others[0]}")


def adopt_node(book: Book, trial: Trial, at: float, *, why: str, keep: float) -> list[Line]:
    """Let a node act for all but a control, in place of the version before it."""
    lines = [
        state_line(other, "superseded", at, f"{trial.candidate} took its place")
        for other in book.adopted_nodes
        if other.node == trial.node and other.id != trial.id
    ]
    return [*lines, {**state_line(trial, "adopted", at, why), "share": 1 - keep}]


def roll_back_node(book: Book, trial: Trial, at: float, why: str) -> list[Line]:
    """End a node's trial or adoption; the version that it had replaced acts again."""
    lines = [state_line(trial, "rolled back" if trial.state == "adopted" else "stopped", at, why)]
    before = [
        other
        for other in book.trials.values()
        if other.node == trial.node
        and other.candidate == trial.current
        and other.state == "superseded"
    ]
    if trial.state == "adopted" and before:
        again = state_line(before[-1], "adopted", at, f"{trial.candidate} was rolled back")
        lines.append({**again, "share": before[-1].share})
    return lines


def adopt_by_hand(book: Book, name: str, at: float, *, keep: float) -> list[Line]:
    trial = latest_trial(book, name)
    if trial is None or trial.state not in ("shadow", "running", "decided"):
        raise Rejected(f"{name}: no version is on trial, so none can be adopted")
    return adopt_node(book, trial, at, why="an operator adopted it", keep=keep)


def back_by_hand(book: Book, name: str, at: float) -> list[Line]:
    trial = latest_trial(book, name)
    if trial is None:
        raise Rejected(f"{name}: no version is in use: there is nothing to take back")
    return roll_back_node(book, trial, at, "an operator took it back")


def latest_trial(book: Book, name: str) -> Trial | None:
    """The trial of the latest version in use: on trial, or adopted. Raises `Rejected` for a name
    that no node has."""
    if not versions_of_node(book, name):
        names = ", ".join(dict.fromkeys(node.name for node in book.nodes.values())) or "none yet"
        raise Rejected(f"{name}: no node is called that. There are: {names}")
    trials = [t for t in book.trials.values() if t.node == name and t.state in _IN_USE]
    return trials[-1] if trials else None


def acting_trial(book: Book, name: str) -> Trial | None:
    return next((trial for trial in book.adopted_nodes if trial.node == name), None)


def versions_of_node(book: Book, name: str) -> list[Node]:
    return [node for node in book.nodes.values() if node.name == name]
