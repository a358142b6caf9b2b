"""What a guard's Python function gets, and how its answer is read. Pure.

def guard(call):
    # call = {"at": "before", "texts": [{"role": "user", "text": "..."}, ...]}
    return "allow"                      # or None or True
    return {"block": "too loud"}        # the rule that the caller is told
    return {"texts": ["...", ...]}      # other texts, as many as came
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from router.guardrails.refusals import GuardFailed
from router.guardrails.texts import Passage

NAME = "guard"
_LONGEST_RULE = 100


@dataclass(frozen=True, slots=True)
class FunctionSays:
    """The answer of a guard's function."""

    blocks: str = ""  # the rule by which it blocks
    texts: tuple[str, ...] | None = None  # the texts in place of those that it got


def argument(at: Literal["before", "after"], passages: Sequence[Passage]) -> dict[str, Any]:
    return {"at": at, "texts": [{"role": each.role, "text": each.text} for each in passages]}


def read(answer: Any, passages: Sequence[Passage]) -> FunctionSays:
    """What the function says. `GuardFailed` if it says something else."""
    if answer is None or answer is True or answer == "allow":
        return FunctionSays()
    if answer is False or answer == "block":
        return FunctionSays("it blocks")
    match answer:
        case {"block": str(rule)}:
            return FunctionSays(_rule(rule, passages))
        case {"texts": list(texts)} if all(isinstance(text, str) for text in texts):
            if len(texts) != len(passages):
                problem = f"it returned {len(texts)} texts, and got {len(passages)}"
                raise GuardFailed(problem)
            return FunctionSays(texts=tuple(texts))
    raise GuardFailed('it must return "allow", {"block": RULE} or {"texts": [...]}')


def _rule(rule: str, passages: Sequence[Passage]) -> str:
    """The function's rule for the caller, unless it quotes what it read."""
    plain = " ".join(rule.split())[:_LONGEST_RULE]
    quotes = len(plain) > 3 and any(plain in each.text for each in passages)
    return "it blocks" if quotes or not plain else plain
