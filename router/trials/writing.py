"""Routing functions as text: trees written out as code, and the prompt for whoever writes them."""

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from math import sqrt

from learner.distill import DecisionTable, Split, Tree, TreeLeaf, grown, leaves_of
from learner.policy import Arm
from router.routing.function_contract import ARGUMENTS, NUMBERS, WORDS
from router.trials.logged import Logged
from router.trials.replaying import Replay

_WIDTH = 96
_WORDS = ("kind", "language")


def table_of(rows: Sequence[Logged], replay: Replay, plans: Sequence[Arm]) -> DecisionTable:
    """Logged requests as words and numbers, with what the learner expects of each plan."""
    import numpy as np

    worth = np.array([replay.worth(one, plans) for one in rows])
    could = np.array([[plan in one.odds for plan in plans] for one in rows])
    # Where a plan cannot answer, choosing it would only leave the choice to somebody else.
    worst = np.where(could, worth, np.inf).min(axis=1, keepdims=True)
    worth = np.where(could, worth, worst - 0.1)
    told = [one.told for one in rows]
    words = {name: [str(one.get(name, "")) for one in told] for name in _WORDS}
    numbers = {
        name: np.array([float(one.get(name, 0.0)) for one in told])
        for name in NUMBERS
        if name != "input_tokens"
    }
    return DecisionTable(tuple(plans), worth, words, numbers)


def distilled(table: DecisionTable, *, leaves: int = 8, least: float = 0.001) -> Tree:
    return grown(table, leaves=leaves, least=least)


def code_of(tree: Tree, summary: str, rows: Sequence[Logged] = ()) -> str:
    """A routing function that says what the tree does, and what each branch rests on."""
    doc = textwrap.wrap(f'"""{summary}"""', _WIDTH - 4)
    lines = [f"def route({', '.join(ARGUMENTS)}):", *(f"    {line}" for line in doc)]
    lines += _branch(tree, "    ", rows)
    return "\n".join(lines) + "\n"


def _branch(tree: Tree, indent: str, rows: Sequence[Logged]) -> Iterator[str]:
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
        return f'request["{split.name}"] == "{split.words[0]}"'
    return f'request["{split.name}"] in ({", ".join(_quoted(word) for word in split.words)})'


def _quoted(word: str) -> str:
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _evidence(leaf: TreeLeaf, rows: Sequence[Logged]) -> str:
    """What the branch rests on: what is expected of its plan and the next, and what was judged."""
    ranked = sorted(leaf.worth.items(), key=lambda one: -one[1])
    told = f"{leaf.count} requests: {leaf.arm} is expected to be worth {ranked[0][1]:.3f}"
    if len(ranked) > 1:
        told += f", {ranked[1][0]} {ranked[1][1]:.3f}"
    here = [rows[at].quality for at in leaf.rows] if rows and leaf.rows is not None else []
    had = [rows[at].plan == leaf.arm for at in leaf.rows] if here else []
    judged = [quality for quality, its in zip(here, had, strict=True) if its]
    if len(judged) > 1:
        mean = sum(judged) / len(judged)
        spread = sum((value - mean) ** 2 for value in judged) / (len(judged) - 1)
        half = 1.96 * sqrt(spread / len(judged))
        told += f"; judged {mean:.2f} ± {half:.2f} over {len(judged)}"
    return told


def worth_of(tree: Tree) -> float:
    """What the tree is expected to be worth a request."""
    leaves = list(leaves_of(tree))
    total = sum(leaf.count for leaf in leaves)
    return sum(leaf.count * leaf.worth[leaf.arm] for leaf in leaves) / total if total else 0.0


def returns_in(source: str) -> int:
    """How many ways through a function there are."""
    return len(re.findall(r"^\s*return\b", source, re.MULTILINE))


FIRST_PROMPT = """\
You write routing functions. Answer with one Python function in a ``` block and nothing else.

def route(request, scores, similar):
    # request: {words}, each a text; {numbers}, each a number
    # scores: for each plan that can answer, {{"usd", "quality", "deviation", "seconds", "failure",
    #         "utility"}}; a plan that is not in it cannot be chosen
    # similar: what is remembered that is like it: [{{"plan", "similarity", "tier", "rate"}}, ...]
    # returns the name of a plan, or {{plan: share, ...}}, or None for no opinion

Utility is quality, less {cost:g} * log10(1 + 1000 * dollars), less {latency:g} * log10(1 + 10 *
seconds). The function must reach more of it than what serves now. No imports, no loops without end,
no names with underscores; a few readable lines with a comment that says why are best.
"""


def asked(
    prompt: str, scores: Sequence[Mapping[str, object]], current: str, failures: Sequence[str]
) -> str:
    """The whole prompt: the contract, the scores, what serves, and where it fails."""
    table = "\n".join(
        f"{one['kind']}: {one['plan']}: utility {one['utility']}, quality {one['quality']}, "
        f"${one['usd_per_1k']} per 1000, {one['seconds']} s, {one['judged']} judged"
        for one in scores
    )
    told = "\n".join(failures) or "nothing is known yet"
    return (
        f"{prompt}\nWhat was learned, by kind of request and plan:\n{table}\n\n"
        f"What serves now:\n{current}\n\nWhere it is worth least:\n{told}\n"
    )


def first_prompt(cost: float, latency: float) -> str:
    words, numbers = ", ".join(WORDS), ", ".join(NUMBERS)
    return FIRST_PROMPT.format(words=words, numbers=numbers, cost=cost, latency=latency)


def source_in(answer: str) -> str:
    """The code of an answer: its last block that has a `route`, else all of it."""
    blocks = re.findall(r"```(?:python)?\s*\n(.*?)```", answer, re.DOTALL)
    found = [block for block in blocks if "def route" in block]
    text = found[-1] if found else answer
    return textwrap.dedent(text).strip() + "\n"
