"""The frozen values that a shape or a JSON Schema is parsed into."""

from dataclasses import dataclass
from typing import Any

# The words that a leaf may use, each with the kind of value that the word stands for.
WORDS = {
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


# The kinds of leaves whose values are numbers.
NUMBERS = frozenset({"int", "number", "price", "latitude", "longitude"})


@dataclass(frozen=True, slots=True)
class ShapeLeaf:
    """A single value; `least` and `most` bound a number, or the length of a text."""

    kind: str
    least: float | None = None
    most: float | None = None
    examples: tuple[Any, ...] = ()  # values that the shape or the schema gives as examples
    pattern: str = ""  # of a JSON Schema


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
