"""The grammar of shapes, which describe records; a shape is parsed into frozen values.

A shape is JSON in which each leaf describes the value at its place:

    "string", "int", "number", "bool", "uuid", "date", "ISO-8601", "email", "city", ...
    "int 18..65", "number 0..1"            a range
    "small|medium|large"                   one of these; "string|null" may be null
    "Jane", 42, true                       an example: its type and its field's name decide
    {"a": ...}, [shape], [shape, 3]        objects; arrays of one to five items, or exactly three
    [{"$count": 3, ...}]                   an array of exactly three
    {"$cache": 4, ...}                     at most four different answers to this shape

A JSON Schema (an object with `type`, `properties`, `$ref`, ...) is parsed into the same values.
"""

import re
from dataclasses import dataclass, replace
from typing import Any

from router.records.bounds import check_range, number, refuse, shown, whole
from router.records.nodes import WORDS, Array, Node, Object, OneOf, ShapeLeaf
from router.records.schema_reading import SchemaReader
from router.records.shape_room import ShapeRoom

_RANGE = re.compile(
    r"^(\w+)(?:\s*+[(\[]\s*+|\s++)(-?\d+(?:\.\d+)?)\s*+(?:\.\.|,|-|to)\s*+(-?\d+(?:\.\d+)?)\s*+[)\]]?$"
)
_LONGEST_RANGE = 400  # characters; the pattern is slow on longer texts


@dataclass(frozen=True, slots=True)
class Shape:
    node: Node
    variants: int = 0  # the most different answers; 0 means no limit


def parse(shape: Any) -> Shape:
    """Parse a shape or a JSON Schema; a `Fault` names the part that cannot be read."""
    if not isinstance(shape, dict | list) or not shape:
        raise refuse(f"shape = {shown(shape)} must be a JSON object or array that is not empty")
    variants = 0
    if isinstance(shape, dict) and "$cache" in shape:
        variants = shape["$cache"]
        if not isinstance(variants, int) or isinstance(variants, bool) or not 1 <= variants <= 1000:
            raise refuse(f"$cache = {shown(variants)} must be an integer from 1 to 1000")
        shape = {key: value for key, value in shape.items() if key != "$cache"}
    room = ShapeRoom()
    if is_schema(shape):
        return Shape(SchemaReader(shape, room).node(shape, 0), variants)
    return Shape(_node(shape, 0, room), variants)


def is_schema(shape: Any) -> bool:
    """Whether the given value is a JSON Schema rather than a shape."""
    if not isinstance(shape, dict):
        return False
    typed = shape.get("type") in ("object", "array")
    return (
        (typed and bool(shape.keys() & {"properties", "items"}))
        or "$ref" in shape
        or "$schema" in shape
    )


def _node(shape: Any, depth: int, room: ShapeRoom) -> Node:
    room.enter(depth)
    match shape:
        case dict():
            if "$count" in shape:
                whole("$count", shape["$count"])
            fields = ((key, value) for key, value in shape.items() if key != "$count")
            return Object(tuple((key, _node(value, depth + 1, room)) for key, value in fields))
        case list():
            return _array(shape, depth, room)
        case str():
            return _leaf(shape)
        case bool():
            return ShapeLeaf("bool")
        case int():
            return ShapeLeaf("int", examples=(shape,))
        case float():
            return ShapeLeaf("number", examples=(shape,))
        case _:
            return ShapeLeaf("null")


def _array(shape: list[Any], depth: int, room: ShapeRoom) -> Node:
    match shape:
        case []:
            return Array(ShapeLeaf("string"), 0, 0)
        case [item, int() as count] if not isinstance(count, bool):
            exactly = whole("the count in [shape, count]", count)
        case [dict() | list() as item, bool() | float() as count]:
            exactly = whole("the count in [shape, count]", count)
        case [dict() as item] if "$count" in item:
            exactly = whole("$count", item["$count"])
        case [item]:
            return Array(_node(item, depth + 1, room))
        case _:
            return Array(one_of(tuple(_node(item, depth + 1, room) for item in shape)))
    return Array(_node(item, depth + 1, room), exactly, exactly)


def one_of(nodes: tuple[Node, ...]) -> Node:
    """A value for one of the nodes; nodes that are alike but for their examples are one node."""
    first = nodes[0]
    if isinstance(first, ShapeLeaf) and all(
        isinstance(n, ShapeLeaf) and n == replace(first, examples=n.examples) for n in nodes
    ):
        leaves = (n for n in nodes if isinstance(n, ShapeLeaf))
        return replace(first, examples=tuple(e for leaf in leaves for e in leaf.examples))
    objects = [node for node in nodes if isinstance(node, Object)]
    names = [tuple(name for name, _ in node.fields) for node in objects]
    if len(objects) == len(nodes) and len(set(names)) == 1:
        columns = zip(*(node.fields for node in objects), strict=True)
        merged = [(column[0][0], one_of(tuple(n for _, n in column))) for column in columns]
        if not any(isinstance(n, OneOf) and n.nodes for _, n in merged):
            return Object(tuple(merged))
    return OneOf(nodes=nodes)


def _leaf(word: str) -> Node:
    """Parse a leaf that is a text, such as "int 18..65"."""
    low = word.strip().lower()
    if low in WORDS:
        return ShapeLeaf(WORDS[low])
    ranged = _RANGE.match(low) if len(low) <= _LONGEST_RANGE else None
    if ranged and WORDS.get(ranged[1]) in ("int", "number"):
        kind = WORDS[ranged[1]]
        least, most = sorted(number(kind, float(digits)) for digits in ranged.group(2, 3))
        check_range(kind, least, most)
        return ShapeLeaf(kind, least, most)
    if "|" in word:
        parts = [part.strip() for part in word.split("|")]
        if all(part.lower() in WORDS for part in parts):
            return OneOf(nodes=tuple(ShapeLeaf(WORDS[part.lower()]) for part in parts))
        return OneOf(tuple(None if part == "null" else part for part in parts))
    return ShapeLeaf("string", examples=(word,))
