"""How the values of a field look, by the examples that were given of them. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from router.records.likeness.amounts import AmountForm, amount_form
from router.records.likeness.codes import CodeForm, code_form
from router.records.likeness.dates import DateForm, date_form
from router.records.likeness.numbers import Magnitude, magnitude_of

# Fields that number something: the next number is above the last.
_SERIES = frozenset({"order_id", "invoice_number", "ticket_id", "customer_id", "id"})
_SWITCHES = (
    ("Y", "N"), ("y", "n"), ("yes", "no"), ("Yes", "No"), ("YES", "NO"), ("sí", "no"),
    ("Sí", "No"), ("si", "no"), ("S", "N"), ("true", "false"), ("True", "False"), ("on", "off"),
    ("T", "F"),
)  # fmt: skip
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_BY_PATTERN = (
    ("email", re.compile(r"\A[^@\s]+@[^@\s]+\.[A-Za-z]{2,}")),
    ("website", re.compile(r"(?:https?://|www\.)\S+")),
    ("uuid", _UUID),
    ("ip", re.compile(r"(?:\d{1,3}\.){3}\d{1,3}")),
    ("phone", re.compile(r"\+\d[\d ().-]{6,18}\d")),
    ("timezone", re.compile(r"[A-Z][a-z]+/[A-Z][A-Za-z_]+")),
    ("quarter", re.compile(r"(?:Q[1-4][ -]?\d{4}|\d{4}[ -]?Q[1-4]|T[1-4] \d{4})")),
)
_FEW = 12  # different examples of which others may be drawn


@dataclass(frozen=True, slots=True)
class Choices:
    """Some texts, of which each value is one."""

    texts: tuple[str, ...]
    switch: bool = False  # they mean yes and no


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts that were given as examples, and have no form; `case` is how they are written."""

    texts: tuple[str, ...]
    case: str  # lower, upper, title or empty


Style = Magnitude | DateForm | AmountForm | CodeForm | Choices | Texts


def style_of(examples: Sequence[Any], concept: str, making: str) -> Style | None:
    """The style of values like these; None without an example that says anything."""
    numbers = [v for v in examples if isinstance(v, int | float) and not isinstance(v, bool)]
    if numbers:
        return magnitude_of(
            numbers[:50], concept, counts_on=concept in _SERIES and _counts_on(numbers)
        )
    texts = [value.strip() for value in examples if isinstance(value, str) and value.strip()][:50]
    return _style_of_texts(texts, concept, making) if texts else None


def _counts_on(numbers: Sequence[float]) -> bool:
    rising = all(b > a for a, b in pairwise(numbers))
    return rising and all(isinstance(number, int) for number in numbers)


def _style_of_texts(texts: list[str], concept: str, making: str) -> Style | None:
    for switch in _SWITCHES:
        if set(texts) <= set(switch) and making in ("", "bool"):  # `NO` may be a country
            return Choices(switch, switch=True)
    if concept not in ("phone", "ip", "version", "iban", "website") and not making.startswith(
        "pick"
    ):
        if form := date_form(texts):
            return form
        if concept not in ("postcode", "sku") and (amount := amount_form(texts, concept)):
            return amount
    if pattern_concept(texts) in ("uuid", "ip", "email", "website", "timezone", "quarter"):
        return Texts(tuple(dict.fromkeys(texts)), "")
    if not making.startswith("pick") and concept not in ("address", "city", "product", "version"):
        code = code_form(texts, counts_on=concept in _SERIES, phone=concept == "phone")
        if code is not None:
            return code
    return Texts(tuple(dict.fromkeys(texts))[:_FEW], _case(texts))


def pattern_concept(texts: Sequence[str]) -> str:
    """The concept whose pattern all these texts have; empty if there is none."""
    for concept, pattern in _BY_PATTERN:
        if texts and all(pattern.fullmatch(text) for text in texts):
            return concept
    return ""


def _case(texts: Sequence[str]) -> str:
    if all(text.islower() for text in texts):
        return "lower"
    if all(text.isupper() for text in texts):
        return "upper"
    return "title" if all(text[:1].isupper() for text in texts) else ""


def in_case(text: str, case: str) -> str:
    """A text in small letters, capitals, or beginning with a capital."""
    match case:
        case "lower":
            return text.lower()
        case "upper":
            return text.upper()
        case "title":
            return text[:1].upper() + text[1:]
    return text
