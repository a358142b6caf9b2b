"""Asks written nodes about a request, in the sandbox alone, and notes their part in trials.

Matchers and classifiers are asked ahead of the decision, which itself waits for nothing.

A node that is late, fails or answers nonsense has no opinion. A gate whose validator has no opinion
is not passed: the answer is marked `unchecked`.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from router.domain import Exposure, Request, Trace
from router.engine.functions import Functions
from router.plans.compiled import Plans
from router.plans.results import CheckVerdict
from router.records.effort import Effort, Overspent
from router.records.json_text import NoJson, json_in
from router.routing.case import Surroundings, view_before
from router.routing.function_contract import LOADING, NO_OPINION, NOWHERE, Unanswered
from router.routing.node_contract import REFUSES, NodeSays, said_by
from router.routing.nodes import Node, nodes_in, spoken, view_after
from router.routing.steering import Steering, digest_of, unit_of

_MOST_CHARACTERS = 65_536  # of an answer that a validator sees
_AT_ONCE = 2_000  # characters in which the JSON is found at once; a thread looks at more
_MOST_STEPS = 200_000  # of a search for the JSON in an answer, which take some milliseconds


async def ask_node(functions: Functions | None, node: Node, arguments: Sequence[Any]) -> NodeSays:
    """What a node says; no opinion, with the reason, if it gave no usable answer."""
    if functions is None:
        return NodeSays(trouble=NOWHERE)
    try:
        return said_by(node.kind, await functions.ask_apart(node, arguments), node.source)
    except Unanswered as error:
        return NodeSays(trouble=str(error))


async def answers_of(
    functions: Functions | None, nodes: Sequence[Node], arguments: Sequence[Any]
) -> dict[str, NodeSays]:
    """What each of these nodes says, by their keys."""
    says = await asyncio.gather(*(ask_node(functions, node, arguments) for node in nodes))
    return {node.key: each for node, each in zip(nodes, says, strict=True)}


async def answers_ahead(
    functions: Functions | None, plans: Plans, request: Request, around: Surroundings
) -> Mapping[str, NodeSays]:
    """What the matchers and classifiers in use say of a request, before it is decided."""
    trials = around.steering.nodes if around.steering is not None else ()
    matchers, classifiers = (nodes_in(trials, kind) for kind in ("matcher", "classifier"))
    if not matchers and (not classifiers or request.task):
        return {}
    view = view_before(plans, request, around)
    says = await answers_of(functions, matchers, (view,))
    if classifiers and not request.task:
        ahead = replace(around, call_node=partial(answer_ahead, says))
        says |= await answers_of(functions, classifiers, (view_before(plans, request, ahead),))
    return says


def answer_ahead(says: Mapping[str, NodeSays], node: Node, _: Sequence[Any]) -> NodeSays:
    """What a node said; it has no opinion if it came into use since."""
    return says.get(node.key, NodeSays(trouble=LOADING))


def document_in(text: str) -> Any:
    """The JSON in an answer; None if it holds none, or if to find it would take long."""
    try:
        with Effort(_MOST_STEPS).counted():
            return json_in(text)
    except (NoJson, Overspent):
        return None


async def _document_apart(text: str) -> Any:
    return await asyncio.to_thread(document_in, text)


@dataclass
class Validating:
    """The gates of one request that name a validator."""

    trace: Trace
    steering: Steering | None
    functions: Functions | None
    exposures: dict[str, tuple[Exposure, ...]] = field(default_factory=dict)  # by validator

    async def __call__(self, name: str, text: str) -> CheckVerdict:
        """The verdict on an answer. The first answer of a request decides its part in trials."""
        all_trials = self.steering.nodes if self.steering is not None else ()
        trials = [t for t in all_trials if t.candidate.name == name]
        if not trials or trials[0].candidate.kind != "validator":
            what = f"{name} is a {trials[0].candidate.kind}" if trials else "it is not in use"
            return CheckVerdict(True, unchecked=f"{name} could not be asked: {what}")
        if len(text) > _MOST_CHARACTERS:
            much = f"the answer has more than {_MOST_CHARACTERS:,} characters"
            return CheckVerdict(True, unchecked=f"{name} could not be asked: {much}")
        view = view_after(self.trace.request, self.trace.decision)
        document = document_in(text) if len(text) <= _AT_ONCE else await _document_apart(text)
        nodes = nodes_in(trials, "validator")
        says = await answers_of(self.functions, nodes, (view, text, document))
        unit = unit_of(self.trace.request)
        result = spoken(trials, unit, digest_of(unit), lambda node: says[node.key])
        self.exposures.setdefault(name, result.exposures)
        if result.acting is None and trials[0].candidate.plan:
            return CheckVerdict(True)  # nobody asked for this check: all goes on as without it
        if result.acting is None:
            return CheckVerdict(True, unchecked=f"{name} is on trial, and does not act here")
        if result.says.word == REFUSES:
            return CheckVerdict(False, f"{name}: {result.says.problem}")
        if result.says.word:
            return CheckVerdict(True)
        if result.acting.plan:
            return CheckVerdict(True)
        trouble = result.says.trouble or NO_OPINION
        return CheckVerdict(True, unchecked=f"{name} has no opinion: {trouble}")

    def noted(self) -> tuple[Exposure, ...]:
        return tuple(exposure for each in self.exposures.values() for exposure in each)
