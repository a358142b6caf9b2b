"""The fields of a shape: their names, a shape with fewer of them, and the anchors. Pure."""

from collections.abc import Sequence
from typing import Any

from router.records.concepts import DERIVED, PLACE, concept
from router.records.shapes import is_schema


def field_names(shape: Any) -> list[str]:
    """The fields of the object that a shape describes, or of the objects in its list."""
    inner = _object_of(shape)
    if is_schema(inner):
        inner = inner.get("properties") or {}
    return [name for name in inner if not str(name).startswith("$")]


def only(shape: Any, names: Sequence[str]) -> Any:
    """The shape with these fields alone; the shape of a list keeps them in its objects."""
    if isinstance(shape, list):
        return [only(shape[0], names), *shape[1:]]
    if not is_schema(shape):
        return {k: v for k, v in shape.items() if k in names or str(k).startswith("$")}
    if shape.get("type") == "array":
        return {**shape, "items": only(shape.get("items") or {}, names)}
    kept = {k: v for k, v in (shape.get("properties") or {}).items() if k in names}
    required = [name for name in shape.get("required", ()) if name in kept]
    return {**shape, "properties": kept, "required": required}


def anchors_of(shape: Any) -> tuple[str, ...]:
    """The fields that no other field implies, in their order; all fields if there is none."""
    fields = field_names(shape)
    concepts = {concept(name) for name in fields}
    # The enricher chooses a place as a whole: a city here with a country there would not agree.
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
