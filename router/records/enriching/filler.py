"""Fills the missing fields of records, so that every new value agrees with the given values.

No given value changes, not even null, and the same arguments give the same result. Given values may
still disagree with each other.
"""

import datetime as dt
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any

import orjson
from faker import Faker

from router.records.concepts import ORDERED, PLACE, concept
from router.records.effort import spend
from router.records.enriching.dates import AGES, moment
from router.records.enriching.facts import Facts
from router.records.enriching.fitting import fits, in_form
from router.records.enriching.money import AMOUNTS, settle
from router.records.enriching.people import PEOPLE
from router.records.enriching.places import place_values
from router.records.mock import Maker
from router.records.nodes import Array, Node, Object

_DERIVED: Mapping[str, Callable[[Facts, Node], Any]] = {**PEOPLE, **AGES, **AMOUNTS}
# A concept comes before the concepts that are derived from it.
_ORDER = (
    "name", "first_name", "last_name", "username", "company", "domain", "website", "email",
    "birth_date", "age", "birth_year", "hired", "msrp", "unit_price", "price", "cost",
    "discount", "quantity", "subtotal", "amount", "tax", "total", "min", "max", "start", "end",
    "created", "updated", "ordered", "shipped", "delivered",
)  # fmt: skip
_RANK = {name: rank for rank, name in enumerate(_ORDER)}


def enriched(
    records: Sequence[Mapping[str, Any]], node: Node, *, seed: int, fake: Faker, as_of: dt.date
) -> list[dict[str, Any]]:
    """Fill every field of the shape in each record, in the order of the shape."""
    made = []
    for index, record in enumerate(records):
        spend()
        content = orjson.dumps([seed, index, record], option=orjson.OPT_SORT_KEYS)
        own_seed = int.from_bytes(blake2b(content, digest_size=7).digest(), "big")
        facts = Facts(Maker(fake, own_seed), random.Random(own_seed), as_of)
        made.append(_filled(record, node, index, facts))
    return made


def _filled(record: Mapping[str, Any], node: Node, index: int, facts: Facts) -> dict[str, Any]:
    _collect(record, node, facts)
    settle(facts)
    return _object(record, node, index, facts)


def _collect(record: Any, node: Node, facts: Facts) -> None:
    """Store the values that the record gives, and what the shape allows for each concept."""
    if isinstance(record, Mapping):
        for key, value in record.items():
            if isinstance(value, Mapping):
                _collect(value, Object(()), facts)
            elif value is not None and not isinstance(value, list):
                facts.values.setdefault(concept(key), value)
    for key, inner in node.fields if isinstance(node, Object) else ():
        if isinstance(inner, Object):
            given = record.get(key) if isinstance(record, Mapping) else None
            _collect(given or {}, inner, facts)
        else:
            facts.nodes.setdefault(concept(key), inner)


def _object(record: Mapping[str, Any], node: Node, index: int, facts: Facts) -> dict[str, Any]:
    if not isinstance(node, Object):
        return dict(record)
    fields = dict(node.fields)
    order = sorted(fields, key=lambda key: _RANK.get(concept(key), len(_RANK)))
    new = {key: _missing(key, fields[key], index, facts) for key in order if key not in record}
    made = {
        key: new[key] if key in new else _given(record[key], inner, index, facts)
        for key, inner in node.fields
    }
    return made | {key: value for key, value in record.items() if key not in made}


def _given(value: Any, node: Node, index: int, facts: Facts) -> Any:
    """Keep a given value, and add the missing fields of its objects."""
    spend()
    if isinstance(value, Mapping) and isinstance(node, Object):
        return _object(value, node, index, facts)
    if isinstance(value, list) and isinstance(node, Array) and isinstance(node.item, Object):
        return [
            _part(item, node.item, n, facts) if isinstance(item, Mapping) else item
            for n, item in enumerate(value)
        ]
    return value


def _part(item: Mapping[str, Any], node: Node, index: int, facts: Facts) -> dict[str, Any]:
    """Fill an object in a list; it shares only the place of the record around it."""
    here = {key: value for key, value in facts.values.items() if key in PLACE}
    own = Facts(facts.maker, facts.random, facts.as_of, here, {}, facts.place)
    return _filled(item, node, index, own)


def _missing(key: str, node: Node, index: int, facts: Facts) -> Any:
    spend()
    if isinstance(node, Object):
        return _object({}, node, index, facts)
    if isinstance(node, Array):
        if isinstance(node.item, Object):
            count = facts.random.randint(node.least, node.most)
            return [_part({}, node.item, n, facts) for n in range(count)]
        return facts.maker.make(node, key, index)
    name = concept(key)
    for value in _candidates(name, node, facts):
        if fits(value, node):
            facts.values[name] = value
            return value
    value = facts.maker.make(node, key, index)
    facts.values.setdefault(name, value)
    return value


def _candidates(name: str, node: Node, facts: Facts) -> Iterator[Any]:
    """Values that agree with the rest of the record, the best first; some may not fit the shape."""
    if name in facts.values:
        yield in_form(facts.values[name], node)
    if name in PLACE:
        yield from place_values(facts, name, node)
    elif name in _DERIVED:
        value = _DERIVED[name](facts, node)
        if value is not None:
            yield in_form(value, node)
    elif any(name in pair for pair in ORDERED):
        yield moment(facts, name, node)
