"""Fits a JSON Schema to the part of JSON Schema that Anthropic holds an answer to. Pure.

A rule that the API cannot hold an answer to, such as `maximum`, moves into the description, where
the model reads it, as Anthropic's own library does. A schema with anything else that the API cannot
express has no fitting form.
"""

from collections.abc import Mapping
from typing import Any

_FORMATS = frozenset(
    {
        *("date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6"),
        "uuid",
    }
)
_KEPT = frozenset({"type", "title", "description", "enum", "const", "default", "$ref"})
_TOLD = frozenset(
    {
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        *("minLength", "maxLength", "pattern", "minItems", "maxItems", "uniqueItems"),
        *("format", "examples", "minProperties", "maxProperties"),
    }
)
_IGNORED = frozenset({"$schema", "$id", "$comment", "strict"})
_DEEPEST = 40


class _NoFit(Exception):
    """The schema has something that the API cannot express."""


def fitting(schema: Mapping[str, Any]) -> dict[str, Any] | None:
    """The schema as the API takes it; None if it has no such form."""
    try:
        fit = _fit(schema, 0)
    except _NoFit:
        return None
    return fit if fit.get("type") == "object" or "$ref" in fit or "anyOf" in fit else None


def _fit(schema: Any, level: int) -> dict[str, Any]:
    if not isinstance(schema, Mapping) or level > _DEEPEST:
        raise _NoFit
    fit: dict[str, Any] = {}
    moved = []
    for key, value in schema.items():
        if key in _TOLD and not _holds(key, value):
            moved.append(f"{key}: {value}")
        elif key not in _IGNORED:
            fit["anyOf" if key == "oneOf" else key] = _member(key, value, level)
    if fit.get("type") == "object":
        if "properties" not in fit:  # any object, which the API cannot express
            raise _NoFit
        fit["additionalProperties"] = False
    if moved:
        words = "{" + ", ".join(moved) + "}"
        fit["description"] = "\n\n".join(filter(None, (fit.get("description"), words)))
    return fit


def _member(key: str, value: Any, level: int) -> Any:
    match key, value:
        case "$defs" | "definitions" | "properties", dict():
            return {name: _fit(inner, level + 1) for name, inner in value.items()}
        case "anyOf" | "oneOf" | "allOf", list():
            return [_fit(inner, level + 1) for inner in value]
        case "items", dict():
            return _fit(value, level + 1)
        case ("additionalProperties", False) | ("required", list()):
            return value
        case _ if key in _KEPT or _holds(key, value):
            return value
        case _:
            raise _NoFit


def _holds(key: str, value: Any) -> bool:
    """Whether the API holds an answer to this rule."""
    return (key == "format" and str(value) in _FORMATS) or (key == "minItems" and value in (0, 1))
