"""The concept that a field's name stands for, by the words of the name. Pure.

English puts the thing last (`shipping city`), Spanish puts it first (`ciudad de envío`).
"""

import re
from dataclasses import dataclass
from functools import cache, lru_cache

from router.records.catalogue.tables import concepts, plain, short_words

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
# Words between others that say nothing in a name.
_SMALL = frozenset("de del la el los las y e en al of the a an in on to for per und".split())
_UNITS = frozenset(
    (
        "kg g km m cm mm c f h hr hrs min mins ms s sec usd eur gbp mxn kmh kph mph kwh mb gb kb "
        "pct l ml m2 sqm eu dollars euros euro en es"
    ).split()
)
_LONGEST_NAME = 500  # characters of a name that are read
_LONGEST = 24  # letters of a name that may be two words in one
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
    return list(_words(str(name)[:_LONGEST_NAME]))


@lru_cache(maxsize=8192)
def _words(name: str) -> tuple[str, ...]:
    return tuple(word.lower() for word in _WORD.findall(plain_keeping_case(name)))


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
                made[language].setdefault(_joined(words_of(name)), concept.name)
    return made


@cache
def _vocabulary() -> dict[str, frozenset[str]]:
    return {
        language: frozenset(word for name in names for word in name.split())
        for language, names in _by_name().items()
    }


def _joined(words: list[str]) -> str:
    return " ".join(word for word in words if word not in _SMALL) or " ".join(words)


def _spelled_out(words: list[str], language: str) -> list[str]:
    short = short_words()[language]
    return [part for word in words for part in short.get(word, word).split()]


def _readings(words: list[str]) -> list[list[str]]:
    """The words as they are, and spelled out in each language; the likely reading comes first."""
    lists = [words, *(_spelled_out(words, language) for language in ("en", "es"))]
    return [reading for n, reading in enumerate(lists) if reading not in lists[:n]]


def _apart(word: str) -> list[list[str]]:
    """A name written as one word, as two words: `fnac` is `f nac`, `custname` is `cust name`."""
    halves = ([word[:cut], word[cut:]] for cut in range(1, len(word)))
    pairs = [pair for pair in halves if not _SMALL & set(pair)]
    return [reading for pair in pairs for reading in _readings(pair)[1:] or [pair]]


@lru_cache(maxsize=4096)
def named(name: str) -> Named:
    """What the words of a field's name say."""
    raw = words_of(name)
    role = next((word for word in raw if word in ROLES), "")
    lists = _readings(raw)
    if len(raw) > 1 and raw[-1] in _UNITS:
        lists += _readings(raw[:-1])
    whole = _whole(lists, role)
    if whole is None and len(raw) == 1 and 4 <= len(raw[0]) <= _LONGEST:
        whole = _whole(_apart(raw[0]), role)
    if whole is not None:
        return whole
    best = Named("", 0, language_of(name), role)
    for words in lists:
        for match in (_from_end(words, role), _from_start(words, role)):
            if match.words > best.words:
                best = match
    return best


def _whole(lists: list[list[str]], role: str) -> Named | None:
    """The concept that is called by all the words of a reading."""
    for words in lists:
        joined = _joined(words)
        for language in ("en", "es"):
            if joined in _by_name()[language]:
                return Named(_by_name()[language][joined], len(words), language, role)
    return None


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
    words = words_of(name)
    return " ".join(_spelled_out(words, "es" if _is_spanish(words) else "en"))


def language_of(name: str) -> str:
    """The language of a name whose words belong to one language only; empty if they do not say."""
    vocabulary, short = _vocabulary(), short_words()
    spanish = english = 0
    for word in words_of(name):
        if word in _SMALL:
            continue
        in_english = word in vocabulary["en"] or word in short["en"]
        in_spanish = word in vocabulary["es"] or word in short["es"]
        english += in_english and not in_spanish
        spanish += in_spanish and not in_english
    return "es" if spanish > english else "en" if english > spanish else ""
