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
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from router.domain import Fault

# The words that a leaf may use, each with the kind of value that the word stands for.
_WORDS = {
    "string": "string", "str": "string", "text": "text", "paragraph": "text",
    "sentence": "sentence",
    "word": "word", "int": "int", "integer": "int", "long": "int", "number": "number",
    "float": "number", "double": "number", "decimal": "number", "bool": "bool", "boolean": "bool",
    "uuid": "uuid", "guid": "uuid", "date": "date", "datetime": "datetime", "date-time": "datetime",
    "timestamp": "datetime", "iso-8601": "datetime", "iso8601": "datetime", "time": "time",
    "email": "email", "url": "url", "uri": "url", "phone": "phone", "name": "name",
    "firstname": "first_name", "first_name": "first_name", "lastname": "last_name",
    "last_name": "last_name", "username": "username", "address": "address", "street": "street",
    "city": "city", "state": "state", "country": "country", "zip": "postcode",
    "postcode": "postcode", "company": "company", "job": "job", "color": "color", "ipv4": "ipv4",
    "ipv6": "ipv6", "hostname": "hostname", "currency": "currency", "price": "price",
    "latitude": "latitude", "longitude": "longitude", "null": "null",
}  # fmt: skip
_RANGE = re.compile(
    r"^(\w+)\s*[\s(\[]\s*(-?\d+(?:\.\d+)?)\s*(?:\.\.|,|-|to)\s*(-?\d+(?:\.\d+)?)\s*[)\]]?$"
)
_MAX_NODES = 20_000


@dataclass(frozen=True, slots=True)
class ShapeLeaf:
    """A single value; `least` and `most` bound a number, or the length of a text."""

    kind: str
    least: float | None = None
    most: float | None = None


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of the literal `values`, or a value for one of the `nodes`."""

    values: tuple[Any, ...] = ()
    nodes: tuple["Node", ...] = ()


@dataclass(frozen=True, slots=True)
class Object:
    fields: tuple[tuple[str, "Node"], ...]


@dataclass(frozen=True, slots=True)
class Array:
    item: "Node"
    least: int = 1
    most: int = 5
    unique: bool = False


Node = ShapeLeaf | OneOf | Object | Array


@dataclass(frozen=True, slots=True)
class Shape:
    node: Node
    variants: int = 0  # the most different answers; 0 means no limit


def parse(shape: Any) -> Shape:
    """Parse a shape or a JSON Schema; a `Fault` names the part that cannot be read."""
    if not isinstance(shape, dict | list) or not shape:
        raise Fault(
            "bad_request", f"shape = {shape!r} must be a JSON object or array that is not empty"
        )
    variants = 0
    if isinstance(shape, dict) and "$cache" in shape:
        variants = shape["$cache"]
        if not isinstance(variants, int) or isinstance(variants, bool) or not 1 <= variants <= 1000:
            raise Fault("bad_request", f"$cache = {variants!r} must be an integer from 1 to 1000")
        shape = {key: value for key, value in shape.items() if key != "$cache"}
    reader = _ShapeReader(shape)
    return Shape(reader.schema(shape, 0) if is_schema(shape) else reader.node(shape, 0), variants)


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


class _ShapeReader:
    """Parses one shape, and refuses a shape that is too deep or too large."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._nodes_left = _MAX_NODES

    def _enter(self, depth: int) -> None:
        self._nodes_left -= 1
        if depth > 40 or self._nodes_left < 0:
            raise Fault("bad_request", f"shape is deeper than 40 or larger than {_MAX_NODES} nodes")

    def node(self, shape: Any, depth: int) -> Node:
        self._enter(depth)
        match shape:
            case dict():
                return Object(
                    tuple(
                        (key, self.node(value, depth + 1))
                        for key, value in shape.items()
                        if key != "$count"
                    )
                )
            case []:
                return Array(ShapeLeaf("string"), 0, 0)
            case [item, int() as exactly] if not isinstance(exactly, bool) and exactly >= 0:
                return Array(self.node(item, depth + 1), exactly, exactly)
            case [dict() as item] if "$count" in item:
                exactly = _bounded("$count", item["$count"])
                return Array(self.node(item, depth + 1), exactly, exactly)
            case [item]:
                return Array(self.node(item, depth + 1))
            case list():
                return Array(OneOf(nodes=tuple(self.node(item, depth + 1) for item in shape)))
            case str():
                return _leaf(shape)
            case bool():
                return ShapeLeaf("bool")
            case int():
                return ShapeLeaf("int")
            case float():
                return ShapeLeaf("number")
            case _:
                return ShapeLeaf("null")

    def schema(self, schema: Any, depth: int) -> Node:
        self._enter(depth)
        if not isinstance(schema, dict):
            return ShapeLeaf("string")
        if "$ref" in schema:
            return self.schema(self._resolve(schema["$ref"]), depth + 1)
        if "const" in schema:
            return OneOf((schema["const"],))
        if isinstance(schema.get("enum"), list) and schema["enum"]:
            return OneOf(tuple(schema["enum"]))
        for key in ("anyOf", "oneOf"):
            if isinstance(schema.get(key), list) and schema[key]:
                return OneOf(nodes=tuple(self.schema(part, depth + 1) for part in schema[key]))
        if isinstance(schema.get("allOf"), list):
            return self.schema(_merged(schema), depth + 1)
        kind = schema.get("type")
        if isinstance(kind, list) and kind:
            kinds = [{**schema, "type": name} for name in kind]
            return OneOf(nodes=tuple(self.schema(part, depth + 1) for part in kinds))
        return self._typed(kind, schema, depth)

    def _typed(self, kind: Any, schema: dict[str, Any], depth: int) -> Node:
        if kind == "object" or (kind is None and "properties" in schema):
            properties = schema.get("properties")
            items = properties.items() if isinstance(properties, dict) else ()
            return Object(tuple((key, self.schema(value, depth + 1)) for key, value in items))
        if kind == "array":
            least = _bounded("minItems", schema.get("minItems", 1))
            most = _bounded("maxItems", schema.get("maxItems", max(5, least)))
            item = self.schema(schema.get("items", {}), depth + 1)
            return Array(item, min(least, most), most, bool(schema.get("uniqueItems")))
        if kind in ("integer", "number"):
            return _numeric(kind, schema)
        if kind == "string":
            word = _WORDS.get(str(schema.get("format", "string")).lower(), "string")
            return ShapeLeaf(word, schema.get("minLength"), schema.get("maxLength"))
        return ShapeLeaf(_WORDS.get(str(kind), "string"))

    def _resolve(self, reference: Any) -> Any:
        target = self._root
        for part in str(reference).removeprefix("#").strip("/").split("/"):
            part = part.replace("~1", "/").replace("~0", "~")
            if part and not (isinstance(target, dict) and part in target):
                raise Fault("bad_request", f"$ref = {reference!r} points to nothing in the schema")
            target = target[part] if part else target
        return target


def _leaf(word: str) -> Node:
    """Parse a leaf that is a text, such as "int 18..65"."""
    low = word.strip().lower()
    if low in _WORDS:
        return ShapeLeaf(_WORDS[low])
    ranged = _RANGE.match(low)
    if ranged and _WORDS.get(ranged[1]) in ("int", "number"):
        least, most = float(ranged[2]), float(ranged[3])
        return ShapeLeaf(_WORDS[ranged[1]], min(least, most), max(least, most))
    if "|" in word:
        parts = [part.strip() for part in word.split("|")]
        if all(part.lower() in _WORDS for part in parts):
            return OneOf(nodes=tuple(ShapeLeaf(_WORDS[part.lower()]) for part in parts))
        return OneOf(tuple(None if part == "null" else part for part in parts))
    return ShapeLeaf("string")


def _numeric(kind: str, schema: Mapping[str, Any]) -> ShapeLeaf:
    step = 1.0 if kind == "integer" else 1e-6
    least, most = _number(schema.get("minimum")), _number(schema.get("maximum"))
    above, below = _number(schema.get("exclusiveMinimum")), _number(schema.get("exclusiveMaximum"))
    return ShapeLeaf(
        "int" if kind == "integer" else "number",
        least if above is None else above + step,
        most if below is None else below - step,
    )


def _number(value: Any) -> float | None:
    stated = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if stated else None


def _bounded(key: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 10_000:
        raise Fault("bad_request", f"{key} = {value!r} must be an integer from 0 to 10000")
    return value


def _merged(schema: dict[str, Any]) -> dict[str, Any]:
    merged = {key: value for key, value in schema.items() if key != "allOf"}
    for part in schema["allOf"]:
        if isinstance(part, dict):
            properties = {**merged.get("properties", {}), **part.get("properties", {})}
            merged = {**merged, **part}
            if properties:
                merged["properties"] = properties
    return merged
