"""The words by which questions on rows are read, from `words.toml`."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from router.request.plain import folded

Language = Literal["en", "es"]
Phrase = tuple[str, ...]
_LANGUAGES: tuple[Language, ...] = ("en", "es")

_NOT_PHRASES = frozenset(
    (
        *("adjectives", "concepts", "only_asked", "concept_kinds", "things", "values", "short"),
        *("opposites", "left_out"),
    )
)
_IRREGULAR = {
    "people": "person",
    "persons": "person",
    "children": "child",
    "men": "man",
    "women": "woman",
}


@dataclass(frozen=True, slots=True)
class Sense:
    """One meaning of a phrase: what it is, what it stands for, and how surely."""

    kind: str
    value: Any = None
    strength: int = 4


@cache
def _written() -> Mapping[str, Any]:
    return tomllib.loads((files(__package__) / "words.toml").read_text(encoding="utf-8"))


_PIECES = re.compile(r"\d[\d.,]*\d|\d|[^\W\d_]+(?:['\u2019][^\W\d_]+)*|>=|<=|[<>=%&,()]")


def pieces(text: str) -> Phrase:
    """The words, numbers and telling marks of a text, in small letters and without accents."""
    text = re.sub(r"(?<=\d)[ºª]", "", text)  # as questions are cut
    return tuple(_PIECES.findall(folded(text.replace("_", " ").replace("\u2019", "'"))))


def _phrases(listed: str) -> list[Phrase]:
    return [pieces(each) for each in listed.split()]


@cache
def canonical(word: str) -> str:
    """The form in which a word of the data is compared: without a plural's ending."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) <= 3 or not word.isalpha():
        return word
    if word.endswith(("xes", "ches", "shes", "sses", "zes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    if word.endswith("ie"):
        return word[:-2] + "y"
    return word[:-1] if word.endswith("e") and len(word) > 4 else word


def canonical_phrase(text: str) -> Phrase:
    return tuple(canonical(word) for word in pieces(text))


@cache
def function_words(language: Language) -> Mapping[Phrase, tuple[Sense, ...]]:
    """The phrases that say what is done, or that say nothing, by their words."""
    senses: dict[Phrase, list[Sense]] = {}
    for kind, by_language in _written().items():
        if kind in _NOT_PHRASES:
            continue
        for phrase in _phrases(by_language.get(language, "")):
            senses.setdefault(phrase, []).append(Sense(kind))
    for kind, lines in _written()["adjectives"].items():
        for concept, listed in lines:
            for phrase in _phrases(listed):
                senses.setdefault(phrase, []).append(Sense(f"adj_{kind}", concept))
    return {phrase: tuple(listed) for phrase, listed in senses.items()}


@cache
def concepts_of() -> Mapping[Phrase, frozenset[str]]:
    """The concepts that a phrase may stand for in a question."""
    by_phrase: dict[Phrase, set[str]] = {}
    for concept, listed in _written()["concepts"].items():
        for phrase in _phrases(listed):
            by_phrase.setdefault(tuple(map(canonical, phrase)), set()).add(concept)
    return {phrase: frozenset(names) for phrase, names in by_phrase.items()}


@cache
def opposites() -> Mapping[str, tuple[Phrase, ...]]:
    """The phrases that deny a concept: `outstanding` for what is not paid."""
    return {concept: tuple(_phrases(listed)) for concept, listed in _written()["opposites"].items()}


@cache
def only_asked() -> frozenset[Phrase]:
    return frozenset(
        tuple(map(canonical, phrase)) for phrase in _phrases(_written()["only_asked"]["words"])
    )


@cache
def weak_in_names() -> frozenset[str]:
    """Words that give a column's name a concept only if no other word of the name does."""
    return frozenset(canonical(word) for word in _written()["only_asked"]["weak"].split())


@cache
def concept_kind(name: str) -> frozenset[str]:
    """The concepts of a kind: `numeric`, `dated`, `event`, `additive`, `money` ..."""
    return frozenset(_written()["concept_kinds"][name].split())


@dataclass(frozen=True, slots=True)
class Thing:
    """What the rows of a table are called, and the verbs that say nothing beside it."""

    name: str
    nouns: frozenset[Phrase]
    verbs: frozenset[Phrase]
    person: bool


@cache
def things() -> tuple[Thing, ...]:
    return tuple(
        Thing(
            name,
            frozenset(tuple(map(canonical, phrase)) for phrase in _phrases(each["nouns"])),
            frozenset(_phrases(each["verbs"])),
            bool(each.get("person", False)),
        )
        for name, each in _written()["things"].items()
    )


@cache
def alike_values() -> Mapping[Phrase, frozenset[Phrase]]:
    """For a value, the phrases that say the same."""
    alike: dict[Phrase, set[Phrase]] = {}
    for line in _written()["values"]["same"].strip().split("\n"):
        group = {tuple(map(canonical, pieces(each))) for each in line.split("|")}
        for phrase in group:
            alike.setdefault(phrase, set()).update(group)
    return {phrase: frozenset(group) for phrase, group in alike.items()}


@cache
def beside_only() -> frozenset[str]:
    """Words that say a value in other words only beside the name of its column."""
    return frozenset(canonical(word) for word in _written()["values"]["beside"].split())


_SPANISH_UNITS = {
    **{
        "minuto": "minute",
        "minut": "minute",
        "min": "minute",
        "hora": "hour",
        "hr": "hour",
        "segundo": "second",
    },
    **{"hectare": "ha", "hectar": "ha", "hectarea": "ha", "l": "litre", "liter": "litre"},
    **{"litr": "litre", "litro": "litre", "ton": "tonne", "tonn": "tonne", "tonelada": "tonne"},
    **{"centimetr": "cm", "centimetro": "cm", "noch": "night", "noche": "night"},
    **{"ft": "foot", "feet": "foot", "lbs": "lb", "m": "meter", "week": "week", "semana": "week"},
    **{"kilo": "kg", "kilogram": "kg", "kilogramo": "kg", "gramo": "gram", "g": "gram"},
    **{"kilometer": "km", "kilometr": "km", "kilometro": "km", "metro": "meter", "metr": "meter"},
}


@cache
def unit_of_word(word: str) -> str:
    """The unit that a word names, in one form for both languages; empty if it names none."""
    units = {
        w
        for language in _LANGUAGES
        for phrase, senses in function_words(language).items()
        for w in phrase
        if any(sense.kind == "unit" for sense in senses)
    }
    plain = canonical(word)
    if word not in units and plain not in _SPANISH_UNITS and plain not in map(canonical, units):
        return ""
    return _SPANISH_UNITS.get(plain, plain)


@cache
def words_of_unit(unit: str) -> frozenset[str]:
    """The words that name a unit, as names are compared."""
    words = {
        w
        for language in _LANGUAGES
        for phrase, senses in function_words(language).items()
        for w in phrase
        if len(phrase) == 1 and any(sense.kind == "unit" for sense in senses)
    }
    return frozenset(canonical(word) for word in words if unit_of_word(word) == unit)


@cache
def left_out(kind: str) -> frozenset[str]:
    """Words of a kind that decides whether a verb may be left out of a question."""
    return frozenset(_written()["left_out"][kind].split())


@cache
def long_form(word: str) -> str:
    """`quantity` for `qty`; the word itself if it is no short form."""
    return str(_written()["short"].get(word, word))


@cache
def spoken(language: Language) -> frozenset[str]:
    """The small words that only this language has."""
    own = {word for phrase in function_words(language) for word in phrase}
    other: Language = "en" if language == "es" else "es"
    return frozenset(own - {word for phrase in function_words(other) for word in phrase})


def language_of(question: str) -> Language:
    """The language of most of a question's small words."""
    words = pieces(question)
    spanish = sum(word in spoken("es") for word in words) + 3 * any(c in question for c in "¿¡ñ")
    return "es" if spanish > sum(word in spoken("en") for word in words) else "en"
