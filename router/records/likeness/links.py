"""What else the fields of a record share: totals of a list, and what stays empty. Pure."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

_MARK = 0xE000  # characters that no text has, for places where a value goes


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


@dataclass(frozen=True, slots=True)
class SwitchAt:
    """A switch that is on where another field is a number from `least` on."""

    other: str
    least: float
    off_below: bool = True  # else on below

    def value(self, record: Mapping[str, Any]) -> bool | None:
        number: Any = record.get(self.other)
        return bool(number >= self.least) == self.off_below if is_number(number) else None


@dataclass(frozen=True, slots=True)
class Template:
    """Texts that name other fields of their record, such as `Cotton T-Shirt, Navy, M`."""

    parts: tuple[str, ...]
    texts: tuple[tuple[str, Mapping[str, str]], ...]  # each with the values that it names

    def write(self, record: Mapping[str, Any], chance: Random) -> str | None:
        """A text that names the record's own values; None while one is missing."""
        if not all(isinstance(record.get(part), str) for part in self.parts):
            return None
        text, values = chance.choice(self.texts)
        for part in sorted(self.parts, key=lambda name: -len(values[name])):
            text = re.sub(_whole(values[part]), chr(_MARK + self.parts.index(part)), text, count=1)
        for n, part in enumerate(self.parts):
            text = text.replace(chr(_MARK + n), str(record[part]))
        return text


def _whole(value: str) -> str:
    return rf"(?<!\w){re.escape(value)}(?!\w)"


def is_named(value: Any, text: Any) -> bool:
    """Whether a text names a value of its record as a word of its own."""
    if not isinstance(value, str) or not isinstance(text, str) or len(value) >= len(text):
        return False
    return bool(value.strip()) and re.search(_whole(value), text) is not None


def is_on(value: Any, style: Any) -> bool | None:
    """What a switch says, as a boolean or by its words."""
    if isinstance(value, bool):
        return value
    texts: tuple[str, ...] = getattr(style, "texts", ()) if getattr(style, "switch", 0) else ()
    return value == texts[0] if value in texts else None


def switch_at(other: str, pairs: Sequence[tuple[float, bool | None]]) -> SwitchAt | None:
    """The number from which on a switch is on, or off; None if numbers do not part them."""
    on = [number for number, state in pairs if state]
    off = [number for number, state in pairs if state is False]
    if not on or not off:
        return None
    if min(on) > max(off):
        return SwitchAt(other, _round_between(max(off), min(on)))
    if min(off) > max(on):
        return SwitchAt(other, _round_between(max(on), min(off)), off_below=False)
    return None


def _round_between(low: float, high: float) -> float:
    """The roundest number above `low` and up to `high`."""
    for step in (100, 50, 10, 5, 1, 0.5, 0.1):
        first = (math.floor(low / step) + 1) * step
        if first <= high:
            return float(first)
    return high


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
