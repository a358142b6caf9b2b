"""What a record's own free text says of the fields that the record lacks.

A description that names a colour, a price or a city says what stands in that field. Only what the
text states is read: not what it denies, asks, sets as a bound or says of the past; where it names
two, neither. Given values are left as they are.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from router.records.catalogue.tables import concepts
from router.records.effort import spend
from router.records.enriching.reading.stated import stated_value
from router.records.enriching.reading.words import Text, only, words_in
from router.records.nodes import Array, Node, Object, OneOf, ShapeLeaf
from router.records.planned_field import PlannedField
from router.records.planning import PlannedObject, RecordPlan

_FREE = words_in(
    "description product ticket_title ticket_body review bio note headline task expense claim "
    "comment property"
)
_NEVER = words_in("name first_name last_name address street company email website path")


@dataclass(frozen=True, slots=True)
class FieldRead:
    """A field that was read from a text of its record."""

    path: tuple[str | int, ...]
    source: str  # the field of the text


def with_read(
    record: Mapping[str, Any], node: Object, plan: RecordPlan
) -> tuple[dict[str, Any], list[FieldRead]]:
    """The record with the fields that its own texts state, and which these are."""
    read: list[FieldRead] = []
    made = _object(record, node, plan, (), (), read)
    return made, read


def _object(
    record: Mapping[str, Any],
    node: Object,
    plan: RecordPlan,
    around: tuple[tuple[str, Text], ...],
    path: tuple[str | int, ...],
    read: list[FieldRead],
) -> dict[str, Any]:
    own = tuple(_texts(record, node, plan))
    texts = own or around
    made = dict(record)
    planned = plan.of(node)
    missing = [key for key, _ in node.fields if key not in record]
    if texts and missing:
        spend(len(texts) + len(missing))
        wanted = frozenset(plan.field(node, key).concept for key in missing)
        for key in missing:
            inner = dict(node.fields)[key]
            if not isinstance(inner, ShapeLeaf | OneOf) or _stays_empty(key, planned, record):
                continue
            field = plan.field(node, key)
            value, source = _read(field, inner, wanted, texts)
            if source:
                made[key] = value
                read.append(FieldRead((*path, key), source))
    for key, inner in node.fields:
        if isinstance(inner, Object) and (key not in record or isinstance(record[key], Mapping)):
            before = len(read)
            held = _object(record.get(key, {}), inner, plan, texts, (*path, key), read)
            if key in record or len(read) > before:
                made[key] = held
        elif isinstance(inner, Array) and isinstance(record.get(key), list):
            made[key] = _items(record[key], inner, plan, (*path, key), read)
    return made


def _items(
    items: list[Any],
    node: Array,
    plan: RecordPlan,
    path: tuple[str | int, ...],
    read: list[FieldRead],
) -> list[Any]:
    """The items of a list; each reads its own texts only."""
    if not isinstance(node.item, Object):
        return items
    return [
        _object(item, node.item, plan, (), (*path, n), read) if isinstance(item, Mapping) else item
        for n, item in enumerate(items)
    ]


def _stays_empty(key: str, planned: PlannedObject, record: Mapping[str, Any]) -> bool:
    state = planned.empty.get(key)
    return state is not None and state.empty(record)


def _texts(record: Mapping[str, Any], node: Object, plan: RecordPlan) -> Iterator[tuple[str, Text]]:
    """The free texts of a record, with their fields."""
    for key, value in record.items():
        if isinstance(value, str) and len(value) > 5 and " " in value.strip():
            concept = plan.field(node, key).concept
            words = len(value.split())
            unknown = concept not in concepts() and words >= 3
            if concept not in _NEVER and (concept in _FREE or unknown or words >= 5):
                yield key, Text(value)


def _read(
    field: PlannedField, node: Node, wanted: frozenset[str], texts: tuple[tuple[str, Text], ...]
) -> tuple[Any, str]:
    """The value of a field and the field of its text; texts that say different things say none."""
    stated: list[tuple[Any, str]] = []
    for source, text in texts:
        spend(1 + len(text.tokens) // 50)
        value = stated_value(field, node, wanted, text)
        if value is not None:
            stated.append((value, source))
    value = only([value for value, _ in stated])
    return (value, stated[0][1]) if value is not None else (None, "")
