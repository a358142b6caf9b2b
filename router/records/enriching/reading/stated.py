"""What one text states of one field, in the form of that field."""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from router.records.catalogue.naming import words_of
from router.records.catalogue.tables import concepts, plain, ranges, values
from router.records.enriching.fitting import fits
from router.records.enriching.forms import in_form
from router.records.enriching.reading.amounts import MONEY, amount_for, currency_in
from router.records.enriching.reading.dates import day_for
from router.records.enriching.reading.measures import (
    MEASURED,
    age_in,
    counted,
    discount_in,
    measure_for,
    rating_in,
    year_for,
)
from router.records.enriching.reading.named_things import (
    LISTED,
    after_label,
    brand_in,
    company_in,
    listed_for,
    person_in,
    size_in,
)
from router.records.enriching.reading.places import city_for, country_for
from router.records.enriching.reading.words import Text, number_of, only, words_in
from router.records.likeness.codes import CodeForm
from router.records.likeness.styles import Choices, Texts
from router.records.nodes import NUMBERS, Node, OneOf, ShapeLeaf
from router.records.planned_field import PlannedField

_DAYS = words_in("date ordered shipped delivered due start end created updated hired birth_date")
_YEARS = words_in("year founded birth_year")
_PATTERNS = {
    "email": re.compile(r"(?<![\w.+-])[\w.+-]++@[\w-]++(?:\.[\w-]++)++"),
    "website": re.compile(r"(?<!\w)(?:https?://|www\.)[^\s,;<>\"')]++"),
    "phone": re.compile(r"(?<![\w+./-])(?:\+\d|\d{3})(?:[ ().-]{0,2}\d){6,14}(?![\w/-])"),
    "time": re.compile(r"(?<![\d:T-])(?:[01]?\d|2[0-3]):[0-5]\d(?![\d:])"),
    "isbn": re.compile(r"(?<![\w-])97[89](?:-?\d){10}(?![\w-])"),
    "iban": re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?!\w)"),
}
_CODE = re.compile(r"[^\s,;()\"']++")


def stated_value(field: PlannedField, node: Node, wanted: frozenset[str], text: Text) -> Any:
    """The value that a text states for a field; None where it states none that the field can hold.
    `wanted` are the concepts of all missing fields of the record."""
    value = _stated(field, node, wanted, text)
    return None if value is None else _in_form(value, field, node)


def _in_form(value: Any, field: PlannedField, node: Node) -> Any:
    """A value in the form of the field; None where the field cannot hold it as it is."""
    if isinstance(value, float) and value.is_integer() and _kind(node) not in ("number", "price"):
        value = int(value)
    if isinstance(value, float) and _kind(node) == "int":
        return None
    if isinstance(node, OneOf) and isinstance(value, str):
        value = next((v for v in node.values if plain(str(v)) == plain(value)), value)
    written = in_form(value, field, node)
    return written if fits(written, node) else None


def _kind(node: Node) -> str:
    return node.kind if isinstance(node, ShapeLeaf) else ""


def _stated(field: PlannedField, node: Node, wanted: frozenset[str], text: Text) -> Any:
    labelled = after_label(_labels_of(field), text)
    numeric = _kind(node) in NUMBERS
    if labelled is not None:
        value = _of_label(labelled, field, numeric=numeric)
        if value is not None:
            return value
    concept = field.concept
    if isinstance(field.style, CodeForm) and not numeric and concept not in _PATTERNS:
        return _code(field.style, text)
    if concept in MONEY:
        return amount_for(concept, wanted, text)
    if concept in _DAYS and not numeric:
        return day_for(concept, len(wanted & _DAYS) == 1, text, field.language)
    if concept in MEASURED and not (concept == "area" and _SIZES & set(words_of(field.key))):
        return measure_for(concept, field.key, text, with_unit=not numeric)
    value = _thing(field, node, text)
    if value is None and numeric:
        value = (
            _NUMBERS[concept](text) if concept in _NUMBERS else counted(concept, field.key, text)
        )
    return value


_SIZES = frozenset(("size", "talla"))
_NUMBERS: Mapping[str, Callable[[Text], Any]] = {
    "age": age_in,
    "rating": rating_in,
    "discount": discount_in,
}


def _thing(field: PlannedField, node: Node, text: Text) -> Any:
    """A name, a place or a word that a text states."""
    concept, words = field.concept, frozenset(words_of(field.key))
    own = _own_values(field, node)
    if concept in _PATTERNS:
        return _by_pattern(concept, text)
    if concept in _YEARS:
        return year_for(concept, field.key, text)
    if concept in LISTED:
        return listed_for(concept, own, text)
    if concept == "size" or _SIZES & words:
        return size_in(own, text)
    match concept:
        case "city" | "airport":
            return city_for(words, text)
        case "country":
            return country_for(words, text)
        case "currency":
            return currency_in(text)
        case "brand":
            return brand_in(own, [*_brands(), *values("world_brand", "en")], text)
        case "company":
            return company_in(text)
        case "name":
            return person_in(text)
    return None


@cache
def _brands() -> tuple[str, ...]:
    return tuple(brand for line in ranges() for brand in line.brands)


def _labels_of(field: PlannedField) -> frozenset[str]:
    """The names under which a text may state a field."""
    names = {" ".join(words_of(field.key))}
    if field.concept in concepts() and field.concept not in ("count", "id"):
        names |= {*concepts()[field.concept].english, *concepts()[field.concept].spanish}
    return frozenset(names)


def _of_label(value: str, field: PlannedField, *, numeric: bool) -> Any:
    text = Text(value)
    if field.concept in _DAYS:
        return day_for(field.concept, True, text, field.language)
    if not numeric and field.concept not in MONEY:
        return value
    numbers = [token.text for token in text.tokens if token.is_number]
    return number_of(numbers[0]) if len(numbers) == 1 else None


def _own_values(field: PlannedField, node: Node) -> list[str]:
    """The texts that a field may have, or has in the examples."""
    if isinstance(node, OneOf):
        return [value for value in node.values if isinstance(value, str)]
    style = field.style
    return list(style.texts) if isinstance(style, Choices | Texts) else []


def _by_pattern(concept: str, text: Text) -> str | None:
    value = only(_PATTERNS[concept].findall(text.text))
    return value.rstrip(".") if value is not None else None


def _code(form: CodeForm, text: Text) -> str | None:
    """The one word of a text that has the form of the field's codes."""
    words = [word.rstrip(".:!?") for word in _CODE.findall(text.text)]
    codes = [w for w in words if len(w) > 3 and any(c.isdigit() for c in w) and form.fits(w)]
    return only(codes)
