"""Written nodes in use, and which version of a node acts for a request. Pure.

A node enters by a trial. In the shadow it is asked and does not act; then it acts for half of the
requests; once adopted, it acts for all but a control. The version that it would replace acts for
the others, or none does.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from learner.assignment import Assignment, Slot, assigned
from router.domain import Decision, Exposure, Request
from router.plans.costs import size_of
from router.request.context import NAMES
from router.request.own_words import seen_words
from router.routing.function_contract import NO_OPINION, NOT_ITS_FAULT, request_argument
from router.routing.node_contract import DIFFERS, ENTRIES, PASSES, NodeKind, NodeSays

Case = Mapping[str, Any]  # `request`, `answer` and `expect`


@dataclass(frozen=True, slots=True)
class Node:
    """A version of a written node."""

    name: str
    kind: NodeKind
    source: str
    version: int = 0
    cases: tuple[Case, ...] = ()  # what it must say, before anything else
    author: str = ""
    at: float = 0.0
    plan: str = ""  # at whose gate a validator stands; empty: where waggle.yaml names it
    evidence: str = ""  # why it was written

    @property
    def key(self) -> str:
        return f"{self.name}@{self.version}"

    @property
    def entry(self) -> str:
        return ENTRIES[self.kind]

    def written(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> "Node":
        return cls(**{**fields, "cases": tuple(fields.get("cases", ()))})


@dataclass(frozen=True, slots=True)
class NodeTrial:
    """A trial of a node. `watched`: its candidate was adopted, and a control stays without it."""

    slot: Slot
    name: str
    candidate: Node
    current: Node | None = None
    shadow: bool = False
    watched: bool = False


def nodes_in(trials: Sequence[NodeTrial], kind: NodeKind) -> list[Node]:
    """All versions of nodes of this kind that these trials compare."""
    nodes = [node for trial in trials for node in (trial.candidate, trial.current)]
    return [*{node.key: node for node in nodes if node is not None and node.kind == kind}.values()]


def placed_at(trials: Sequence[NodeTrial], plan: str) -> str:
    """The validator that stands at the gate of a plan whose own gate is empty; empty: none."""
    return next((t.candidate.name for t in trials if t.candidate.plan == plan), "")


DOES_NOTHING = {"", PASSES, DIFFERS}  # words after which all goes on as without the node
Ask = Callable[[Node], NodeSays]


@dataclass(frozen=True, slots=True)
class Spoken:
    """What the acting node says, and the request's part in each trial of the node."""

    acting: Node | None
    says: NodeSays
    exposures: tuple[Exposure, ...]


def spoken(trials: Sequence[NodeTrial], unit: str, digest: str, ask: Ask) -> Spoken:
    """Ask the node that acts for this unit, and those with which a trial compares it. `digest` is
    what telemetry keeps of the unit."""
    says: dict[str, NodeSays] = {}

    def of(node: Node | None) -> NodeSays:
        if node is None:
            return NodeSays(trouble=NO_OPINION)
        if node.key not in says:
            says[node.key] = ask(node)
        return says[node.key]

    acting: Node | None = None
    parts: list[tuple[NodeTrial, Assignment, Node | None]] = []  # with what acts on the other side
    for trial in sorted(trials, key=lambda trial: not trial.watched):
        part = assigned(trial.slot, unit)
        if part is None:
            continue
        if trial.watched:
            chosen = part.side == "candidate"
            acting = trial.candidate if chosen else trial.current
            parts.append((trial, part, trial.current if chosen else trial.candidate))
            if not chosen:
                break  # a held-out unit is in no other trial
        elif trial.shadow or part.side == "current":
            parts.append((trial, part, trial.candidate))
        else:
            parts.append((trial, part, acting))
            acting = trial.candidate
    exposures = tuple(
        _exposure(trial, part, digest, of(acting), of(other)) for trial, part, other in parts
    )
    return Spoken(acting, of(acting), exposures)


def _exposure(
    trial: NodeTrial, part: Assignment, digest: str, here: NodeSays, elsewhere: NodeSays
) -> Exposure:
    troubles = [says.trouble for says in (here, elsewhere) if says.trouble not in ("", NO_OPINION)]
    if trial.shadow:
        trouble = elsewhere.trouble
    else:
        machine = [trouble for trouble in troubles if trouble in NOT_ITS_FAULT]
        trouble = next(iter([*machine, *troubles]), "")
    return Exposure(
        trial.slot.trial,
        trial.name,
        "shadow" if trial.shadow else part.side,
        digest,
        1.0 if trial.shadow else part.chance,
        here.word != elsewhere.word and bool({here.word, elsewhere.word} - DOES_NOTHING),
        elsewhere.word,
        trouble,
    )


def node_view(
    request: Request,
    numbers: Sequence[float | None],
    *,
    kind: str,
    pattern: str = "",
    pattern_name: str = "",
) -> dict[str, Any]:
    """A request as a node sees it."""
    return request_argument(
        numbers or (0.0,) * len(NAMES),
        kind=kind,
        tagged=bool(request.task),
        input_tokens=size_of(request).input_tokens,
        words=seen_words(request.reading.last_words),
        pattern=pattern,
        pattern_name=pattern_name,
    )


def view_after(request: Request, decision: Decision) -> dict[str, Any]:
    """A request as a node sees it once its plan was chosen."""
    return node_view(request, decision.numbers, kind=decision.kind, pattern=decision.pattern)
