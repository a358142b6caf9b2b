"""Reads the result of a program that was written without a spec, and trusts nothing in it.

Such a program sets `result = {"answer": {...}, "parameters": {...}}`. The answer holds figures by
name, or columns of data; the parameters hold what the program took from its request. `text` may be
a template for prose, with the names of figures in braces.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

Leaf: TypeAlias = Any  # a number, a text, a truth value, or a column of them

_MOST_NAMES = 200
_MOST_VALUES = 600_000
_LARGE_COLUMN = 5_000
_LONGEST_TEXT = 2_000  # characters of a figure that is a text
_LONGEST_TEMPLATE = 20_000
_DEEPEST = 4
_KEYS = frozenset({"answer", "parameters", "text"})
_LEAST_COLUMN = 10  # a list as long as this is a column of data, and not a figure


class NotAnAnswer(ValueError):
    """The result is no answer; the message says why, and is for the program's author."""


@dataclass(frozen=True, slots=True)
class FreeAnswer:
    """The answer of one run: its figures by name, its parameters, and its template for prose."""

    figures: Mapping[str, Leaf]
    parameters: Mapping[str, Any]
    template: str = ""

    @property
    def is_table(self) -> bool:
        """Whether the figures are columns of one table."""
        columns = list(self.figures.values())
        if not all(isinstance(column, list) for column in columns):
            return False
        lengths = {len(column) for column in columns}
        flat = all(not isinstance(cell, list | dict) for column in columns for cell in column[:3])
        longest = max(lengths, default=0)
        return (
            len(lengths) == 1 and flat and (longest >= _LEAST_COLUMN or len(columns) > 1 < longest)
        )

    @property
    def flat(self) -> dict[str, Leaf]:
        """Every figure by its path, such as `shares.north`; a list of scalars stays a column."""
        return dict(_flattened("", self.figures))


def read_answer(result: Any) -> FreeAnswer:
    """The answer in a result. Raises `NotAnAnswer`."""
    if not isinstance(result, Mapping) or "answer" not in result:
        raise NotAnAnswer('`result` is to be {"answer": {...}, "parameters": {...}}')
    others = sorted(set(map(str, result)) - _KEYS)
    if others:
        raise NotAnAnswer(f"`result` has {', '.join(others[:5])} beside `answer` and `parameters`")
    parameters = result.get("parameters")
    if not isinstance(parameters, Mapping):
        raise NotAnAnswer("`result` lacks `parameters`, a dict of what was used of the request")
    template = result.get("text", "")
    if not isinstance(template, str) or len(template) > _LONGEST_TEMPLATE:
        raise NotAnAnswer("`text` is to be a template of words")
    figures = _columns(result["answer"])
    if not figures or len(figures) > _MOST_NAMES:
        raise NotAnAnswer(f"`answer` has {len(figures)} figures; 1 to {_MOST_NAMES} are taken")
    budget = [_MOST_VALUES]
    plain = {str(name): _plain(str(name), value, 0, budget) for name, value in figures.items()}
    used = _plain_parameters(parameters, budget)
    return FreeAnswer(plain, used, template)


def _columns(answer: Any) -> Mapping[str, Any]:
    """The figures of an answer; a list of records becomes columns."""
    if isinstance(answer, list) and answer and all(isinstance(row, Mapping) for row in answer):
        names = list(answer[0])
        if any(list(row) != names for row in answer):
            raise NotAnAnswer("the records of `answer` have different keys")
        return {name: [row[name] for row in answer] for name in names}
    if not isinstance(answer, Mapping):
        raise NotAnAnswer(f"`answer` is a {type(answer).__name__}; it is to be a dict of figures")
    if len(answer) == 1:
        (only,) = answer.values()
        if isinstance(only, list) and only and isinstance(only[0], Mapping):
            return _columns(only)
    return answer


def _plain(name: str, value: Any, depth: int, budget: list[int]) -> Any:
    """The value as plain numbers, texts, lists and dicts. Raises `NotAnAnswer`."""
    budget[0] -= 1
    if budget[0] < 0 or depth > _DEEPEST:
        raise NotAnAnswer(f"{name[:50]}: the answer is too large or too deep")
    if isinstance(value, np.ndarray):
        value = value.tolist()
    match value:
        case bool() | int():
            return value
        case float():
            if not math.isfinite(value):
                raise NotAnAnswer(f"{name[:50]} is not a finite number")
            return value
        case str():
            return _text(name, value, depth)
        case list() | tuple():
            if depth == 0 and not value:
                raise NotAnAnswer(f"{name[:50]} is empty")
            return [_plain(name, item, depth + 1, budget) for item in value]
        case Mapping():
            return {str(k): _plain(f"{name}.{k}", v, depth + 1, budget) for k, v in value.items()}
        case None if depth > 0:  # a missing value in a column
            return None
    raise NotAnAnswer(f"{name[:50]} is a {type(value).__name__}, not a figure")


def _text(name: str, value: str, depth: int) -> str:
    if len(value) > _LONGEST_TEXT or (depth == 0 and not value.strip()):
        raise NotAnAnswer(f"{name[:50]} is a text of {len(value)} characters")
    return value


def _plain_parameters(parameters: Mapping[str, Any], budget: list[int]) -> dict[str, Any]:
    """Parameters may hold anything that JSON may hold, also nothing."""

    def plain(value: Any, depth: int) -> Any:
        budget[0] -= 1
        if budget[0] < 0 or depth > 2 * _DEEPEST:
            raise NotAnAnswer("the parameters are too large or too deep")
        if isinstance(value, np.ndarray):
            value = value.tolist()
        if isinstance(value, Mapping):
            return {str(key): plain(item, depth + 1) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [plain(item, depth + 1) for item in value]
        if isinstance(value, float) and not math.isfinite(value):
            return None
        return value if isinstance(value, bool | int | float | str | None) else str(value)

    return {str(key): plain(value, 0) for key, value in parameters.items()}


def _flattened(path: str, value: Any) -> Iterator[tuple[str, Leaf]]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _flattened(f"{path}.{name}" if path else name, item)
    elif isinstance(value, list) and not _is_column(value):
        for index, item in enumerate(value):
            yield from _flattened(f"{path}[{index}]", item)
    else:
        yield path, value


def _is_column(values: Sequence[Any]) -> bool:
    return len(values) >= _LEAST_COLUMN and not any(isinstance(v, list | dict) for v in values)


def is_large(result: Any) -> bool:
    """Whether a result holds so much data that few runs tell its distributions."""
    answer = result.get("answer") if isinstance(result, Mapping) else None
    columns = answer.values() if isinstance(answer, Mapping) else [answer]
    return any(len(c) > _LARGE_COLUMN for c in columns if isinstance(c, list | np.ndarray))


def bare(name: str) -> str:
    """A name as names are compared: without case, spaces and underscores."""
    return "".join(sign for sign in name.casefold() if sign.isalnum() or sign in ".[]")
