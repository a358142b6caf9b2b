"""Whether a shape's field allows a value. Pure."""

from typing import Any

from router.records.effort import spend
from router.records.enriching.facts import day_of
from router.records.nodes import Node, OneOf, ShapeLeaf
from router.records.regexes import matches


def fits(value: Any, node: Node) -> bool:
    """Whether the shape allows the value."""
    match node:
        case OneOf(values, nodes):
            spend(len(values) // 100)
            return value in values if values else any(fits(value, inner) for inner in nodes)
        case ShapeLeaf("int" | "number" | "price" | "latitude" | "longitude" as kind, least, most):
            number = isinstance(value, int | float) and not isinstance(value, bool)
            return (
                number
                and (kind != "int" or isinstance(value, int))
                and (least is None or value >= least)
                and (most is None or value <= most)
            )
        case ShapeLeaf("bool"):
            return isinstance(value, bool)
        case ShapeLeaf("null"):
            return value is None
        case ShapeLeaf("string", least, most):
            long_enough = isinstance(value, str) and (least is None or len(value) >= least)
            short_enough = long_enough and (most is None or len(value) <= most)
            return short_enough and (not node.pattern or matches(node.pattern, value))
        case ShapeLeaf("date"):
            return isinstance(value, str) and len(value) == 10 and day_of(value) is not None
        case ShapeLeaf():
            return isinstance(value, str)
    return False
