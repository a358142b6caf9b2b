"""The shipped tables: what fields are called, and typical values of their concepts.

The tables are plain text beside this file, written for Waggle. They are read when a record is first
made. A section without values in Spanish has values that both languages share.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent
_VALUE_FILES = ("people.txt", "companies.txt", "orders.txt", "tickets.txt", "more.txt")
_SECTION = re.compile(r"\[(\w+)\.(en|es)\]")


@dataclass(frozen=True, slots=True)
class Concept:
    """What a field may mean: its names in both languages, and how its values are made."""

    name: str
    making: str  # `made`, `pick SECTION`, `int LOW HIGH`, `code PATTERN`, ...
    english: tuple[str, ...]
    spanish: tuple[str, ...]

    @property
    def form(self) -> str:
        """The kind of its values: text, number, moment or bool."""
        first = self.making.split()[0]
        return {
            **dict.fromkeys(("int", "number", "cents"), "number"),
            **dict.fromkeys(("date", "time"), "moment"),
            "bool": "bool",
        }.get(first, _MADE_FORMS.get(self.name, "text"))


_MADE_FORMS = {
    "birth_date": "moment", "birth_year": "number", "latitude": "number", "longitude": "number",
    "quarter": "text", "min": "number", "max": "number",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Product:
    english: str
    spanish: str


@dataclass(frozen=True, slots=True)
class Range:
    """A category of products: its names, the range of its prices, its brands and products."""

    english: str
    spanish: str
    least: float
    most: float
    brands: tuple[str, ...]
    products: tuple[Product, ...]
    kinds: tuple[Product, ...]  # what a product may be besides, such as `Stainless Steel`


@dataclass(frozen=True, slots=True)
class Trouble:
    """What a ticket is about, in both languages."""

    subject: dict[str, str]
    text: dict[str, str]
    category: dict[str, str]
    priority: int  # from 1 (low) to 4 (urgent)


def plain(text: str) -> str:
    """A text in small letters without accents; `ñ` becomes `n`."""
    folded = unicodedata.normalize("NFKD", text.lower())
    return "".join(letter for letter in folded if not unicodedata.combining(letter))


def _lines(file: str) -> list[str]:
    lines = (_FOLDER / file).read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def _listed(text: str, mark: str = ";") -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(mark) if part.strip())


@cache
def concepts() -> dict[str, Concept]:
    made = {}
    for line in _lines("concepts.txt"):
        name, making, english, spanish = (part.strip() for part in line.split("|"))
        made[name] = Concept(name, making, _listed(english), _listed(spanish))
    return made


@cache
def short_words() -> dict[str, dict[str, str]]:
    """For each language, what the short words of fields' names stand for."""
    made: dict[str, dict[str, str]] = {"en": {}, "es": {}}
    language = "en"
    for line in _lines("abbreviations.txt"):
        if line in ("[en]", "[es]"):
            language = line[1:3]
            continue
        for pair in _listed(line):
            short, _, words = pair.partition("=")
            made[language].setdefault(short.strip(), words.strip())
    return made


@cache
def _sections() -> dict[tuple[str, str], tuple[str, ...]]:
    sections: dict[tuple[str, str], tuple[str, ...]] = {}
    for file in _VALUE_FILES:
        here: tuple[str, str] | None = None
        for line in _lines(file):
            if match := _SECTION.fullmatch(line):
                here = (match[1], match[2])
            elif here is not None:
                sections[here] = (*sections.get(here, ()), *_listed(line))
    return sections


def values(section: str, language: str) -> tuple[str, ...]:
    """The values of a section in a language, or those that both languages share."""
    sections = _sections()
    return sections.get((section, language)) or sections[section, "en"]


@cache
def ranges() -> tuple[Range, ...]:
    made = []
    for line in _lines("products.txt"):
        english, spanish, prices, brands, products, kinds = map(str.strip, line.split("|"))
        least, most = (float(price) for price in prices.split())
        items, besides = _pairs(products), _pairs(kinds)
        made.append(Range(english, spanish, least, most, _listed(brands, ","), items, besides))
    return tuple(made)


def _pairs(text: str) -> tuple[Product, ...]:
    pairs = (item.split(" = ") for item in _listed(text))
    return tuple(Product(*(side.strip() for side in pair)) for pair in pairs)


@cache
def troubles() -> tuple[Trouble, ...]:
    made = []
    for line in _lines("tickets.txt"):
        parts = [part.strip() for part in line.split("|")]
        if len(parts) == 7:
            both = [{"en": parts[n], "es": parts[n + (1 if n == 4 else 2)]} for n in (0, 1, 4)]
            made.append(Trouble(both[0], both[1], both[2], int(parts[6])))
    return tuple(made)


@cache
def cars() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Makers of cars, each with its models."""
    pairs = (entry.split("|") for entry in values("car", "en"))
    return tuple((maker, _listed(models, ",")) for maker, models in pairs)


@cache
def sections_of(value: str) -> frozenset[str]:
    """The sections that hold this value, in whatever case."""
    return _holders().get(plain(value), frozenset())


@cache
def _holders() -> dict[str, frozenset[str]]:
    holders: dict[str, set[str]] = {}
    for (section, _), items in _sections().items():
        for item in items:
            holders.setdefault(plain(item), set()).add(section)
    for line in ranges():
        for product in line.products:
            for name in (product.english, product.spanish):
                holders.setdefault(plain(name), set()).add("product")
        for name in (line.english, line.spanish):
            holders.setdefault(plain(name), set()).add("category")
    return {value: frozenset(names) for value, names in holders.items()}
