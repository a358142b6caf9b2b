"""Requests for records that come with a check of what must hold of the answer."""

import datetime as dt
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from router.records.enriching.atlas import place_named

Check = Callable[[str], float]


@dataclass(frozen=True, slots=True)
class Task:
    """One request of the stream, and what must hold of its answer."""

    kind: str
    prompt: str
    check: Check
    shape: Any = None


def plain(chance: random.Random) -> Task:
    """Many fields and none that follows from another: nothing to reconcile."""
    names = ("sku", "title", "color", "material", "weight_grams", "stock", "shelf", "note", "batch")
    count = chance.randint(4, len(names))
    kinds = ("uuid", "sentence", "color", "word", "int 1..900", "int 0..50", "word", "sentence")
    shape: dict[str, Any] = {n: chance.choice(kinds) for n in chance.sample(names, count)}
    shape["parts"] = [{"code": "uuid", "count": "int 1..9"}]
    wanted = chance.randint(1, 5)
    prompt = f"{wanted} articles of the {chance.choice(('spring', 'autumn', 'new'))} catalogue"
    return Task("catalogue", prompt, lambda text: _holds(text, shape, lambda _: True), shape)


def linked(chance: random.Random) -> Task:
    """Few fields that must agree: a city lies in its country, an age follows from a birth date."""
    shape: dict[str, Any] = {"name": "string", "city": "city", "country": "country"}
    if chance.random() < 0.6:
        shape |= {"birth_date": "date", "age": "int"}
    if chance.random() < 0.5:
        shape["phone"] = "phone"
    wanted = chance.randint(1, 4)
    prompt = f"{wanted} {chance.choice(('customers', 'patients', 'members'))} with their places"
    return Task("people", prompt, lambda text: _holds(text, shape, _agrees), shape)


def _agrees(record: Mapping[str, Any]) -> bool:
    if place_named(str(record["city"]), str(record["country"])) is None:
        return False
    if "age" not in record:
        return True
    try:
        born = dt.date.fromisoformat(str(record["birth_date"]))
    except ValueError:
        return False
    years = (dt.datetime.now(dt.UTC).date() - born).days / 365.2425
    return abs(years - float(record["age"])) <= 1.01


def _holds(text: str, shape: Mapping[str, Any], rule: Callable[[Mapping[str, Any]], bool]) -> float:
    """The share of records that have every field and keep the rule."""
    try:
        told = orjson.loads(text)
    except orjson.JSONDecodeError:
        return 0.0
    records = told if isinstance(told, list) else [told]
    if not records:
        return 0.0
    return sum(
        isinstance(one, dict) and shape.keys() <= one.keys() and rule(one) for one in records
    ) / len(records)
