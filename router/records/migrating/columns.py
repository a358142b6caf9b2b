"""The fields of a source and of a target, each with its path. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from router.records.catalogue.naming import language_of
from router.records.migrating.fields import Column, Leaf
from router.records.migrating.meaning import KeyPath
from router.records.migrating.steps import is_missing
from router.records.migrating.to_moments import certain_order

_DEEPEST = 12
_MOST_COLUMNS = 500


def columns(records: Sequence[Any]) -> list[Column]:
    """The fields of all records, in the order in which they first appear."""
    values: dict[KeyPath, list[Any]] = {}
    for record in records:
        if isinstance(record, Mapping):
            for path, value in _leaves(record, ()):
                if path in values or len(values) < _MOST_COLUMNS:
                    values.setdefault(path, []).append(value)
    names = [language_of(path[-1]) for path in values]
    spanish = names.count("es") > names.count("en")
    kept = {path: _kept(given) for path, given in values.items()}
    orders = {order for given in kept.values() if (order := certain_order(given))}
    order = orders.pop() if len(orders) == 1 else ""
    return [Column(path, given, spanish, order) for path, given in kept.items()]


def _kept(values: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(value for value in values if not is_missing(value))


def _leaves(record: Mapping[str, Any], above: KeyPath) -> Iterator[tuple[KeyPath, Any]]:
    for key, value in record.items():
        path = (*above, key)
        if isinstance(value, Mapping) and value and len(path) < _DEEPEST:
            yield from _leaves(value, path)
        else:
            yield path, value


def resolved(schema: Any, root: Mapping[str, Any], depth: int = 0) -> dict[str, Any]:
    """A part of a schema with its references followed, and its null left aside."""
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        return {}
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference.startswith("#"):
        target: Any = root
        for part in reference.removeprefix("#").strip("/").split("/"):
            part = part.replace("~1", "/").replace("~0", "~")
            target = target.get(part, {}) if isinstance(target, Mapping) and part else target
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        return resolved(target, root, depth + 1) | rest
    for key in ("anyOf", "oneOf"):
        options = schema.get(key)
        if isinstance(options, list):
            real = [o for o in options if isinstance(o, Mapping) and o.get("type") != "null"]
            if len(real) == 1:
                return resolved(real[0], root, depth + 1)
    made = dict(schema)
    if isinstance(made.get("items"), Mapping):
        made["items"] = resolved(made["items"], root, depth + 1)
    return made


def leaves(schema: Mapping[str, Any], root: Mapping[str, Any]) -> list[Leaf]:
    """The fields of a target that are no objects, in the order of the schema."""
    return list(_target(resolved(schema, root), root, (), required=True))


def _target(
    schema: Mapping[str, Any], root: Mapping[str, Any], above: KeyPath, *, required: bool
) -> Iterator[Leaf]:
    properties = schema.get("properties")
    if not isinstance(properties, Mapping) or len(above) >= _DEEPEST:
        if above:
            yield Leaf(above, schema, required)
        return
    wanted = schema.get("required", [])
    for key, part in properties.items():
        needed = required and key in wanted
        yield from _target(resolved(part, root), root, (*above, key), required=needed)
