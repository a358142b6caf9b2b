"""What the fields of a shape have to do with each other, by its examples. Pure."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from router.records.catalogue.naming import words_of
from router.records.likeness.dates import DateForm
from router.records.likeness.links import (
    EmptyWhere,
    ListSum,
    SwitchAt,
    Template,
    is_named,
    is_number,
    is_on,
    switch_at,
)
from router.records.likeness.relations import Relation, relations_in
from router.records.likeness.styles import Style
from router.records.nodes import NUMBERS, Object, ShapeLeaf
from router.records.planned_field import PlannedField

_AMOUNTS = ("amount", "total", "subtotal")
# Numbers by which something is judged: of them, two examples show from where on it is so.
_JUDGED = frozenset(("grade", "score", "rating", "percentage", "share", "balance", "stock", "age"))
_COUNTING = frozenset(("items", "item", "lines", "articulos", "lineas", "count", "productos"))
_MEANS = frozenset(("media", "average", "avg", "mean", "final", "total", "promedio"))
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
    counts = [key for key, f in fields.items() if f.concept == "quantity"]
    if any(not _COUNTING & set(words_of(key)) for key in counts):
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


def switches_of(
    rows: Sequence[Mapping[str, Any]], fields: Mapping[str, PlannedField]
) -> dict[str, SwitchAt]:
    """The switches that are on from some number on, such as `passed` from a grade on."""
    made: dict[str, SwitchAt] = {}
    for key, own in fields.items():
        on = [is_on(row.get(key), own.style) for row in rows]
        if None in on or len(set(on)) != 2:
            continue
        for other, its in reversed(list(fields.items())):
            numbers = [row[other] for row in rows if is_number(row.get(other))]
            enough = its.concept in _JUDGED or len(rows) >= 5 or _MEANS & set(words_of(other))
            if not enough or len(numbers) < len(rows):
                continue
            if (switch := switch_at(other, list(zip(numbers, on, strict=True)))) is not None:
                made[key] = switch
                break
    return made


def templates_of(
    rows: Sequence[Mapping[str, Any]], fields: Mapping[str, PlannedField]
) -> dict[str, Template]:
    """The texts of the examples that name other fields of their record, each of them alike."""
    made: dict[str, Template] = {}
    for key in fields if len(rows) > 1 else ():
        others = [name for name in fields if name != key]
        named_in = [
            {name for name in others if is_named(row.get(name), row.get(key))} for row in rows[:20]
        ]
        shared = set.intersection(*named_in)
        if len(shared) > 1 and not any(key in its.parts for its in made.values()):
            texts = tuple((row[key], {name: row[name] for name in shared}) for row in rows[:20])
            made[key] = Template(tuple(sorted(shared)), texts)
    return made


def home_of(rows: Sequence[Mapping[str, Any]], fields: Mapping[str, PlannedField]) -> str:
    """The one country of the examples; empty if there are several, or too few examples."""
    keys = [key for key, f in fields.items() if f.concept in ("country", "country_code")]
    countries = {str(row[key]) for key in keys[:1] for row in rows if row.get(key)}
    return countries.pop() if len(countries) == 1 and len(rows) > 1 else ""


def postcodes_of(
    node: Object, rows: Sequence[Mapping[str, Any]], fields: Mapping[str, PlannedField]
) -> tuple[str, ...]:
    """The post codes of the examples, which say in which country they are."""
    keys = [key for key, f in fields.items() if f.concept == "postcode"]
    shown = [row.get(key) for key in keys for row in rows]
    for key, inner in node.fields:
        if key in keys and isinstance(inner, ShapeLeaf):
            shown += inner.examples
    return tuple(code for code in shown if isinstance(code, str))


def both_ends(rows: Sequence[Mapping[str, Any]], fields: Mapping[str, PlannedField]) -> int:
    """1 if the examples count both the first and the last day of what lasts some days, else 0."""
    keys = [
        next((k for k, f in fields.items() if f.concept == c), "") for c in ("start", "end", "days")
    ]
    if not all(keys):
        return 0
    start, end, days = keys
    spans = []
    for row in rows:
        first, last = (_moment(row.get(key), fields[key].style) for key in (start, end))
        if first is not None and last is not None and is_number(row.get(days)):
            spans.append(row[days] - (last.date() - first.date()).days)
    return int(bool(spans) and all(span == 1 for span in spans))


def _moment(value: Any, style: Style | None) -> dt.datetime | None:
    return style.read(value) if isinstance(style, DateForm) and isinstance(value, str) else None


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
