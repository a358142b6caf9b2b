"""The values that a missing field may have, the best first: what follows from the record, what the
examples show, what is typical."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from router.records.concepts import ORDERED, PLACE
from router.records.enriching.dates import AGES, SPANS, moment, moment_leaf
from router.records.enriching.facts import Facts
from router.records.enriching.forms import CATEGORIES, drawn, shown_options
from router.records.enriching.linked import linked_value
from router.records.enriching.money import AMOUNTS
from router.records.enriching.people import PEOPLE
from router.records.enriching.places import place_values
from router.records.enriching.states import STATES, states_of
from router.records.enriching.typical import rating_of, typical
from router.records.likeness.styles import Texts
from router.records.nodes import Node, ShapeLeaf
from router.records.planned_field import PlannedField
from router.records.planning import PERSONAL, PlannedObject

_DERIVED: Mapping[str, Callable[[Facts, Node], Any]] = {
    **PEOPLE,
    **AGES,
    **SPANS,
    **AMOUNTS,
}
# Identifiers with check digits: new ones are made by their rule, where that fits the examples.
_CHECKED = frozenset({"iban", "company_tax_id", "national_id", "isbn", "sku"})
# Concepts whose value follows from others only where one of these is known.
_GOVERNED = {
    "price": ("msrp", "cost", "subtotal", "amount"), "msrp": ("price", "unit_price", "cost"),
    "unit_price": ("subtotal", "amount", "msrp", "cost"), "age": ("birth_date", "birth_year"),
    "birth_date": ("age", "birth_year"), "birth_year": ("birth_date", "age"),
    "cost": ("price", "unit_price", "msrp"), "days": ("end",), "weeks": ("end",),
    "months": ("end",), "duration": ("end",),
    "body_weight": ("height",),
}  # fmt: skip


def candidates(
    field: PlannedField,
    planned: PlannedObject,
    node: Node,
    record: Mapping[str, Any],
    facts: Facts,
    index: int,
) -> Iterator[Any]:
    """Values that agree with the rest of the record; some may not fit the field."""
    yield from _following(field, planned, record, facts)
    yield from _one_of_few(field, planned, node, record, facts)
    name = field.concept
    governed = any(other in facts.values for other in _GOVERNED.get(name, ()))
    if name in PLACE and not _drawn_place(field):
        yield from place_values(facts, name, node, short=_in_two_letters(field))
    elif name in _DERIVED and (name not in _GOVERNED or governed):
        value = _DERIVED[name](facts, node)
        if value is not None:
            yield value
    elif name not in _DERIVED and (_is_ordered(name, node) or moment_leaf(node)):
        yield moment(facts, name, node, field.window)
    yield from alone(field, facts, 0, index)
    if name in _DERIVED and name in _GOVERNED:
        value = _DERIVED[name](facts, node)
        if value is not None:
            yield value
    if name in PLACE:
        yield from place_values(facts, name, node, short=_in_two_letters(field))


def alone(field: PlannedField, facts: Facts, number: int, index: int) -> Iterator[Any]:
    """Values of a field that depend on no other; `number` counts the values of a list."""
    if field.concept in _CHECKED:
        yield typical(field, facts, index)
    value = drawn(field, facts, index + number)
    if value is not None:
        yield value
    value = typical(field, facts, index)
    if value is not None:
        yield value


def _following(
    field: PlannedField, planned: PlannedObject, record: Mapping[str, Any], facts: Facts
) -> Iterator[Any]:
    """Values that follow from others of the record as they do in the examples."""
    linked = linked_value(field, planned, record)
    if linked is not None:
        yield linked
    switch, template = planned.switches.get(field.key), planned.sentences.get(field.key)
    state = switch.value(record) if switch is not None else None
    if state is not None:
        yield state
    text = template.write(record, facts.random) if template is not None else None
    if text is not None:
        yield text
    if field.slot in facts.values:
        yield facts.values[field.slot]


def _one_of_few(
    field: PlannedField,
    planned: PlannedObject,
    node: Node,
    record: Mapping[str, Any],
    facts: Facts,
) -> Iterator[Any]:
    """States, stars and other values of which there are few."""
    if field.concept in STATES and (states := states_of(field, node, planned, record)):
        yield facts.random.choice(states)
    if field.concept == "rating" and (stars := rating_of(facts, field)) is not None:
        yield stars
    if field.concept in CATEGORIES and (options := shown_options(field)):
        yield facts.random.choice(options)


def _is_ordered(concept: str, node: Node) -> bool:
    return (
        isinstance(node, ShapeLeaf)
        and any(concept in pair for pair in ORDERED)
        and concept not in PERSONAL
    )


def _in_two_letters(field: PlannedField) -> bool:
    texts = field.style.texts if isinstance(field.style, Texts) else ()
    return bool(texts) and all(len(text) == 2 and text.isupper() for text in texts)


def _drawn_place(field: PlannedField) -> bool:
    """Whether a field of a place is drawn by its examples, such as a second city of a record."""
    return field.slot != field.concept and field.concept in ("city", "latitude", "longitude")
