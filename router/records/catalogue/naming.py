"""The concept that a field's name stands for, by the words of the name. Pure.

English puts the thing last (`shipping city`), Spanish puts it first (`ciudad de envío`).
"""

import re
from dataclasses import dataclass
from functools import cache, lru_cache

from router.records.catalogue.tables import concepts, plain

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
# Words between others that say nothing in a name.
_SMALL = frozenset("de del la el los las y e en al of the a an in on to for per und".split())
_SHORT = {
    "fname": "first name", "lname": "last name", "addr": "address", "desc": "description",
    "descr": "description", "dt": "date", "amt": "amount", "cust": "customer", "prod": "product",
    "emp": "employee", "usr": "user", "nbr": "number", "num": "number", "org": "organization",
    "curr": "currency", "dest": "destination", "mgr": "manager", "lang": "language",
    "cat": "category", "loc": "location", "avg": "average", "temp": "temperature",
    "pop": "population", "wt": "weight", "ht": "height", "pct": "percent", "img": "image",
    "acct": "account", "inv": "invoice", "mfr": "manufacturer", "pymt": "payment", "ph": "phone",
    "inc": "incident", "cnt": "count", "yr": "year", "yrs": "years", "mo": "month",
    "mail": "email", "dpto": "departamento", "fec": "fecha", "nom": "nombre", "dir": "direccion",
    "cant": "cantidad", "tlf": "telefono", "tfno": "telefono", "obs": "observaciones",
    "anio": "ano", "anyo": "ano", "imp": "importe", "desc_": "descripcion", "prov": "provincia",
    "nm": "name", "tel": "phone", "dept": "department", "lvl": "level", "cfg": "configuration",
    "tot": "total", "ord": "order", "bal": "balance", "cmt": "comment", "supp": "supplier",
    "bday": "birthday", "pwd": "password", "ts": "timestamp", "ctry": "country", "st": "street",
    "pob": "poblacion", "cod": "codigo", "est": "estado", "msg": "message", "cond": "condition",
}  # fmt: skip
_UNITS = frozenset(
    (
        "kg g km m cm mm c f h hr hrs min mins ms s sec usd eur gbp mxn kmh kph mph kwh mb gb kb "
        "pct l ml m2 sqm eu dollars euros euro en es"
    ).split()
)
# Words before the thing that say whose it is; each person is another person of the record.
ROLES = frozenset(
    (
        "customer client user person employee contact patient student guest author owner manager "
        "member passenger driver recipient sender buyer seller vendor agent assignee reviewer "
        "reporter teacher doctor tenant landlord candidate applicant father mother parent host "
        "requester purchaser holder supervisor emergency cliente empleado paciente alumno autor "
        "titular comprador vendedor destinatario remitente responsable profesor medico inquilino "
        "propietario conductor huesped solicitante tecnico asignado padre madre tutor contacto"
    ).split()
)


@dataclass(frozen=True, slots=True)
class Named:
    """What the words of a name say: the concept, how many words speak for it, and whose it is."""

    concept: str  # empty if the words name none
    words: int
    language: str
    role: str = ""


def words_of(name: str) -> list[str]:
    """Split a name into words: `shippingCity` and `shipping_city` both give shipping and city."""
    return [word.lower() for word in _WORD.findall(plain_keeping_case(str(name)))]


def plain_keeping_case(text: str) -> str:
    """A text without accents; its capitals stay, because they part words."""
    return "".join(plain(letter) if letter.islower() else _capital(letter) for letter in text)


def _capital(letter: str) -> str:
    return letter if letter.isascii() else plain(letter).upper()


@cache
def _by_name() -> dict[str, dict[str, str]]:
    """For each language, the concept of each name."""
    made: dict[str, dict[str, str]] = {"en": {}, "es": {}}
    for concept in concepts().values():
        for language, names in (("en", concept.english), ("es", concept.spanish)):
            for name in names:
                made[language].setdefault(_joined(plain(name).split()), concept.name)
    return made


@cache
def _vocabulary() -> dict[str, frozenset[str]]:
    return {
        language: frozenset(word for name in names for word in name.split())
        for language, names in _by_name().items()
    }


def _joined(words: list[str]) -> str:
    return " ".join(word for word in words if word not in _SMALL) or " ".join(words)


def _spelled_out(words: list[str]) -> list[str]:
    return [part for word in words for part in _SHORT.get(word, word).split()]


@lru_cache(maxsize=4096)
def named(name: str) -> Named:
    """What the words of a field's name say."""
    raw = words_of(name)
    role = next((word for word in raw if word in ROLES), "")
    lists = [raw, _spelled_out(raw)]
    if len(raw) > 1 and raw[-1] in _UNITS:
        lists += [raw[:-1], _spelled_out(raw[:-1])]
    for words in lists:
        whole = _joined(words)
        for language in ("en", "es"):
            if whole in _by_name()[language]:
                return Named(_by_name()[language][whole], len(words), language, role)
    best = Named("", 0, language_of(name), role)
    for words in lists:
        for match in (_from_end(words, role), _from_start(words, role)):
            if match.words > best.words:
                best = match
    return best


def _from_end(words: list[str], role: str) -> Named:
    """The concept of the last words, as English has it; an id of whatever thing is an id."""
    kept = [word for word in words if word not in _SMALL]
    for size in (3, 2, 1):
        part = " ".join(kept[-size:])
        if len(kept) > size and part in _by_name()["en"]:
            concept = _by_name()["en"][part]
            # `product name` is listed, and `wing name` names no person.
            if concept == "name" and part == "name" and kept[-2] not in ROLES:
                return Named("", 0, "en", role)
            return Named(concept, size, "en", role)
    return Named("", 0, "en", role)


def _from_start(words: list[str], role: str) -> Named:
    """The concept of the first words, as Spanish has it."""
    kept = [word for word in words if word not in _SMALL]
    for size in (3, 2, 1):
        part = " ".join(kept[:size])
        if len(kept) > size and part in _by_name()["es"] and _is_spanish(kept):
            concept = _by_name()["es"][part]
            if concept == "first_name" and kept[1] not in ROLES:
                return Named("", 0, "es", role)
            concept = "name" if concept == "first_name" else concept
            return Named(concept, size, "es", role)
    return Named("", 0, "es", role)


def _is_spanish(words: list[str]) -> bool:
    vocabulary = _vocabulary()
    return any(w in vocabulary["es"] and w not in vocabulary["en"] for w in words)


def spelled(name: str) -> str:
    """A field's name in words, for an encoder."""
    return " ".join(_spelled_out(words_of(name)))


def language_of(name: str) -> str:
    """The language of a name whose words belong to one language only; empty if they do not say."""
    vocabulary = _vocabulary()
    words = [w for w in _spelled_out(words_of(name)) if w not in _SMALL]
    spanish = sum(w in vocabulary["es"] and w not in vocabulary["en"] for w in words)
    english = sum(w in vocabulary["en"] and w not in vocabulary["es"] for w in words)
    return "es" if spanish > english else "en" if english > spanish else ""
