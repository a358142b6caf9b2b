"""A record that was filled, while its new values are brought to agree."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from router.records.enriching.fitting import fits
from router.records.likeness.links import is_number
from router.records.nodes import Node


@dataclass(frozen=True, slots=True)
class Made:
    """A record that was filled: the values, which of them are new, and what its fields allow."""

    values: dict[str, Any]
    new: frozenset[str]
    fields: Mapping[str, Node]

    def put(self, key: str, value: Any) -> None:
        if key in self.new and fits(value, self.fields[key]):
            self.values[key] = value

    def numbers(self) -> dict[str, float]:
        return {key: value for key, value in self.values.items() if is_number(value)}
