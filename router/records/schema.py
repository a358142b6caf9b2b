"""Converts a shape to a JSON Schema. Pure."""

from collections.abc import Mapping
from typing import Any

from router.records.nodes import Array, Node, Object, OneOf, ShapeLeaf
from router.records.shapes import is_schema, parse

Schema = dict[str, Any]

_FORMATS = {
    "uuid": "uuid", "date": "date", "datetime": "date-time", "time": "time", "email": "email",
    "url": "uri", "phone": "phone", "ipv4": "ipv4", "ipv6": "ipv6", "hostname": "hostname",
}  # fmt: skip
_NUMBERS: Mapping[str, Schema] = {
    "int": {"type": "integer"},
    "number": {"type": "number"},
    "price": {"type": "number", "minimum": 0},
    "latitude": {"type": "number", "minimum": -90, "maximum": 90},
    "longitude": {"type": "number", "minimum": -180, "maximum": 180},
}


def schema_of(shape: Any) -> Schema:
    """The JSON Schema of a shape or schema; a `Fault` says why a shape cannot be read."""
    if isinstance(shape, list) and shape and not is_schema(shape):
        return {"type": "array", "items": schema_of(shape[0])}
    return dict(shape) if is_schema(shape) else _schema(parse(shape).node)


def of_record(schema: Schema) -> Schema:
    """The schema of one record, also if the given schema describes a list of records."""
    items = schema.get("items")
    if schema.get("type") != "array" or not isinstance(items, dict):
        return schema
    shared = {key: schema[key] for key in ("$defs", "definitions") if key in schema}
    return {**shared, **items}


def _schema(node: Node) -> Schema:
    match node:
        case Object(fields):
            return {
                "type": "object",
                "properties": {key: _schema(value) for key, value in fields},
                "required": [key for key, _ in fields],
            }
        case Array(item, least, most, unique):
            # One to five items is only the default of a shape, so it sets no bounds.
            bounds = {"minItems": least, "maxItems": most} if least == most else {}
            return {"type": "array", "items": _schema(item), "uniqueItems": unique, **bounds}
        case OneOf(values, nodes):
            if values:
                return {"enum": list(values)}
            return {"anyOf": [_schema(inner) for inner in nodes]}
        case ShapeLeaf(kind, least, most):
            return _leaf(kind, least, most)


def _leaf(kind: str, least: float | None, most: float | None) -> Schema:
    if kind in _NUMBERS:
        bounds = {"minimum": least, "maximum": most}
        return {**_NUMBERS[kind], **{k: v for k, v in bounds.items() if v is not None}}
    if kind in ("bool", "null"):
        return {"type": "boolean" if kind == "bool" else "null"}
    lengths = {"minLength": least, "maxLength": most}
    text: Schema = {"type": "string", **{k: int(v) for k, v in lengths.items() if v is not None}}
    return text | ({"format": _FORMATS[kind]} if kind in _FORMATS else {})
