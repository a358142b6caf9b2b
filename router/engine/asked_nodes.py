"""Asks written nodes about a request, in the sandbox alone, and notes their part in trials.

A node that is late, fails or answers nonsense has no opinion. A gate whose validator has no opinion
is not passed: the answer is marked `unchecked`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from router.domain import Exposure, Trace
from router.engine.functions import Functions
from router.plans.results import CheckVerdict
from router.records.effort import Effort, Overspent
from router.records.json_text import NoJson, json_in
from router.routing.function_contract import NO_OPINION, NOWHERE, Unanswered
from router.routing.node_contract import REFUSES, NodeSays, said_by
from router.routing.nodes import Node, spoken, view_after
from router.routing.steering import Steering, digest_of, unit_of

_MOST_CHARACTERS = 65_536  # of an answer that a validator sees
_MOST_STEPS = 200_000  # to find the JSON in it: some milliseconds


def ask_node(functions: Functions | None, node: Node, arguments: Sequence[Any]) -> NodeSays:
    """What a node says; no opinion, with the reason, if it gave no usable answer."""
    if functions is None:
        return NodeSays(trouble=NOWHERE)
    try:
        return said_by(node.kind, functions.ask(node, arguments), node.source)
    except Unanswered as error:
        return NodeSays(trouble=str(error))


def document_in(text: str) -> Any:
    """The JSON in an answer; None if it holds none, or if to find it would take long."""
    try:
        with Effort(_MOST_STEPS).counted():
            return json_in(text)
    except (NoJson, Overspent):
        return None


@dataclass
class Validating:
    """The gates of one request that name a validator."""

    trace: Trace
    steering: Steering | None
    functions: Functions | None
    exposures: dict[str, tuple[Exposure, ...]] = field(default_factory=dict)  # by validator

    def __call__(self, name: str, text: str) -> CheckVerdict:
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
        arguments = (view, text, document_in(text))
        unit = unit_of(self.trace.request)
        result = spoken(
            trials, unit, digest_of(unit), lambda node: ask_node(self.functions, node, arguments)
        )
        self.exposures.setdefault(name, result.exposures)
        if result.acting is None:
            return CheckVerdict(True, unchecked=f"{name} is on trial, and does not act here")
        if result.says.word == REFUSES:
            return CheckVerdict(False, f"{name}: {result.says.problem}")
        if result.says.word:
            return CheckVerdict(True)
        trouble = result.says.trouble or NO_OPINION
        return CheckVerdict(True, unchecked=f"{name} has no opinion: {trouble}")

    def noted(self) -> tuple[Exposure, ...]:
        return tuple(exposure for each in self.exposures.values() for exposure in each)
