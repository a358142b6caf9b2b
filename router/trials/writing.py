"""Turns logged requests into decision tables, and decision trees into the code of functions."""

import re
import textwrap
from collections.abc import Iterator, Sequence
from math import sqrt

import numpy as np

from learner.decision_tree import DecisionTable, Split, Tree, TreeLeaf, grown, leaves_of
from learner.policy import Arm
from router.routing.function_contract import ARGUMENTS, NUMBERS
from router.trials.logged import LoggedDecision
from router.trials.replaying import Replay

_WIDTH = 96
_WORDS = ("kind", "language")
_WORSE = 0.1  # how much less utility an unable plan has than the worst able plan


def table_of(rows: Sequence[LoggedDecision], replay: Replay, plans: Sequence[Arm]) -> DecisionTable:
    """The words and numbers of logged requests, with the expected utility of each plan."""
    worth = np.array([replay.worth(row, plans) for row in rows])
    eligible = np.array([[plan in row.odds for plan in plans] for row in rows])
    eligible &= np.isfinite(worth)  # the learner does not know a plan that is new
    # A plan that cannot answer must not be chosen, since the request would go to another plan.
    worst = np.where(eligible, worth, np.inf).min(axis=1, keepdims=True)
    worst[np.isinf(worst)] = 0.0  # no plan could answer, so all are as bad
    worth = np.where(eligible, worth, worst - _WORSE)
    views = [row.function_view for row in rows]
    words = {name: [str(view.get(name, "")) for view in views] for name in _WORDS}
    numbers = {
        name: np.array([float(view.get(name, 0.0)) for view in views])
        for name in NUMBERS
        if name != "input_tokens"
    }
    return DecisionTable(tuple(plans), worth, words, numbers)


def distilled(table: DecisionTable, *, leaves: int = 8) -> Tree:
    return grown(table, leaves=leaves, least=0.001)


def code_of(tree: Tree, summary: str, rows: Sequence[LoggedDecision] = ()) -> str:
    """The code of a function that decides as the tree does, with the evidence for each branch."""
    doc = textwrap.wrap(f'"""{summary}"""', _WIDTH - 4)
    lines = [f"def route({', '.join(ARGUMENTS)}):", *(f"    {line}" for line in doc)]
    lines += _branch(tree, "    ", rows)
    return "\n".join(lines) + "\n"


def worth_of(tree: Tree) -> float:
    """The mean utility of a request that is expected if the tree decides."""
    leaves = list(leaves_of(tree))
    total = sum(leaf.count for leaf in leaves)
    return sum(leaf.count * leaf.worth[leaf.arm] for leaf in leaves) / total if total else 0.0


def returns_in(source: str) -> int:
    """The number of `return` statements in a function, which is its number of paths."""
    return len(re.findall(r"^\s*return\b", source, re.MULTILINE))


def _branch(tree: Tree, indent: str, rows: Sequence[LoggedDecision]) -> Iterator[str]:
    if isinstance(tree, TreeLeaf):
        yield f"{indent}# {_evidence(tree, rows)}"
        yield f'{indent}return "{tree.arm}"'
        return
    yield f"{indent}if {_condition(tree)}:"
    yield from _branch(tree.yes, indent + "    ", rows)
    yield from _branch(tree.no, indent, rows)


def _condition(split: Split) -> str:
    if split.cut is not None:
        return f'request["{split.name}"] < {split.cut:.4g}'
    if len(split.words) == 1:
        return f'request["{split.name}"] == {_quoted(split.words[0])}'
    return f'request["{split.name}"] in ({", ".join(_quoted(word) for word in split.words)})'


def _quoted(word: str) -> str:
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _evidence(leaf: TreeLeaf, rows: Sequence[LoggedDecision]) -> str:
    """The expected worth of a branch's plan and of the next best plan, and the judged quality."""
    ranked = sorted(leaf.worth.items(), key=lambda entry: -entry[1])
    evidence = f"{leaf.count} requests: {leaf.arm} is expected to be worth {ranked[0][1]:.3f}"
    if len(ranked) > 1:
        evidence += f", {ranked[1][0]} {ranked[1][1]:.3f}"
    here = [rows[at] for at in leaf.rows] if rows and leaf.rows is not None else []
    judged = [row.quality for row in here if row.plan == leaf.arm]
    if len(judged) > 1:
        mean = sum(judged) / len(judged)
        spread = sum((value - mean) ** 2 for value in judged) / (len(judged) - 1)
        half = 1.96 * sqrt(spread / len(judged))
        evidence += f"; judged {mean:.2f} ± {half:.2f} over {len(judged)}"
    return evidence
