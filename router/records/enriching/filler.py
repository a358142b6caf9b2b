"""Fills the missing fields of records, so that every new value agrees with the given values.

No given value changes, not even null, and the same arguments give the same result. Given values may
still disagree with each other. New values look like the examples of the shape, or else are typical
of what the field means (`router.records.planning`).
"""

import datetime as dt
import random
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

import orjson
from faker import Faker

from router.records.catalogue.naming import words_of
from router.records.concepts import PLACE
from router.records.effort import spend
from router.records.enriching.agreeing import agree
from router.records.enriching.candidates import alone, candidates
from router.records.enriching.facts import Facts
from router.records.enriching.fitting import fits
from router.records.enriching.forms import canonical_of, in_form
from router.records.enriching.linked import shares
from router.records.enriching.money import settle
from router.records.enriching.places import home_of
from router.records.enriching.reading.denials import denies
from router.records.enriching.states import (
    closing,
    may_be_null,
    stays_open,
)
from router.records.mock import Maker
from router.records.nodes import Array, Node, Object
from router.records.planning import PlannedObject, RecordPlan, planned

# A concept comes before the concepts that are derived from it.
_ORDER = (
    "gender", "honorific", "name", "first_name", "last_name", "username", "species", "company",
    "domain", "website", "email", "birth_date", "age", "birth_year", "hired", "product",
    "category", "msrp", "unit_price", "price", "cost", "discount", "quantity", "start", "days",
    "weeks", "months", "duration", "subtotal", "amount", "tax_rate", "tax", "shipping_cost",
    "total", "min", "max", "created", "ordered", "response", "shipped", "delivered", "paid",
    "updated", "end", "terminated", "cancelled", "due", "days_late", "date", "next_date",
    "height", "body_weight", "ticket_title", "review", "rating",
)  # fmt: skip
_PERCENT = frozenset(("pct", "percent", "percentage", "porcentaje", "rate", "pc"))
_AFTER_CLOSING = frozenset(("resolution_hours",))  # they follow from a date that may be null
_DRAWS = 6  # of a value that a text of the record denies
_RANK = {name: rank for rank, name in enumerate(_ORDER)}


def enriched(
    records: Sequence[Mapping[str, Any]],
    node: Node,
    *,
    seed: int,
    fake: Faker,
    as_of: dt.date,
    plan: RecordPlan | None = None,
    first: int = 0,
) -> list[dict[str, Any]]:
    """Fill every field of the shape in each record, in the order of the shape. `first` is the
    number of the first record where they are made in parts."""
    plan = plan or planned(node, examples=records)
    series = random.Random(seed).randrange(5_000)
    made = []
    for index, record in enumerate(records, first):
        spend()
        content = orjson.dumps([seed, index, record], option=orjson.OPT_SORT_KEYS)
        own_seed = int.from_bytes(blake2b(content, digest_size=7).digest(), "big")
        facts = Facts(Maker(fake, own_seed), random.Random(own_seed), as_of)
        facts.language, facts.series, facts.form = plan.language, series, plan.form
        made.append(_Filling(plan, index).filled(record, node, facts))
    return made


class _Filling:
    """Fills one record."""

    def __init__(self, plan: RecordPlan, index: int) -> None:
        self._plan, self._index = plan, index

    def filled(self, record: Mapping[str, Any], node: Node, facts: Facts) -> dict[str, Any]:
        self._collect(record, node, facts)
        settle(facts)
        return self._object(record, node, facts)

    def _collect(self, record: Any, node: Node, facts: Facts) -> None:
        """Store the values that the record gives, and what the shape allows for each concept."""
        holder = node if isinstance(node, Object) else Object(())
        own = self._plan.of(holder)
        facts.entity = facts.entity or own.entity
        facts.home = facts.home or home_of([k for k, _ in holder.fields], own.home, own.postcodes)
        if isinstance(record, Mapping):
            for key, value in record.items():
                if isinstance(value, Mapping):
                    inner = dict(holder.fields).get(key, Object(()))
                    self._collect(value, inner, facts)
                elif value is not None and not isinstance(value, list):
                    field = self._plan.field(holder, key)
                    plain_value = canonical_of(field, value)
                    facts.of(field.role).values.setdefault(field.slot or field.concept, plain_value)
        for key, inner in holder.fields:
            field = self._plan.field(holder, key)
            if isinstance(inner, Object):
                given = record.get(key) if isinstance(record, Mapping) else None
                self._collect(given or {}, inner, facts)
            else:
                facts.of(field.role).nodes.setdefault(field.slot, inner)

    def _object(self, record: Mapping[str, Any], node: Node, facts: Facts) -> dict[str, Any]:
        if not isinstance(node, Object):
            return dict(record)
        fields = dict(node.fields)
        new: dict[str, Any] = {}
        own = self._plan.of(node)
        facts.both_ends, facts.money_off = own.both_ends, _takes_money_off(own)
        for key in self._order(node):
            if key not in record and key not in new:
                new[key] = self._missing(key, node, {**record, **new}, facts)
        made = {
            key: new[key] if key in new else self._given(record[key], inner, facts)
            for key, inner in fields.items()
        }
        agree(made, frozenset(new), node, self._plan.of(node), facts.random)
        return made | {key: value for key, value in record.items() if key not in made}

    def _order(self, node: Object) -> list[str]:
        """The fields in the order in which they are made: what follows from others comes last."""
        own = self._plan.of(node)

        def rank(key: str, inner: Node) -> tuple[int, int]:
            if key in own.switches or key in own.sentences:
                return (3, 0)
            if may_be_null(inner) and closing(self._plan.field(node, key)):
                return (1, 0)  # after the status, which says whether it is empty
            if self._plan.field(node, key).concept in _AFTER_CLOSING:
                return (1, 1)
            relation = own.relations.get(key)
            if relation is not None:
                return (2, sum(part in own.relations for part in relation.parts))
            if isinstance(inner, Array) or own.sums.get(key):
                return (0, -1 if own.sums.get(key) else -2)
            return (0, _RANK.get(self._plan.field(node, key).concept, len(_RANK)))

        return [key for key, _ in sorted(node.fields, key=lambda item: rank(*item))]

    def _given(self, value: Any, node: Node, facts: Facts) -> Any:
        """Keep a given value, and add the missing fields of its objects."""
        spend()
        if isinstance(value, Mapping) and isinstance(node, Object):
            return self._object(value, node, facts)
        if isinstance(value, list) and isinstance(node, Array) and isinstance(node.item, Object):
            return [
                self._part(item, node.item, n, facts) if isinstance(item, Mapping) else item
                for n, item in enumerate(value)
            ]
        return value

    def _part(
        self, item: Mapping[str, Any], node: Node, index: int, facts: Facts
    ) -> dict[str, Any]:
        """Fill an object in a list; it shares only the place of the record around it."""
        here = {key: value for key, value in facts.values.items() if key in PLACE}
        own = Facts(facts.maker, facts.random, facts.as_of, here, {}, facts.place, facts.language)
        own.series, own.form, own.both_ends = facts.series, facts.form, 0
        return _Filling(self._plan, index).filled(item, node, own)

    def _missing(self, key: str, holder: Object, record: Mapping[str, Any], facts: Facts) -> Any:
        spend()
        node = dict(holder.fields)[key]
        if isinstance(node, Object):
            return self._object({}, node, facts)
        if isinstance(node, Array):
            return self._list(key, node, facts)
        field = self._plan.field(holder, key)
        own = facts.of(field.role)
        planned_object = self._plan.of(holder)
        if (state := planned_object.empty.get(key)) is not None and state.empty(record):
            return None
        if may_be_null(node) and stays_open(field, planned_object, record):
            return None
        if (shared := shares(key, planned_object, record, facts)) is not None:
            return in_form(shared, field, node)
        for _ in range(_DRAWS):
            for value in candidates(field, planned_object, node, record, own, self._index):
                written = in_form(value, field, node)
                if fits(written, node) and not denies(record, written):
                    own.values[field.slot] = value
                    return written
            value = own.maker.make(node, key, self._index)
            if not denies(record, value):
                break
        own.values.setdefault(field.slot, value)
        return value

    def _list(self, key: str, node: Array, facts: Facts) -> Any:
        count = facts.random.randint(node.least, node.most)
        if isinstance(node.item, Object):
            return [self._part({}, node.item, n, facts) for n in range(count)]
        field = self._plan.leaves.get(id(node))
        if field is None or isinstance(node.item, Array):
            return facts.maker.make(node, key, self._index)
        made: list[Any] = []
        for n in range(count * 4 if count else 0):
            spend()
            value = next((v for v in alone(field, facts, n, self._index) if v is not None), None)
            value = None if value is None else in_form(value, field, node.item)
            if value is None or not fits(value, node.item):
                return facts.maker.make(node, key, self._index)
            if value not in made:
                made.append(value)
            if len(made) == count:
                return made
        return made if len(made) >= node.least else facts.maker.make(node, key, self._index)


def _takes_money_off(planned: PlannedObject) -> bool:
    """Whether the discount of a sum over lines is an amount: its name speaks of no percentage."""
    keys = [key for key, field in planned.fields.items() if field.concept == "discount"]
    return bool(planned.sums) and any(not _PERCENT & set(words_of(key)) for key in keys)
