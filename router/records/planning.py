"""What the fields of a shape mean, and how their values look: decided before records are made.

A field's concept comes from the words of its name, from what its examples look like, from the
fields beside it (`title` of an employee is a job), and, where all this says nothing, from a
sentence encoder.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from router.records.catalogue.naming import Named, language_of, named, words_of
from router.records.catalogue.senses import entity_of, in_entity
from router.records.catalogue.tables import concepts, plain, sections_of
from router.records.concepts import ELSEWHERE, PLACE
from router.records.likeness.dates import DateForm
from router.records.likeness.handles import Form, form_of
from router.records.likeness.links import EmptyWhere, ListSum, SwitchAt, Template
from router.records.likeness.relations import Relation
from router.records.likeness.styles import Style, pattern_concept, style_of
from router.records.nodes import NUMBERS, Array, Node, Object, OneOf, ShapeLeaf
from router.records.planned_field import PlannedField
from router.records.planned_links import (
    both_ends,
    emptiness,
    home_of,
    people,
    postcodes_of,
    relations_of,
    sums_of,
    switches_of,
    templates_of,
)

# Gives the concept whose names are nearest in meaning to some words, of those with a form.
Sense = Callable[[str, str], str]
_MOMENTS = frozenset({"date", "datetime", "time"})
# Kinds of leaves that name a concept themselves.
_KINDS = {
    "name": "name", "first_name": "first_name", "last_name": "last_name", "email": "email",
    "username": "username", "phone": "phone", "city": "city", "state": "region",
    "country": "country", "postcode": "postcode", "address": "address", "street": "street",
    "company": "company", "job": "job", "color": "color", "currency": "currency", "url": "website",
    "uuid": "uuid", "ipv4": "ip", "latitude": "latitude", "longitude": "longitude",
    "price": "price",
}  # fmt: skip
_HERE = frozenset(("origin", "from", "pickup", "source", "origen", "salida", "sender", "remitente"))
_THERE = frozenset(("destination", "dest", "to", "dropoff", "destino", "llegada", "recipient"))
_NAMES = frozenset({"name", "first_name", "last_name"})
PERSONAL = frozenset(
    {
        *("name", "first_name", "last_name", "email", "username", "phone", "gender"),
        *("honorific", "birth_date", "age", "bio"),
    }
)


@dataclass(frozen=True, slots=True)
class PlannedObject:
    fields: Mapping[str, PlannedField]
    relations: Mapping[str, Relation] = field(default_factory=dict)
    entity: str = ""
    sums: Mapping[str, ListSum] = field(default_factory=dict)  # totals of a list, by their fields
    empty: Mapping[str, EmptyWhere] = field(default_factory=dict)
    switches: Mapping[str, SwitchAt] = field(default_factory=dict)
    sentences: Mapping[str, Template] = field(default_factory=dict)  # texts that name other fields
    home: str = ""  # the country of all examples
    postcodes: tuple[str, ...] = ()  # of the examples
    both_ends: int = 0  # 1 where days count the first and the last, as the examples do


@dataclass(slots=True)
class RecordPlan:
    """The plan of every object of a shape, by the identity of its node."""

    language: str
    form: Form | None = None  # how names become user names and addresses
    objects: dict[int, PlannedObject] = field(default_factory=dict)
    leaves: dict[int, PlannedField] = field(default_factory=dict)  # of lists of single values

    def of(self, node: Object) -> PlannedObject:
        return self.objects.get(id(node)) or _EMPTY

    def field(self, node: Object, key: str) -> PlannedField:
        planned = self.of(node).fields.get(key)
        if planned is None:
            planned = PlannedField(key, named(key).concept or plain(key), self.language, slot="")
        return planned


_EMPTY = PlannedObject({})


def planned(
    node: Node,
    *,
    examples: Sequence[Any] = (),
    words: str = "",
    language: str = "",
    sense: Sense | None = None,
) -> RecordPlan:
    """The plan of a shape; `words` are what the caller wrote beside it."""
    rows = [row for row in examples if isinstance(row, Mapping)]
    spoken = _language(node, rows) or language or "en"
    plan = RecordPlan(spoken)
    _plan(node, rows, words, plan, sense, "")
    return plan


def _plan(
    node: Node, rows: Sequence[Any], words: str, plan: RecordPlan, sense: Sense | None, holder: str
) -> None:
    while isinstance(node, Array):
        items = [item for row in rows if isinstance(row, list) for item in row]
        rows = items or [row for row in rows if isinstance(row, Mapping)]
        node = node.item
    if isinstance(node, OneOf):
        for part in node.nodes:
            _plan(part, rows, words, plan, sense, holder)
        return
    if not isinstance(node, Object):
        return
    rows = [row for row in rows if isinstance(row, Mapping)]
    plan.objects[id(node)] = _object(node, rows, words, plan, sense, holder)
    for key, inner in node.fields:
        nested = [row[key] for row in rows if key in row]
        if isinstance(inner, Array) and not isinstance(_item(inner), Object):
            flat = [v for value in nested if isinstance(value, list) for v in value]
            leaf = _item(inner)
            plan.leaves[id(inner)] = _field(key, leaf, flat, plan, sense)
        _plan(inner, nested, "", plan, sense, key)


def _item(node: Node) -> Node:
    while isinstance(node, Array):
        node = node.item
    return node


def _object(
    node: Object,
    rows: Sequence[Mapping[str, Any]],
    words: str,
    plan: RecordPlan,
    sense: Sense | None,
    holder: str,
) -> PlannedObject:
    fields = {}
    for key, inner in node.fields:
        values = [row[key] for row in rows if key in row]
        fields[key] = _field(key, inner, values, plan, sense)
    entity = entity_of([f.concept for f in fields.values()], f"{holder} {words}")
    persons = {named(key).role for key, f in fields.items() if f.concept in PERSONAL}
    owner = _owner(fields)
    leads_away = any(_HERE & set(words_of(key)) for key, f in fields.items() if f.concept in PLACE)
    changed = {}
    used: set[str] = set()
    for key, inner in node.fields:
        own = fields[key]
        if not own.style or not _sure(own, inner):
            concept = in_entity(own.concept, entity, key, frozenset(fields))
            if concept != own.concept:
                values = [row[key] for row in rows if key in row]
                own = _styled(key, concept, inner, values, plan)
        role = named(key).role if own.concept in PERSONAL and len(persons) > 1 else ""
        role = "" if role == owner else role
        if own.concept in PLACE and leads_away and _THERE & set(words_of(key)):
            role = ELSEWHERE
        slot = own.concept if own.concept not in used else f"{own.concept} of {key}"
        used.add(own.concept if not role else "")
        changed[key] = replace(own, role=role, slot=slot)
    plan.form = plan.form or form_of(people(node, rows, changed))
    lists = {
        key: {_field(name, its, (), plan, None).concept: name for name, its in lines.item.fields}
        for key, lines in node.fields
        if isinstance(lines, Array) and isinstance(lines.item, Object)
    }
    sums = sums_of(lists, changed)
    relations = {k: r for k, r in relations_of(node, rows, changed).items() if k not in sums}
    blank = emptiness(rows, changed)
    return PlannedObject(
        changed,
        relations,
        entity,
        sums,
        blank,
        switches_of(rows, changed),
        templates_of(rows, changed),
        home_of(rows, changed),
        postcodes_of(node, rows, changed),
        both_ends(rows, changed),
    )


def _owner(fields: Mapping[str, PlannedField]) -> str:
    """The one whose name a record gives under a role, where other fields say no role: the `email`
    beside `customer` is the customer's."""
    named_roles = {named(key).role for key, f in fields.items() if f.concept in _NAMES}
    return named_roles.pop() if len(named_roles) == 1 else ""


def _sure(planned_field: PlannedField, node: Node) -> bool:
    return isinstance(node, ShapeLeaf) and node.kind in _KINDS and bool(planned_field.concept)


def _field(
    key: str, node: Node, values: Sequence[Any], plan: RecordPlan, sense: Sense | None
) -> PlannedField:
    leaf = node if isinstance(node, ShapeLeaf) else None
    name = named(key)
    if leaf is not None and leaf.kind in _KINDS:
        specific = name.concept and _KINDS[leaf.kind] in (name.concept, "name", "website")
        concept = name.concept if specific and _suits(name.concept, node) else _KINDS[leaf.kind]
        return _styled(key, concept, node, values, plan)
    given = _given(node, values)
    concept = name.concept if _suits(name.concept, node, given) else ""
    if not concept and leaf is not None and leaf.kind in NUMBERS:
        concept = _ASNUMBERS.get(name.concept, "")
    by_pattern = pattern_concept([v for v in given if isinstance(v, str)])
    if by_pattern and concept not in _OF_PATTERN.get(by_pattern, (by_pattern,)):
        concept = by_pattern
    if not concept or _belied(concept, given):
        concept = _by_values(given) or concept
    shown = {v for v in given if isinstance(v, str) and not any(c.isdigit() for c in v)}
    if not concept and sense is not None and _wordy(node) and len(shown) < 2:
        concept = sense(key, _form(node))
    if not concept and name.concept and leaf is not None and leaf.kind in NUMBERS:
        concept = _numeric_stand_in(name)
    if concept and set(words_of(key)) <= _NEUTRAL and given and _are_numbers(given):
        concept = ""  # the examples alone say what such numbers are
    return _styled(key, concept or plain(key), node, values, plan)


_NEUTRAL = frozenset(("value", "val", "number", "num", "n", "valor", "numero", "x", "level"))


def _are_numbers(given: Sequence[Any]) -> bool:
    return all(isinstance(value, int | float) for value in given)


_OF_PATTERN = {
    "website": ("website", "image_url"), "uuid": ("uuid", "token"), "phone": ("phone",),
    "email": ("email", "username"),
}  # fmt: skip


# What a name that is mostly a text means where it is a number.
_ASNUMBERS = {
    "unit": "unit_price", "availability": "stock", "plan": "price", "review": "rating",
    "category": "count", "ticket_status": "count", "size": "area", "expense": "amount",
    "shipping_method": "shipping_cost", "claim": "amount", "insurance": "amount",
    "payment_method": "amount", "time": "hours", "answer_choice": "rating",
}  # fmt: skip


def _wordy(node: Node) -> bool:
    return isinstance(node, ShapeLeaf) and node.kind not in ("bool", "null")


def _numeric_stand_in(name: Named) -> str:
    """A number under the name of a thing counts such things, or numbers them."""
    if concepts()[name.concept].name in ("order_id", "invoice_number", "ticket_id", "customer_id"):
        return name.concept
    return "count"


def _styled(
    key: str, concept: str, node: Node, values: Sequence[Any], plan: RecordPlan
) -> PlannedField:
    making = concepts()[concept].making if concept in concepts() else ""
    style = style_of(_given(node, values), concept if making else "", making)
    language = language_of(key) or plan.language
    return PlannedField(
        key, concept, language, style, "", concept, _window(concept, style, node, values)
    )


def _window(
    concept: str, style: Style | None, node: Node, values: Sequence[Any]
) -> tuple[dt.datetime, dt.datetime] | None:
    """The time near the dates of the examples: half a year around one, less around many."""
    if not isinstance(style, DateForm) or style.of_day:
        return None
    read = (style.read(text) for text in _given(node, values) if isinstance(text, str))
    moments = [moment for moment in read if moment is not None]
    if not moments:
        return None
    first, last = min(moments), max(moments)
    days = 5_000 if concept == "birth_date" else 90 if len(values) < 2 else 21
    around = max((last - first) / 2, dt.timedelta(days=days))
    return first - around, last + around


def _given(node: Node, values: Sequence[Any]) -> list[Any]:
    """The examples of a field, each once: those of the shape, then those of example records."""
    own = node.examples if isinstance(node, ShapeLeaf) else ()
    some = [*own, *values][:200]
    numbers = any(isinstance(v, int | float) and not isinstance(v, bool) for v in some)
    if numbers and len(values) > 0:
        return list(dict.fromkeys(v for v in some if isinstance(v, int | float)))
    return list(dict.fromkeys(v for v in some if isinstance(v, str | int | float)))


def _form(node: Node) -> str:
    kind = node.kind if isinstance(node, ShapeLeaf) else ""
    if kind in NUMBERS:
        return "number"
    return "moment" if kind in _MOMENTS else "bool" if kind == "bool" else "text"


def _suits(concept: str, node: Node, given: Sequence[Any] = ()) -> bool:
    """Whether a field of this kind can hold the concept."""
    if concept not in concepts():
        return False
    if not isinstance(node, ShapeLeaf):
        return True
    wanted, form = _form(node), concepts()[concept].form
    if wanted == "number":
        ids = ("order_id", "invoice_number", "ticket_id", "customer_id", "id", "http_status", "ean")
        return form == "number" or concept in ids or concepts()[concept].making.startswith("number")
    if wanted == "moment":
        return form == "moment"
    if wanted == "bool":
        return form == "bool"
    if form == "number":  # `"price": "$19.99"` is a price
        return not given or any(any(letter.isdigit() for letter in str(v)) for v in given)
    return True


def _belied(concept: str, given: Sequence[Any]) -> bool:
    """Whether no example is among the shipped values of a concept that has a list of them."""
    section = concepts()[concept].making.removeprefix("pick ")
    texts = [value for value in given if isinstance(value, str)]
    listed = concepts()[concept].making.startswith("pick")
    return listed and bool(texts) and not any(section in sections_of(text) for text in texts)


def _by_values(given: Sequence[Any]) -> str:
    """The concept whose values hold these texts, if there is such a concept."""
    shared: frozenset[str] | None = None
    for value in given:
        if isinstance(value, str):
            here = sections_of(value)
            shared = here if shared is None else shared & here
    for concept in concepts().values():
        if shared and (concept.making.removeprefix("pick ") in shared or concept.name in shared):
            return concept.name
    return ""


def _language(node: Node, rows: Sequence[Mapping[str, Any]]) -> str:
    """Spanish where more names and examples are Spanish than English; empty if nothing says so."""
    spanish = english = 0
    for key, inner in _leaves(node):
        language = language_of(key)
        spanish += 2 * (language == "es")
        english += 2 * (language == "en")
        for text in (v for v in _given(inner, ()) if isinstance(v, str)):
            spanish += _looks_spanish(text)
    for row in rows[:20]:
        spanish += sum(_looks_spanish(v) for v in row.values() if isinstance(v, str))
    return "es" if spanish > english else "en" if english else ""


def _looks_spanish(text: str) -> int:
    marks = any(letter in "áéíóúñ¿¡" for letter in text.lower())
    small = {"de", "el", "la", "los", "las", "del", "y", "en", "con", "para"}
    return int(marks) + int(len(small & set(text.lower().split())) >= 1)


def _leaves(node: Node) -> Iterator[tuple[str, Node]]:
    if isinstance(node, Object):
        for key, inner in node.fields:
            yield key, inner
            yield from _leaves(inner)
    elif isinstance(node, Array):
        yield from _leaves(node.item)
