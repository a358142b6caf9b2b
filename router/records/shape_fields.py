"""The fields of a shape: their names, a selection of fields, and the anchors. Pure."""

from collections.abc import Sequence
from typing import Any

from router.records.concepts import DERIVED, PLACE, concept
from router.records.shapes import is_schema


def field_names(shape: Any) -> list[str]:
    """The names of the fields in a shape's object, or in the objects of a shape's list."""
    inner = _object_of(shape)
    if is_schema(inner):
        inner = inner.get("properties")
    if not isinstance(inner, dict):
        return []
    return [name for name in inner if not str(name).startswith("$")]


def only(shape: Any, names: Sequence[str]) -> Any:
    """The shape, or the objects in the shape's list, with only these fields.

    A value that is no shape stays as it is: whoever reads the shape refuses it with a reason.
    """
    if isinstance(shape, list) and shape:
        return [only(shape[0], names), *shape[1:]]
    if not isinstance(shape, dict):
        return shape
    if not is_schema(shape):
        return {k: v for k, v in shape.items() if k in names or str(k).startswith("$")}
    if shape.get("type") == "array":
        return {**shape, "items": only(shape.get("items") or {}, names)}
    properties, required = shape.get("properties"), shape.get("required")
    if not isinstance(properties, dict):
        return shape
    kept = {k: v for k, v in properties.items() if k in names}
    needed = required if isinstance(required, list) else []
    return {**shape, "properties": kept, "required": [name for name in kept if name in needed]}


def anchors_of(shape: Any) -> tuple[str, ...]:
    """The fields that no other field implies, in order; all fields if every field is implied."""
    fields = field_names(shape)
    concepts = {concept(name) for name in fields}
    # The enricher chooses the place as a whole, so that city and country agree.
    placed = concepts & PLACE if len(concepts & PLACE) > 1 else frozenset()
    anchors = [
        name
        for name in fields
        if concept(name) not in placed and not (DERIVED.get(concept(name), frozenset()) & concepts)
    ]
    return tuple(anchors or fields)


def _object_of(shape: Any) -> Any:
    while isinstance(shape, list) and shape:
        shape = shape[0]
    if isinstance(shape, dict) and shape.get("type") == "array":
        return _object_of(shape.get("items") or {})
    return shape if isinstance(shape, dict) else {}
