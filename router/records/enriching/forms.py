"""Values in the form of their field, and back: dates as ISO, amounts as numbers.

Facts of a record are kept in that plain form, so that values of any form follow from each other.
"""

import datetime as dt
import re
from typing import Any

from router.records.catalogue.tables import concepts
from router.records.enriching.facts import Facts, day_of
from router.records.likeness.amounts import AmountForm
from router.records.likeness.codes import CodeForm
from router.records.likeness.dates import DateForm
from router.records.likeness.numbers import Magnitude
from router.records.likeness.styles import Choices, Texts, in_case
from router.records.nodes import Node, ShapeLeaf
from router.records.planned_field import PlannedField

UNFIT = object()  # no field allows this value
_MONEY = frozenset({"price", "unit_price", "msrp", "cost", "subtotal", "tax", "total", "amount"})
# Fields with few different values: where examples show some of them, these are all.
CATEGORIES = frozenset(
    (
        *("category", "department", "shipping_method", "channel", "ticket_category", "plan"),
        *("role", "payment_method", "condition", "contract_type", "room_type", "property_type"),
        *("status", "order_status", "ticket_status", "payment_status", "priority", "source"),
        *("carrier", "frequency", "shift", "leave_reason", "return_reason", "insurance", "genre"),
        *("school_year", "specialty", "log_level", "configuration", "size", "brand"),
    )
)
_SWITCH = {"en": ("yes", "no"), "es": ("sí", "no")}
_KEEP_THEIR_CASE = frozenset({"email", "website", "username", "uuid", "iban", "timezone", "token"})
_OF_YEARS = ("ordered", "created", "start", "date", "shipped", "due", "hired", "updated")


def canonical_of(field: PlannedField, value: Any) -> Any:
    """A given value in the plain form of facts."""
    style = field.style
    if isinstance(style, DateForm) and isinstance(value, str) and not style.of_day:
        moment = style.read(value)
        if moment is not None:
            clock = "%H" in style.form or "%I" in style.form
            return moment.isoformat() if clock else moment.date().isoformat()
    if isinstance(style, AmountForm) and isinstance(value, str):
        amount = style.read(value)
        return value if amount is None else amount
    if isinstance(style, Choices) and style.switch and value in style.texts:
        return style.texts.index(value) == 0
    return value


def in_form(value: Any, field: PlannedField, node: Node) -> Any:
    """A plain value as the field writes it; `UNFIT` if the field's examples have no such form."""
    style = field.style
    match style:
        case DateForm():
            return _date(value, style)
        case AmountForm() if isinstance(value, int | float):
            return style.write(value)
        case Choices(switch=True) if isinstance(value, bool):
            return style.texts[0 if value else 1]
        case CodeForm() if isinstance(value, str) and field.concept != "sku":
            return value if style.fits(value) else UNFIT
        case Texts(texts) if field.concept == "name" and isinstance(value, str) and _short(texts):
            first, *rest = value.split()
            return f"{first} {rest[-1][:1]}." if rest else value
        case Texts() if isinstance(value, str) and field.concept not in _KEEP_THEIR_CASE:
            short = len(value.split()) < 5
            value = in_case(value, style.case) if short or style.case == "title" else value
    return _of_kind(value, field, node)


def _short(texts: tuple[str, ...]) -> bool:
    """Whether the examples write a name as `Ben O.`"""
    return all(re.fullmatch(r"\S+ \w\.", text) for text in texts)


def _date(value: Any, style: DateForm) -> Any:
    text = str(value)
    if style.of_day and len(text) <= 8 and ":" in text:
        hour, minute = text.split(":")[:2]
        return style.write(dt.datetime(2000, 1, 1, int(hour), int(minute)))  # noqa: DTZ001
    if day_of(text) is None:
        return UNFIT
    try:
        moment = dt.datetime.fromisoformat(text.replace("Z", "").partition("+")[0])
    except ValueError:
        return UNFIT
    return style.write(moment)


def _of_kind(value: Any, field: PlannedField, node: Node) -> Any:
    """The value as the kind of the field needs it: a whole number, a date, a text."""
    kind = node.kind if isinstance(node, ShapeLeaf) else ""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "int":
        if isinstance(value, float):
            return round(value)
        digits = (
            "".join(letter for letter in value if letter.isdigit())
            if isinstance(value, str)
            else ""
        )
        return int(digits) if digits else value
    if kind in ("number", "price") and number:
        return float(value)
    if kind == "datetime" and day_of(value):
        if len(str(value)) == 10:
            return f"{value}T00:00:00+00:00"
        return value if str(value).endswith(("Z", "+00:00")) else f"{value}+00:00"
    if kind == "date" and day_of(value):
        return str(value)[:10]
    if kind == "string" and isinstance(value, bool):
        return _SWITCH[field.language][0 if value else 1]
    if kind == "string" and number:
        return f"{value:.2f}" if field.concept in _MONEY else str(value)
    return value


def drawn(field: PlannedField, facts: Facts, index: int) -> Any:
    """A plain value like the field's examples; None if they do not say what values are like."""
    style, chance = field.style, facts.random
    match style:
        case Magnitude():
            return style.draw(chance, index)
        case DateForm() if not style.of_day and field.window is not None:
            first, last = field.window
            seconds = int((last - first).total_seconds())
            moment = first + dt.timedelta(minutes=chance.randint(0, seconds // 60))
            clock = "%H" in style.form or "%I" in style.form
            return moment.isoformat(timespec="seconds") if clock else moment.date().isoformat()
        case DateForm():
            return f"{chance.randint(7, 21):02}:{chance.choice((0, 10, 15, 20, 30, 40, 45, 50)):02}"
        case AmountForm():
            return style.magnitude.draw(chance)
        case CodeForm():
            return style.write(chance, index, _year(facts))
        case Choices(texts, switch):
            return chance.random() < 0.6 if switch else chance.choice(texts)
        case Texts(texts) if field.concept not in concepts():
            return chance.choice(texts)
    return None


def shown_options(field: PlannedField) -> tuple[str, ...]:
    """The values of a field with few different values, where examples show two or more."""
    texts = field.style.texts if isinstance(field.style, Choices | Texts) else ()
    return texts if len(texts) > 1 else ()


def _year(facts: Facts) -> int | None:
    """The year of the record's own dates."""
    days = (day_of(facts.values.get(name)) for name in _OF_YEARS)
    return next((day.year for day in days if day is not None), None)
