"""What else the fields of a record share: totals of a list, and what stays empty. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ListSum:
    """A number that is the sum over a list, of a field or of the product of two fields."""

    items: str
    parts: tuple[str, ...]

    def value(self, record: Mapping[str, Any]) -> float | None:
        items = record.get(self.items)
        if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
            return None
        factors = [[item.get(part) for part in self.parts] for item in items]
        if not all(is_number(factor) for row in factors for factor in row):
            return None
        return float(sum(math.prod(row) for row in factors))


@dataclass(frozen=True, slots=True)
class EmptyWhere:
    """A field that stays empty where another has one of these values, as the examples show."""

    other: str
    values: frozenset[str]

    def empty(self, record: Mapping[str, Any]) -> bool:
        return str(record.get(self.other)) in self.values


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
