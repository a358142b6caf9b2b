"""Reads JSON into frozen dataclasses, strictly, and describes them as a JSON Schema.

An unknown key, a missing key or a value of another type raises `ValueError` with its place. The
schema and the reader follow the same types, so what the one allows the other reads.
"""

import math
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")

_DEEPEST = 12
_TYPES: Mapping[Any, str] = {str: "string", bool: "boolean", int: "integer", float: "number"}
_ABSTRACT_MAPPING = Mapping


def read_strictly(cls: type[T], value: Any) -> T:
    """An instance of a dataclass from JSON. Raises `ValueError`."""
    instance: T = _of_class(cls, value, "", 0)
    return instance


@cache
def _hints(cls: type) -> Mapping[str, Any]:
    return get_type_hints(cls)


def _of_class(cls: Any, value: Any, path: str, depth: int) -> Any:
    if not isinstance(value, Mapping):
        raise ValueError(f"{path or cls.__name__} is a {type(value).__name__}, not an object")
    if depth > _DEEPEST:
        raise ValueError(f"{path} is nested too deep")
    declared = {field.name: field for field in fields(cls)}
    for name in value:
        if name not in declared:
            raise ValueError(
                f"{path}{name}: nothing has this name; there are {', '.join(declared)}"
            )
    for name, field in declared.items():
        if name not in value and field.default is MISSING and field.default_factory is MISSING:
            raise ValueError(f"{path}{name} is missing")
    hints = _hints(cls)
    return cls(
        **{name: _value(hints[name], item, f"{path}{name}", depth) for name, item in value.items()}
    )


def _value(hint: Any, value: Any, path: str, depth: int) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return value
    if origin in (Union, types.UnionType):
        return _of_union(arguments, value, path, depth)
    if origin is Literal:
        if value not in arguments:
            raise ValueError(f"{path} is {value!r}, not one of {', '.join(map(repr, arguments))}")
        return value
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise ValueError(f"{path} is a {type(value).__name__}, not a list")
        inner = arguments[0]
        return tuple(
            _value(inner, item, f"{path}[{place}]", depth + 1) for place, item in enumerate(value)
        )
    if origin is _ABSTRACT_MAPPING:
        if not isinstance(value, Mapping):
            raise ValueError(f"{path} is a {type(value).__name__}, not an object")
        inner = arguments[1]
        return {
            str(key): _value(inner, item, f"{path}.{key}", depth + 1) for key, item in value.items()
        }
    if is_dataclass(hint):
        return _of_class(hint, value, f"{path}.", depth + 1)
    return _scalar(hint, value, path)


def _of_union(hints: tuple[Any, ...], value: Any, path: str, depth: int) -> Any:
    if value is None and type(None) in hints:
        return None
    (hint,) = (each for each in hints if each is not type(None))
    return _value(hint, value, path, depth)


def _scalar(hint: Any, value: Any, path: str) -> Any:
    if hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        if not math.isfinite(value):
            raise ValueError(f"{path} is not a finite number")
        return value
    if type(value) is not hint:
        raise ValueError(f"{path} is {value!r}, not a {_TYPES.get(hint, hint)}")
    return value


def schema_of(cls: type) -> dict[str, Any]:
    """The JSON Schema of a dataclass; dataclasses within it stand below `$defs`."""
    defined: dict[str, Any] = {}
    _define(cls, defined)
    own = defined.pop(cls.__name__)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **own, "$defs": defined}


def _define(cls: Any, defined: dict[str, Any]) -> None:
    if cls.__name__ in defined:
        return
    defined[cls.__name__] = {}
    hints = _hints(cls)
    properties = {field.name: _schema(hints[field.name], defined) for field in fields(cls)}
    required = [
        field.name
        for field in fields(cls)
        if field.default is MISSING and field.default_factory is MISSING
    ]
    defined[cls.__name__] = {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _schema(hint: Any, defined: dict[str, Any]) -> dict[str, Any]:
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return {}
    if origin in (Union, types.UnionType):
        return {"anyOf": [_schema(each, defined) for each in arguments]}
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin is tuple:
        return {"type": "array", "items": _schema(arguments[0], defined)}
    if origin is _ABSTRACT_MAPPING:
        return {"type": "object", "additionalProperties": _schema(arguments[1], defined)}
    if hint is type(None):
        return {"type": "null"}
    if is_dataclass(hint):
        _define(hint, defined)
        return {"$ref": f"#/$defs/{hint.__name__}"}  # type: ignore[union-attr]
    return {"type": _TYPES[hint]}
