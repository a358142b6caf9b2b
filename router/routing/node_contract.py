"""The contracts of written nodes beside routing functions: arguments, answers, lint. Pure.

    def validate(request, answer, document):   # a gate of a plan: `gate: {function: NAME}`
        return True                            # or the problem, a text; or a list of problems
    def classify(request):                     # names the kind of a request that names no task
        return "billing"                       # a text that stands in the source
    def match(request):                        # whether a request belongs to the pattern NAME
        return True                            # or False, or a likeness from 0 to 1

None is no opinion, and so is every answer that a contract does not know. `request` is what routing
functions see; `document` is the JSON in the answer, or None. Of what a node says, telemetry keeps a
word from a fixed list or from the node's source, and callers see the problems of their own answer.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from router.request.context import NAMES
from router.routing.function_contract import NO_OPINION, lint, request_argument

NodeKind = Literal["validator", "classifier", "matcher"]
NODE_KINDS: tuple[NodeKind, ...] = get_args(NodeKind)
ENTRIES: Mapping[NodeKind, str] = {
    "validator": "validate",
    "classifier": "classify",
    "matcher": "match",
}
NODE_ARGUMENTS: Mapping[NodeKind, tuple[str, ...]] = {
    "validator": ("request", "answer", "document"),
    "classifier": ("request",),
    "matcher": ("request",),
}
PASSES, REFUSES, MATCHES, DIFFERS = "passes", "refuses", "matches", "does not match"
_LONGEST_PROBLEM = 400
_LONGEST_KIND = 60
_ALIKE = 0.5  # a likeness from here on is a match
# What a logged request may lack, for a node that is asked about an example.
EXAMPLE = {"words": ["what", "is", "the", "price"], "pattern": "", "pattern_name": ""}


@dataclass(frozen=True, slots=True)
class NodeSays:
    """What a node says: a word for telemetry, or the trouble for which it has no opinion."""

    word: str = ""  # `passes`, `refuses`, `matches`, `does not match` or a kind; empty: no opinion
    problem: str = ""  # what a validator says against the answer, for the plan and its caller
    trouble: str = ""  # why it has no opinion


def lint_node(kind: NodeKind, source: str) -> list[str]:
    """The problems in a node's source, found without running it."""
    return lint(source, ENTRIES[kind], NODE_ARGUMENTS[kind])


def said_by(kind: NodeKind, value: Any, source: str) -> NodeSays:
    """Read what a node returned; an answer that its contract does not know is no opinion."""
    if value is None:
        return NodeSays(trouble=NO_OPINION)
    match kind:
        case "validator":
            return _validated(value)
        case "classifier":
            return _classified(value, source)
    if isinstance(value, bool):
        return NodeSays(MATCHES if value else DIFFERS)
    if isinstance(value, int | float) and 0 <= value <= 1:
        return NodeSays(MATCHES if value >= _ALIKE else DIFFERS)
    return _unknown(value, "True, False, a number from 0 to 1 or None")


def example_request(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A request as a node sees it, with these fields, for the cases of a node."""
    usual = request_argument((0.0,) * len(NAMES), kind="open", tagged=False, input_tokens=10)
    return {**usual, **EXAMPLE, **fields}


def _validated(value: Any) -> NodeSays:
    if isinstance(value, bool):
        return NodeSays(PASSES) if value else NodeSays(REFUSES, "the validator refuses it")
    if isinstance(value, dict) and [*value] == ["problem"]:
        value = value["problem"]
    if isinstance(value, list) and all(isinstance(problem, str) for problem in value):
        value = "; ".join(filter(None, value))
    if not isinstance(value, str):
        return _unknown(value, "True, False, a problem, a list of problems or None")
    problem = " ".join("".join(c if c.isprintable() else " " for c in value).split())
    return NodeSays(REFUSES, problem[:_LONGEST_PROBLEM]) if problem else NodeSays(PASSES)


def _classified(value: Any, source: str) -> NodeSays:
    if not isinstance(value, str):
        return _unknown(value, "a text or None")
    named = {node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)}
    if value not in named:
        return NodeSays(trouble="it answered with a kind that its source does not name")
    if not value.isprintable() or not value.strip() or len(value) > _LONGEST_KIND:
        return NodeSays(trouble=f"a kind is one line of 1 to {_LONGEST_KIND} characters")
    return NodeSays(value)


def _unknown(value: Any, meant: str) -> NodeSays:
    return NodeSays(trouble=f"it answered with {type(value).__name__}, not with {meant}")
