"""The words of a column's name. Pure."""

import re

from router.knowledge.rows.language.words import canonical, long_form
from router.request.plain import folded

SMALL = frozenset(
    ("of", "by", "de", "del", "the", "el", "la", "los", "in", "en", "at", "on", "per", "por", "a")
)
DATE_WORDS = frozenset(
    ("date", "fecha", "time", "hora", "datetime", "timestamp", "dt", "ts", "dia", "day", "was")
)
WEAK = frozenset(
    (
        "id",
        "number",
        "name",
        "nombre",
        "code",
        "codigo",
        "numero",
        "type",
        "tipo",
        "full",
        "key",
        "completo",
        "date",
        "fecha",
        "value",
        "valor",
        "level",
        "flag",
        "is",
        "has",
        "es",
        "tiene",
    )
)
IDENTIFIERS = frozenset(
    (
        *("id", "uuid", "code", "codigo", "key", "clave", "reference", "sku", "isbn", "ean", "dni"),
        *("zip", "zipcode", "postal", "postcode", "phone", "telephone", "telefono"),
    )
)  # numbers that tell things apart, and are never added up
KEYS = frozenset(("id", "number", "code", "codigo", "numero", "key", "clave", "uuid", "reference"))


def name_words(name: str, *, whole: bool = False) -> tuple[str, ...]:
    """The words of a column's name: `Cust. Name` and `custName` are customer, name.

    `whole`: with the words in brackets, such as a unit.
    """
    bare = name if whole else re.sub(r"\([^()]*+\)|\[[^\[\]]*+\]", " ", name) or name
    parted = re.sub(r"(?<=[a-z0-9áéíóúñ])(?=[A-ZÁÉÍÓÚÑ])", " ", bare)
    parted = re.sub(r"#|\bnº|\bNº|\bN°|\bn°", " number ", parted)
    words = re.findall(r"[^\W_]+", folded(parted))
    return tuple(part for word in words for part in long_form(word).split())


def key_name(name: str) -> str:
    """A column's name as keys are compared: `Member ID` and `member_id` are alike."""
    return " ".join(canonical(word) for word in name_words(name) if word not in SMALL)
