"""Reads a JSON Schema into the nodes that a shape is read into.

References are followed inside the schema only. A bound that is odd or that no value can keep is
refused; `pattern`, `multipleOf` and what else the nodes cannot hold is checked, and then left out.
"""

import math
from collections.abc import Mapping
from typing import Any

from router.records.bounds import check_bounds, check_range, number, refuse, shown, whole
from router.records.nodes import WORDS, Array, Node, Object, OneOf, ShapeLeaf
from router.records.shape_room import ShapeRoom
from router.records.size import choices

_LONGEST_REFERENCE = 1_000
_MOST_TYPES = 7  # JSON has no more


class SchemaReader:
    """Reads one schema; `root` is where its references begin."""

    def __init__(self, root: Mapping[str, Any], room: ShapeRoom) -> None:
        self._root = root
        self._room = room

    def node(self, schema: Any, depth: int) -> Node:
        self._room.enter(depth)
        if not isinstance(schema, dict):
            return ShapeLeaf("string")
        if "$ref" in schema:
            return self.node(self._resolve(schema["$ref"]), depth + 1)
        if "const" in schema:
            return OneOf((schema["const"],))
        if isinstance(schema.get("enum"), list) and schema["enum"]:
            return OneOf(tuple(schema["enum"]))
        check_bounds(schema)
        for key in ("anyOf", "oneOf"):
            if isinstance(schema.get(key), list) and schema[key]:
                return OneOf(nodes=tuple(self.node(part, depth + 1) for part in schema[key]))
        if isinstance(schema.get("allOf"), list):
            return self.node(self._merged(schema, depth), depth + 1)
        kind = schema.get("type")
        if isinstance(kind, list) and kind:
            if len(kind) > _MOST_TYPES:
                raise refuse(
                    f"type lists {len(kind)} types, and JSON has {_MOST_TYPES}: name fewer"
                )
            self._room.enter(depth, len(schema))
            kinds = [{**schema, "type": name} for name in kind]
            return OneOf(nodes=tuple(self.node(part, depth + 1) for part in kinds))
        return self._typed(kind, schema, depth)

    def _typed(self, kind: Any, schema: Mapping[str, Any], depth: int) -> Node:
        if kind == "object" or (kind is None and "properties" in schema):
            return self._object(schema, depth)
        if kind == "array":
            return self._array(schema, depth)
        if kind in ("integer", "number"):
            return _numeric(kind, schema)
        if kind == "string":
            word = WORDS.get(str(schema.get("format", "string")).lower(), "string")
            lengths = (schema.get("minLength"), schema.get("maxLength"))
            pattern = schema.get("pattern")
            pattern = pattern if isinstance(pattern, str) else ""
            return ShapeLeaf(word, *lengths, _examples(schema, str), pattern)
        return ShapeLeaf(WORDS.get(str(kind), "string"))

    def _object(self, schema: Mapping[str, Any], depth: int) -> Node:
        properties = schema.get("properties")
        items = properties.items() if isinstance(properties, dict) else ()
        least = schema.get("minProperties")
        if least is not None and least > len(items):
            detail = f"minProperties = {least}, and the schema names {len(items)} properties"
            raise refuse(f"{detail}: name as many, or lower it")
        return Object(tuple((key, self.node(value, depth + 1)) for key, value in items))

    def _array(self, schema: Mapping[str, Any], depth: int) -> Node:
        stated = schema.get("minItems"), schema.get("maxItems")
        least = 1 if stated[0] is None else whole("minItems", stated[0])
        most = max(5, least) if stated[1] is None else whole("maxItems", stated[1])
        item = self.node(schema.get("items", {}), depth + 1)
        if not schema.get("uniqueItems"):
            return Array(item, min(least, most), most)
        different = choices(item)
        if stated[0] is not None and least > different:
            detail = f"minItems = {least} with uniqueItems, and there are only {different:g}"
            raise refuse(f"{detail} different items: lower minItems or allow more values")
        most = int(min(most, different))
        return Array(item, min(least, most), most, unique=True)

    def _resolve(self, reference: Any) -> Any:
        text = str(reference)
        if len(text) > _LONGEST_REFERENCE:
            rule = f"has at most {_LONGEST_REFERENCE:,} characters, and this one has {len(text):,}"
            raise refuse(f"$ref = {shown(text)}: a reference {rule}")
        target: Any = self._root
        for part in text.removeprefix("#").strip("/").split("/"):
            part = part.replace("~1", "/").replace("~0", "~")
            if part and not (isinstance(target, dict) and part in target):
                raise refuse(f"$ref = {shown(reference)} points to nothing in the schema")
            target = target[part] if part else target
        return target

    def _merged(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        """The schema with the members of its `allOf` beside its own."""
        merged: dict[str, Any] = {}
        properties: dict[str, Any] = {}
        own = {key: value for key, value in schema.items() if key != "allOf"}
        for part in (own, *schema["allOf"]):
            if isinstance(part, dict):
                named = part.get("properties")
                named = named if isinstance(named, dict) else {}
                self._room.enter(depth, len(part) + len(named))
                properties |= named
                merged |= part
        return merged | {"properties": properties} if properties else merged


def _numeric(kind: str, schema: Mapping[str, Any]) -> ShapeLeaf:
    word = "int" if kind == "integer" else "number"
    least, most = _stated("minimum", schema), _stated("maximum", schema)
    above, below = _stated("exclusiveMinimum", schema), _stated("exclusiveMaximum", schema)
    if above is not None:
        least = above + 1.0 if word == "int" else math.nextafter(above, math.inf)
    if below is not None:
        most = below - 1.0 if word == "int" else math.nextafter(below, -math.inf)
    check_range(word, least, most)
    return ShapeLeaf(word, least, most, _examples(schema, int if word == "int" else float))


def _examples(schema: Mapping[str, Any], kind: type) -> tuple[Any, ...]:
    """The examples of a schema's part, as far as they are of its kind."""
    many = schema.get("examples")
    given = [*(many if isinstance(many, list) else ()), schema.get("example")]
    kinds = (int, float) if kind is float else (kind,)
    return tuple(v for v in given[:20] if isinstance(v, kinds) and not isinstance(v, bool))


def _stated(key: str, schema: Mapping[str, Any]) -> float | None:
    value = schema.get(key)
    return None if value is None or isinstance(value, bool) else number(key, value)
