"""How real records look: the share of their fields that no check finds unlikely. Pure.

Checked are fillers in place of values, numbers beyond what their concept allows, texts that are
none of their concept, values that repeat, and fields that contradict each other. What no check
knows is not counted, so a high score is no proof.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from router.records.catalogue.naming import named
from router.records.catalogue.tables import plain
from router.records.concepts import ORDERED
from router.records.effort import spend
from router.records.enriching.facts import day_of

_FILLERS = frozenset(
    {
        *("string", "text", "test", "foo", "bar", "baz", "xxx", "asdf", "todo", "tbd", "sample"),
        *("example", "value", "lorem", "placeholder", "unknown", "john doe", "jane doe", "name"),
        *("fulano", "ejemplo", "prueba", "texto", "valor", "user1", "abc", "123", "item 1"),
    }
)
_LIMITS: Mapping[str, tuple[float, float]] = {
    "age": (0, 115), "year": (1000, 2100), "birth_year": (1900, 2030), "percentage": (0, 100),
    "rating": (0, 10), "latitude": (-90, 90), "longitude": (-180, 180), "quantity": (0, 1e6),
    "price": (0, 1e7), "unit_price": (0, 1e7), "total": (0, 1e9), "tax": (0, 1e9),
    "discount": (0, 100), "month_number": (1, 12), "height": (20, 272), "salary": (0, 1e8),
    "stock": (0, 1e8), "temperature": (-90, 1500), "heart_rate": (20, 250), "pages": (1, 20_000),
}  # fmt: skip
_WITHOUT_DIGITS = frozenset({"name", "first_name", "last_name", "city", "country", "region"})
_UNIQUE = frozenset({"email", "username", "phone", "order_id", "invoice_number", "uuid", "iban"})
_LEAST_RECORDS = 3  # before a value that repeats means something


def likelihood(records: Sequence[Any]) -> float | None:
    """The share of checked values that look real; None if nothing could be checked."""
    verdicts: list[bool] = []
    rows = [dict(_fields(record)) for record in records if isinstance(record, Mapping)]
    for row in rows:
        spend(1 + len(row))
        verdicts += (ok for name, value in row.items() if (ok := _alone(name, value)) is not None)
        verdicts += _together(row)
    if len(rows) >= _LEAST_RECORDS:
        verdicts += _across(rows)
    return sum(verdicts) / len(verdicts) if verdicts else None


def _fields(record: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The single values of a record by their concepts; the first of each concept counts."""
    seen = set()
    for key, value in record.items():
        if isinstance(value, Mapping):
            yield from _fields(value)
        elif value is not None and not isinstance(value, list):
            concept = named(str(key)).concept or plain(str(key))
            if concept not in seen:
                seen.add(concept)
                yield concept, value


def _alone(concept: str, value: Any) -> bool | None:
    """Whether a value looks real by itself; None if no check knows its concept."""
    if isinstance(value, str):
        text = plain(value).strip()
        if text in _FILLERS or text.startswith("lorem ipsum") or (text and text == concept):
            return False
        if concept in _WITHOUT_DIGITS:
            return bool(text) and not any(letter.isdigit() for letter in text)
        if concept == "email":
            return "@" in text and "." in text.partition("@")[2]
        return True if concept in _UNIQUE else None
    if concept in _LIMITS and isinstance(value, int | float) and not isinstance(value, bool):
        low, high = _LIMITS[concept]
        return low <= value <= high
    return None


def _together(row: Mapping[str, Any]) -> Iterator[bool]:
    """Whether the fields of a record agree, for each pair or triple that can be checked."""
    email, names = row.get("email"), [row.get(n) for n in ("name", "first_name", "last_name")]
    words = [word for name in names if isinstance(name, str) for word in plain(name).split()]
    if isinstance(email, str) and words:
        box = plain(email).partition("@")[0]
        yield any(word[:4] in box for word in words if len(word) > 1)
    for before, after in ORDERED:
        first, second = (day_of(row.get(name)) for name in (before, after))
        if first is not None and second is not None:
            yield first <= second
    quantity, total = _number(row, "quantity"), _number(row, "total")
    price = _number(row, "unit_price")
    tax = _number(row, "tax")
    if quantity is not None and price is not None and total is not None and tax is None:
        yield abs(quantity * price - total) <= max(0.02, 0.005 * abs(total))
    subtotal = _number(row, "subtotal")
    if subtotal is not None and tax is not None and total is not None:
        yield abs(subtotal + tax - total) <= 0.02
    born, age = day_of(row.get("birth_date")), _number(row, "age")
    if born is not None and age is not None:
        yield abs(dt.datetime.now(dt.UTC).year - born.year - age) <= 2


def _number(row: Mapping[str, Any], concept: str) -> float | None:
    value = row.get(concept)
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if numeric and value is not None else None


def _across(rows: Sequence[Mapping[str, Any]]) -> Iterator[bool]:
    """Whether values that name one thing differ from record to record."""
    for concept in (*sorted(_UNIQUE), "name"):
        values = [str(row[concept]) for row in rows if concept in row]
        if len(values) >= _LEAST_RECORDS:
            yield len(set(values)) > len(values) / 2
