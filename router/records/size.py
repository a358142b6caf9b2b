"""How large the records of a shape become, worked out before any record is made. Pure.

A random count and a made text enter with their mean. What the caller sets (counts, lengths, keys,
literals) enters exactly.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from router.domain import Fault
from router.records.effort import spend
from router.records.nodes import Array, Node, Object, OneOf, ShapeLeaf

_TEXT, _PARAGRAPH = 20, 60  # characters of a made text
_QUOTES = 4  # two quotes, a colon or comma, and a bracket


@dataclass(frozen=True, slots=True)
class Size:
    """A number of JSON values, and the characters of their text."""

    values: float
    characters: float

    def __add__(self, other: "Size") -> "Size":
        return Size(self.values + other.values, self.characters + other.characters)

    def times(self, count: float) -> "Size":
        return Size(self.values * count, self.characters * count)


NOTHING = Size(0, 0)


def size_of(node: Node) -> Size:
    """The size of one value for this node."""
    match node:
        case Object(fields):
            keys = sum(len(key) + _QUOTES for key, _ in fields)
            return sum((size_of(inner) for _, inner in fields), Size(1, 2 + keys))
        case Array(item, least, most):
            return Size(1, 2) + size_of(item).times((least + most) / 2)
        case OneOf(values, nodes):
            sizes = [_size_of_literal(v) for v in values] or [size_of(inner) for inner in nodes]
            return Size(max(s.values for s in sizes), max(s.characters for s in sizes))
        case ShapeLeaf(kind, least, most):
            return Size(1, _QUOTES + _characters(kind, least, most))


class MissingSizes:
    """Works out the size of what a node wants and given values lack."""

    def __init__(self) -> None:
        self._sizes: dict[int, Size] = {}  # by the id of a node, because records share nodes

    def of(self, value: Any, node: Node) -> Size:
        spend()
        if isinstance(value, Mapping) and isinstance(node, Object):
            parts = (
                self.of(value[key], inner) if key in value else self._whole(key, inner)
                for key, inner in node.fields
            )
            return sum(parts, NOTHING)
        if isinstance(value, list) and isinstance(node, Array) and isinstance(node.item, Object):
            return sum((self.of(item, node.item) for item in value), NOTHING)
        return NOTHING

    def _whole(self, key: str, node: Node) -> Size:
        if id(node) not in self._sizes:
            self._sizes[id(node)] = size_of(node) + Size(0, len(key) + _QUOTES)
        return self._sizes[id(node)]


def check_size(size: Size, *, values: int, text_mb: int) -> None:
    """Refuse an answer that is larger than these bounds."""
    mend = "ask for fewer records, shorter arrays or texts, or fewer fields"
    if size.values > values:
        detail = f"the shape asks for about {size.values:,.0f} values, "
        raise Fault("bad_request", f"{detail}and one answer has at most {values:,}: {mend}")
    if size.characters > text_mb << 20:
        megabytes = size.characters / 2**20
        detail = f"the shape asks for about {megabytes:,.0f} MB of text, "
        raise Fault("bad_request", f"{detail}and one answer has at most {text_mb:,} MB: {mend}")


def choices(node: Node) -> float:
    """How many different values the node allows; infinity if there are very many."""
    match node:
        case ShapeLeaf("null"):
            return 1
        case ShapeLeaf("bool"):
            return 2
        case ShapeLeaf("int", least, most) if least is not None and most is not None:
            return math.floor(most) - math.ceil(least) + 1
        case OneOf(values, nodes):
            if values:
                return len({canonical(value) for value in values})
            return sum(choices(inner) for inner in nodes)
        case Object(fields):
            count = 1.0
            for _, inner in fields:
                count = min(count * choices(inner), 1e300)
            return count
    return float("inf")


def canonical(value: Any) -> bytes:
    """A text that two JSON values share if they are equal; 1 and 1.0 are equal, 1 and true not."""
    return orjson.dumps(_plain(value), option=orjson.OPT_SORT_KEYS)


def _plain(value: Any) -> Any:
    match value:
        case float() if value.is_integer() and abs(value) < 2**63:
            return int(value)
        case list():
            return [_plain(item) for item in value]
        case dict():
            return {key: _plain(item) for key, item in value.items()}
    return value


def _size_of_literal(value: Any) -> Size:
    text = orjson.dumps(value)
    return Size(1 + text.count(b",") + text.count(b"[") + text.count(b"{"), len(text))


def _characters(kind: str, least: float | None, most: float | None) -> float:
    if kind != "string":
        return _PARAGRAPH if kind == "text" else _TEXT
    usual = _TEXT if most is None else min(_TEXT, most)
    return max(usual, least or 0)
