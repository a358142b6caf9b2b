"""TODO: what this module promises."""

from collections.abc import Sequence
from typing import Any

from router.records.shapes import is_schema


def field_names(shape: Any) -> list[str]:
    inner = _object_of(shape)
    if is_schema(inner):
        inner = inner.get("properties") or {}
    return [name for name in inner if not str(name).startswith("$")]


def only(shape: Any, names: Sequence[str]) -> Any:
    """The shape with these of its fields; of a list, each of its objects so."""
    if isinstance(shape, list):
        return [only(shape[0], names), *shape[1:]]
    if not is_schema(shape):
        return {k: v for k, v in shape.items() if k in names or str(k).startswith("$")}
    if shape.get("type") == "array":
        return {**shape, "items": only(shape.get("items") or {}, names)}
    kept = {k: v for k, v in (shape.get("properties") or {}).items() if k in names}
    required = [name for name in shape.get("required", ()) if name in kept]
    return {**shape, "properties": kept, "required": required}


def _object_of(shape: Any) -> Any:
    while isinstance(shape, list) and shape:
        shape = shape[0]
    if isinstance(shape, dict) and shape.get("type") == "array":
        return _object_of(shape.get("items") or {})
    return shape if isinstance(shape, dict) else {}
