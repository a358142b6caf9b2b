"""The gates that a written node must pass before its trial: lint, then its cases in the sandbox.

A case is `{"request": {...}, "answer": "...", "expect": ...}`: fields of the request as the node
sees it, the answer (for a validator), and what the node must say. `expect` is true or false for a
validator and a matcher, a kind for a classifier, and null where the node must have no opinion.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from router.engine.asked_nodes import document_in
from router.routing.function_contract import NO_OPINION, MachineTrouble, Unanswered
from router.routing.node_contract import (
    MATCHES,
    NODE_ARGUMENTS,
    PASSES,
    NodeKind,
    NodeSays,
    example_request,
    lint_node,
    said_by,
)
from router.routing.nodes import Case, Node
from router.trials.book import Rejected
from router.trials.gates import LoadedNode, Postponed

MOST_CASES = 100
_LONGEST_ANSWER = 65_536
_FIELDS = ("request", "answer", "expect")


def checked_cases(kind: NodeKind, cases: Any) -> tuple[Case, ...]:
    """The cases of a node, if they are well formed. Raises `Rejected`, which names the case."""
    if not isinstance(cases, list) or len(cases) > MOST_CASES:
        given = f"a list of {len(cases)}" if isinstance(cases, list) else type(cases).__name__
        rule = f"cases are a list of at most {MOST_CASES}: [{{request, answer, expect}}]"
        raise Rejected(f"{rule}; this is {given}")
    for number, case in enumerate(cases, 1):
        where = f"case {number}"
        if not isinstance(case, dict) or "expect" not in case:
            raise Rejected(f"{where}: a case is an object with `expect`, e.g. {{expect: true}}")
        strange = [name for name in case if name not in _FIELDS]
        if strange:
            raise Rejected(f"{where}: {strange[0]}: a case takes {', '.join(_FIELDS)}")
        if not isinstance(case.get("request", {}), dict):
            raise Rejected(f"{where}: request = {case['request']!r:.60}: it is an object of fields")
        answer = case.get("answer", "")
        if not isinstance(answer, str) or len(answer) > _LONGEST_ANSWER:
            raise Rejected(f"{where}: an answer has at most {_LONGEST_ANSWER:,} characters")
        expect = case["expect"]
        usual = str if kind == "classifier" else bool
        if expect is not None and not isinstance(expect, usual):
            meant = "a kind" if kind == "classifier" else "true, false"
            raise Rejected(f"{where}: expect = {expect!r:.60}: a {kind} says {meant} or null")
    return tuple(cases)


def check_node(node: Node, deadline_seconds: float) -> None:
    """Raise `Rejected` if the node fails lint, gives no usable answer, or fails a case."""
    faults = lint_node(node.kind, node.source)
    if faults:
        raise Rejected(f"lint: {'; '.join(faults)}")
    cases: Sequence[Case] = node.cases or ({},)  # at least, it must answer an example
    with LoadedNode(node, deadline_seconds) as ask:
        for number, case in enumerate(cases, 1):
            where = f"case {number}" if node.cases else "asked about an example"
            arguments = arguments_of(node.kind, case)
            try:
                first, second = (said_by(node.kind, ask(arguments), node.source) for _ in range(2))
            except MachineTrouble as error:
                raise Postponed(f"try again later: {error}") from None
            except Unanswered as error:
                raise Rejected(f"contract: {where}: {error}") from None
            _check(where, first, second, case)


def arguments_of(kind: NodeKind, case: Case) -> tuple[Any, ...]:
    request = example_request(case.get("request", {}))
    answer = case.get("answer", "")
    parts: Mapping[str, Any] = {
        "request": request,
        "answer": answer,
        "document": document_in(answer),
    }
    return tuple(parts[name] for name in NODE_ARGUMENTS[kind])


def _check(where: str, first: NodeSays, second: NodeSays, case: Case) -> None:
    if first != second:
        raise Rejected(f"contract: {where}: asked twice, it answered differently")
    if first.trouble and first.trouble != NO_OPINION:
        raise Rejected(f"contract: {where}: {first.trouble}")
    if "expect" not in case:
        return
    expected = case["expect"]
    answer: Any = first.word or None
    if isinstance(expected, bool) and answer is not None:
        answer = first.word in (PASSES, MATCHES)
    if answer != expected:
        raise Rejected(f"{where} fails: it must say {expected!r}, and said {answer!r}")
