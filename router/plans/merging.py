"""Makes one answer of several: joins JSON, or counts votes. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from router.plans.agreement.agreeing import same_answer
from router.records.json_text import NoJson
from router.records.shape_fields import field_names, only

_NOTHING = object()


def joined(parts: Sequence[Any]) -> Any:
    """Join JSON documents: objects by key, lists of records item by item. Where two documents
    differ, the earlier document wins."""
    made: Any = _NOTHING
    for part in parts:
        made = part if made is _NOTHING else _two(made, part)
    if made is _NOTHING:
        raise NoJson("there is nothing to join")
    return made


def _two(first: Any, second: Any) -> Any:
    if isinstance(first, dict) and isinstance(second, dict):
        added = {key: value for key, value in second.items() if key not in first}
        return {k: _two(v, second[k]) if k in second else v for k, v in first.items()} | added
    if isinstance(first, list) and isinstance(second, list):
        if all(isinstance(item, dict) for item in (*first, *second)) and len(first) == len(second):
            return [_two(a, b) for a, b in zip(first, second, strict=True)]
        return first if first else second
    if isinstance(first, list) and isinstance(second, dict):
        lists = [value for value in second.values() if isinstance(value, list)]
        return _two(first, lists[0]) if len(lists) == 1 else first
    return second if first is None else first


def parts_of(shape: Any, wishes: Sequence[Sequence[str]]) -> list[Any]:
    """The part of the shape for each branch: the fields that the branch asks for, or a share of the
    fields that no branch asks for."""
    fields = field_names(shape)
    given = {name for wish in wishes for name in wish}
    rest = [name for name in fields if name not in given]
    free = [n for n, wish in enumerate(wishes) if not wish]
    shares: dict[int, list[str]] = {n: [] for n in free}
    for index, name in enumerate(rest):
        if free:
            shares[free[index * len(free) // len(rest)]].append(name)
    return [only(shape, list(wish) if wish else shares.get(n, [])) for n, wish in enumerate(wishes)]


@dataclass(frozen=True, slots=True)
class Count:
    """The position of the answer that won a vote, and its share of the weight."""

    winner: int
    share: float


def counted(answers: Sequence[str], weights: Sequence[float]) -> Count:
    """Count the votes by weight; among equals, the answer that was listed first wins."""
    behind: dict[int, float] = {}  # the weight behind each answer that was the first of its sense
    for index, (answer, weight) in enumerate(zip(answers, weights, strict=True)):
        first = next((n for n in behind if same_answer(answers[n], answer)), index)
        behind[first] = behind.get(first, 0.0) + weight
    best = max(behind, key=lambda first: (behind[first], -first))
    return Count(best, behind[best] / sum(behind.values()))
