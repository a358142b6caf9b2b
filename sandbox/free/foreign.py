"""Finds the numbers of a table that are no numbers of the request: an author may invent no data."""

from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.free.quantities import quantities_in


def foreign_numbers(data: Mapping[str, Any], text: str) -> tuple[float, ...]:
    """The numbers of these columns that the request does not hold."""
    if not data:
        return ()
    held = {f"{abs(value):.9g}" for quantity in quantities_in(text) for value in quantity.values}
    return tuple(value for value in _numbers(data) if f"{abs(value):.9g}" not in held)


def _numbers(data: Mapping[str, Any]) -> Iterator[float]:
    for column in data.values():
        for value in column if isinstance(column, list | tuple) else ():
            if isinstance(value, int | float) and not isinstance(value, bool):
                yield float(value)
