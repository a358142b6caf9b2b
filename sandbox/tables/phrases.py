"""Which shipped table a phrase asks for, such as "locations follow population density".

Every word must be understood. A phrase that says more than a table holds ("except Texas",
"industries of France") finds no table: a caller can name what is missing, and not what is wrong.
"""

import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from sandbox.tables import companies, people, places
from sandbox.tables.table import Table

WORDS = Path(__file__).with_name("phrases.toml")
LONGEST_PHRASE = 300  # characters: a clause, not a document
MARKS = r"\s.,;:!?'\u2019\"“”()\-\u2013—"  # say nothing between words

_PLAIN: Mapping[str, Callable[[], Table]] = {
    "industries": companies.industries,
    "states": places.states,
    "countries": places.countries,
    "surnames": people.surnames,
    "occupations": people.occupations,
    "jobs": people.jobs,
    "sexes": people.sexes,
}
_PLACES = {"cities", "states", "countries"}
# What tables are weighed by, and what may stand between "by" and it.
_WEIGHING = {"cue", "by_row"}
_BETWEEN = {"idle", "links", "country", "world"}
_SINGULAR = ("country", "state", "sex", "decade")
# "normal age distribution" names no table: ages and sexes are asked for as they are in the world.
_NEED_A_CUE = {"ages", "sexes"}
# The tables of which the phrase may say each kind of thing.
_ALLOWED: Mapping[tuple[str, str], set[str]] = {
    ("cue", "density"): _PLACES,
    ("cue", "people"): set(_PLAIN) - {"industries"} | {"cities", "ages"},
    ("cue", "city"): {"cities"},
    ("cue", "economy"): {"industries", "occupations", "jobs"},
    ("cue", "census"): {"states", "surnames"},
    ("cue", "person"): set(_PLAIN) - {"industries"} - _PLACES | {"ages"},
    ("sex", "F"): {"first_names", "ages"},
    ("sex", "M"): {"first_names", "ages"},
    ("decade", ""): {"first_names"},
    ("top", "any"): {"first_names", "surnames", "jobs", "cities"},
    ("world", "any"): {"cities", "countries"},
    ("owners", "firms"): _PLACES | {"industries"},
    ("owners", "people"): {*_PLAIN, "cities", "ages", "first_names"},
    ("country", ""): {"cities"},
    ("state", ""): {"cities"},
    ("country", "US"): {*_PLAIN, "cities", "ages", "first_names"} - {"countries"},
}


@dataclass(frozen=True, slots=True)
class RowTables:
    """Tables of which a row needs the one that fits it: `table(1950)`, or `table(34)`.

    `given` says what the argument is: the decade in which the person was born, or the age.
    """

    name: str
    given: Literal["decade", "age"]
    table: Callable[[int], Table]


_BY_ROW = {
    ("first_names", "decade"): RowTables(
        "first names by decade of birth", "decade", people.first_names
    ),
    ("jobs", "age"): RowTables("jobs by life stage", "age", people.jobs),
    ("occupations", "age"): RowTables("occupations by life stage", "age", people.occupations),
}


def table_for(phrase: str) -> Table | None:
    """The table that the phrase asks for, in English or Spanish; None if a word means nothing."""
    meanings = _meanings(phrase)
    match meanings and meanings.get("table"):
        case [name] if _fits(name, meanings) and "by_row" not in meanings:
            return _table(name, meanings)
    return None


def row_tables_for(phrase: str) -> RowTables | None:
    """What "names by birth decade" and "jobs by life stage" ask for."""
    meanings = _meanings(phrase)
    tables = [
        _BY_ROW[name, given]
        for name in meanings.get("table", ())
        for given in meanings.get("by_row", ())
        if (name, given) in _BY_ROW and _fits(name, meanings)
    ]
    return tables[0] if len(tables) == 1 and not {"sex", "decade"} & set(meanings) else None


def _fits(name: str, meanings: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether all else that the phrase says can be said of this table."""
    allowed = (
        name in _ALLOWED.get((kind, value), _ALLOWED.get((kind, ""), {name}))
        for kind, values in meanings.items()
        for value in values
    )
    singular = all(len(meanings.get(kind, ())) <= 1 for kind in _SINGULAR)
    return singular and all(allowed) and ("cue" in meanings or name not in _NEED_A_CUE)


def _table(name: str, meanings: Mapping[str, tuple[str, ...]]) -> Table | None:
    sex = "".join(meanings.get("sex", ()))
    match name, meanings.get("decade", ()):
        case "first_names", [decade] if people.FIRST_DECADE <= int(decade) <= people.LAST_DECADE:
            return people.first_names(int(decade), sex)
        case "cities", []:
            return _cities(meanings.get("country", ("",))[0], meanings.get("state", ("",))[0])
        case "ages", []:
            return people.ages(sex)
    return _PLAIN[name]() if name in _PLAIN else None


def _cities(country: str, state: str) -> Table | None:
    """The table of cities; None for Georgia, which may be either, and for "Texas, Spain"."""
    if (state and country not in ("", "US")) or not places.places(country, state):
        return None
    return places.cities(country, state)


def _meanings(phrase: str) -> dict[str, tuple[str, ...]]:
    """What the words mean, by kind; empty where a word means nothing here."""
    words = _words(phrase) if len(phrase) <= LONGEST_PHRASE else []
    lexicon, longest = _lexicon()
    meanings: dict[str, tuple[str, ...]] = {}
    linked = False
    at = 0
    while at < len(words):
        decade, width = _decade(words[at : at + 3])
        if decade:
            senses: tuple[tuple[str, str], ...] = (("decade", decade),)
        else:
            spans = range(min(longest, len(words) - at), 0, -1)
            width = next((n for n in spans if tuple(words[at : at + n]) in lexicon), 0)
            senses = lexicon.get(tuple(words[at : at + width]), ())
        if not senses:
            return {}
        kinds = {kind for kind, _ in senses}
        if linked and not kinds & {*_WEIGHING, *_BETWEEN}:
            return {}
        linked = "links" in kinds or (linked and not kinds & _WEIGHING)
        for kind, value in senses:
            meanings[kind] = tuple(dict.fromkeys((*meanings.get(kind, ()), value)))
        at += width
    return {} if linked else meanings


def _words(text: str) -> list[str]:
    """The words without accents; a letter or mark of another kind ("≠") is a word for itself."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(c for c in letters if not unicodedata.combining(c))
    return re.findall(rf"[a-z0-9]+|[^{MARKS}]", plain)


def _decade(words: list[str]) -> tuple[str, int]:
    """The decade that starts here, and its number of words; "1950" alone is a year."""
    match words:
        case ["decada", "de", year] if re.fullmatch(r"(19|20)\d0", year):
            return year, 3
        case ["anos", short, *_] if re.fullmatch(r"[2-9]0", short):
            return "19" + short, 2
        case [decade, *_] if re.fullmatch(r"(19|20)\d0s", decade):
            return decade[:4], 1
    return "", 0


@cache
def _lexicon() -> tuple[dict[tuple[str, ...], tuple[tuple[str, str], ...]], int]:
    """The senses of each phrase, and the length of the longest."""
    senses: dict[tuple[str, ...], tuple[tuple[str, str], ...]] = {}
    for text, kind, value in _entries():
        words = tuple(_words(text))
        senses[words] = (*senses.get(words, ()), (kind, value))
    return senses, max(map(len, senses))


def _entries() -> Iterator[tuple[str, str, str]]:
    lexicon = tomllib.loads(WORDS.read_text(encoding="utf-8"))
    singular = {"tables": "table", "cues": "cue", "sexes": "sex", "countries": "country"}
    for section, texts_by_value in lexicon.items():
        for value, texts in texts_by_value.items():
            for text in texts:
                yield text, singular.get(section, section), value
    for code, name in places.country_names().items():
        yield name, "country", code
    for code, name in places.state_names().items():
        yield name, "state", code
