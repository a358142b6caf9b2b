"""What the fields of a shape have to do with each other, by its examples. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from router.records.likeness.links import EmptyWhere, ListSum, is_number
from router.records.likeness.relations import Relation, relations_in
from router.records.nodes import NUMBERS, Object, ShapeLeaf
from router.records.planned_field import PlannedField

_AMOUNTS = ("amount", "total", "subtotal")
_STATES = frozenset({"status", "order_status", "ticket_status", "payment_status", "active", "plan"})


def people(
    node: Object, rows: Sequence[Mapping[str, Any]], fields: Mapping[str, PlannedField]
) -> Iterator[dict[str, str]]:
    """The persons of the example records, and of the shape's own examples."""
    literal = {
        key: inner.examples[0]
        for key, inner in node.fields
        if isinstance(inner, ShapeLeaf) and inner.examples
    }
    for row in (literal, *rows):
        person = {
            fields[key].concept: value
            for key, value in row.items()
            if key in fields and isinstance(value, str)
        }
        name = person.get("name", "").split()
        first = person.get("first_name") or " ".join(name[:1])
        last = person.get("last_name") or " ".join(name[1:2])
        mine = {key: person[key] for key in ("email", "username") if person.get(key)}
        if mine:
            yield {"first": first, "last": last, **mine}


def sums_of(
    lists: Mapping[str, Mapping[str, str]], fields: Mapping[str, PlannedField]
) -> dict[str, ListSum]:
    """The total of an object with a list of lines, such as an order; `lists` has the fields of the
    lines by their concepts."""
    if any(f.concept == "quantity" for f in fields.values()):
        return {}
    for key, by_concept in lists.items():
        amount = next((by_concept[c] for c in _AMOUNTS if c in by_concept), "")
        price = next((by_concept[c] for c in ("unit_price", "price") if c in by_concept), "")
        parts: tuple[str, ...] = (amount,) if amount else ()
        if not amount and price:
            parts = (by_concept["quantity"], price) if "quantity" in by_concept else (price,)
        totals = {f.concept: name for name, f in fields.items()}
        target = next((totals[c] for c in ("subtotal", "total", "amount") if c in totals), "")
        if parts and target:
            return {target: ListSum(key, parts)}
    return {}


def emptiness(
    rows: Sequence[Mapping[str, Any]], fields: Mapping[str, PlannedField]
) -> dict[str, EmptyWhere]:
    """The fields that the examples leave empty, by the state of the record that goes with it."""
    made = {}
    for key in fields:
        blank = [row for row in rows if key in row and row[key] is None]
        filled = [row for row in rows if row.get(key) is not None]
        if not blank or not filled:
            continue
        for other, its in fields.items():
            if other == key or its.concept not in _STATES:
                continue
            empty = {str(row.get(other)) for row in blank}
            if not empty & {str(row.get(other)) for row in filled} and "None" not in empty:
                made[key] = EmptyWhere(other, frozenset(empty))
    return made


def relations_of(
    node: Object, rows: Sequence[Mapping[str, Any]], fields: Mapping[str, PlannedField]
) -> Mapping[str, Relation]:
    numeric = [
        key
        for key, inner in node.fields
        if isinstance(inner, ShapeLeaf) and inner.kind in NUMBERS and fields[key].concept != "year"
    ]
    literal = {key: inner.examples[0] for key, inner in _examples_of(node) if key in numeric}
    sets = [{k: v for k, v in row.items() if k in numeric and is_number(v)} for row in rows]
    if len(literal) == len(numeric):
        sets = [literal, *sets]
    whole = [row for row in sets if len(row) == len(numeric)][:40]
    relations = relations_in(whole, {key: fields[key].concept for key in numeric})
    return {relation.target: relation for relation in relations}


def _examples_of(node: Object) -> Iterator[tuple[str, ShapeLeaf]]:
    for key, inner in node.fields:
        if isinstance(inner, ShapeLeaf) and inner.examples and is_number(inner.examples[0]):
            yield key, inner
