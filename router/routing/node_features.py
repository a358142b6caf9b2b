"""What written matchers and classifiers say of a request before its plan is chosen. Pure.

A matcher gives a request the pattern of its own name; the first that matches counts, before the
patterns that were found in traffic. A classifier names the kind where the caller named no task.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from router.domain import Exposure, Request
from router.routing.node_contract import MATCHES, NodeSays
from router.routing.nodes import Node, NodeTrial, Spoken, node_view, spoken
from router.routing.steering import digest_of, unit_of

CallNode = Callable[[Node, Sequence[Any]], NodeSays]


@dataclass(frozen=True, slots=True)
class NamedByNodes:
    """The kind and the pattern of a request; a kind that is empty was named by no classifier."""

    kind: str
    pattern: str
    pattern_name: str
    exposures: tuple[Exposure, ...] = ()


def named_by_nodes(
    trials: Sequence[NodeTrial],
    call: CallNode,
    request: Request,
    numbers: Sequence[float | None],
    named: NamedByNodes,
    usual_kind: str,
) -> NamedByNodes:
    """`named`, as the matchers and classifiers of these trials change it."""
    view = node_view(
        request,
        numbers,
        kind=usual_kind,
        pattern=named.pattern,
        pattern_name=named.pattern_name,
    )
    matched = False
    for name, spoken_by in _each(trials, "matcher", request, view, call):
        named = _with_exposures(named, spoken_by, heard=not matched)
        if spoken_by.says.word == MATCHES and not matched:
            matched = True
            named = replace(named, pattern=name, pattern_name=name)
    view |= {"pattern": named.pattern, "pattern_name": named.pattern_name}
    if request.task:
        return named
    for _, spoken_by in _each(trials, "classifier", request, view, call):
        named = _with_exposures(named, spoken_by, heard=not named.kind)
        kind = named.kind or (spoken_by.says.word if spoken_by.acting is not None else "")
        named = replace(named, kind=kind)
    return named


def _with_exposures(named: NamedByNodes, spoken_by: Spoken, *, heard: bool) -> NamedByNodes:
    """`named`, with the request's part in the trials of a node. Where a node before it was heard,
    nothing that this node says makes a difference, so no side is apart."""
    exposures = spoken_by.exposures
    if not heard:
        exposures = tuple(replace(exposure, apart=False) for exposure in exposures)
    return replace(named, exposures=(*named.exposures, *exposures))


def _each(
    trials: Sequence[NodeTrial],
    kind: str,
    request: Request,
    view: Mapping[str, Any],
    call: CallNode,
) -> Sequence[tuple[str, Spoken]]:
    """What each node of this kind says, by name."""
    names = sorted({trial.candidate.name for trial in trials if trial.candidate.kind == kind})
    unit = unit_of(request)
    return [
        (
            name,
            spoken(
                [trial for trial in trials if trial.candidate.name == name],
                unit,
                digest_of(unit),
                lambda node: call(node, (dict(view),)),
            ),
        )
        for name in names
    ]
