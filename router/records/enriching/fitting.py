"""Whether a shape's field allows a value, and how the field writes the value. Pure."""

from typing import Any

from router.records.effort import spend
from router.records.enriching.facts import day_of
from router.records.nodes import Node, OneOf, ShapeLeaf


def in_form(value: Any, node: Node) -> Any:
    """Write the value as the field needs it: a whole number, a date, or a date with a time."""
    kind = node.kind if isinstance(node, ShapeLeaf) else ""
    if kind == "int" and isinstance(value, float):
        return round(value)
    if kind == "datetime" and day_of(value) and len(str(value)) == 10:
        return f"{value}T00:00:00+00:00"
    if kind == "date" and day_of(value):
        return str(value)[:10]
    return value


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
            return long_enough and (most is None or len(value) <= most)
        case ShapeLeaf("date"):
            return isinstance(value, str) and len(value) == 10 and day_of(value) is not None
        case ShapeLeaf():
            return isinstance(value, str)
    return False
