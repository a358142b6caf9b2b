"""Describes the form of an answer without its values, for the author of a second program."""

from collections.abc import Mapping
from typing import Any

from sandbox.free.answers import FreeAnswer

_MOST_NAMES = 100
_MOST_MASK = 40  # characters


def shapes_of(answer: FreeAnswer) -> dict[str, str]:
    """Each figure's name and form, such as `number` or `a column of 200 texts like Aa-99`."""
    if not answer.is_table:
        return {name: _shape(value) for name, value in list(answer.flat.items())[:_MOST_NAMES]}
    return {name: _column(values) for name, values in list(answer.figures.items())[:_MOST_NAMES]}


def _shape(value: Any) -> str:
    match value:
        case bool():
            return "true or false"
        case int():
            return "whole number"
        case float():
            return "number"
        case str():
            return f"text like {mask(value)}"
        case list():
            return _column(value)
        case Mapping():
            return "object"
    return "nothing"


def _column(values: list[Any]) -> str:
    first = next((value for value in values if value is not None), None)
    kind = "texts" if isinstance(first, str) else "truths" if isinstance(first, bool) else "numbers"
    return f"a column of {len(values)} {kind}" + (f" like {mask(first)}" if kind == "texts" else "")


def mask(text: Any) -> str:
    """`2024-03-05` as `9999-99-99`: the form of a text, and nothing of what it says."""
    signs = str(text)[:_MOST_MASK]
    return "".join(
        "9" if s.isdigit() else ("A" if s.isupper() else "a") if s.isalpha() else s for s in signs
    )
