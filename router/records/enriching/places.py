"""Chooses one place for each record, and gives the values of the record's fields there.

The place agrees as far as possible with the given values and with the shape.
"""

import random
import re
from collections.abc import Iterator, Sequence

from router.records.catalogue.naming import words_of
from router.records.effort import spend
from router.records.enriching.atlas import place_named, state_code, three_letters
from router.records.enriching.facts import Facts
from router.records.enriching.place_table import IN_SPANISH, PLACES, Place
from router.records.nodes import Node, OneOf, ShapeLeaf

# How much a field's value counts when a place is chosen.
_WEIGHTS = {
    "country_code": 8.0, "country": 8.0, "city": 4.0, "region": 2.0, "phone": 1.5,
    "dial_code": 1.0, "currency": 1.0, "timezone": 1.0, "postcode": 3.0,
}  # fmt: skip
_OTHER_NAMES = {
    "usa": "US", "u.s.a.": "US", "u.s.": "US", "united states of america": "US", "america": "US",
    "uk": "GB", "great britain": "GB", "england": "GB", "deutschland": "DE", "holland": "NL",
    "the netherlands": "NL", "czech republic": "CZ", "türkiye": "TR", "uae": "AE", "korea": "KR",
}  # fmt: skip

_PERSONS = frozenset(("name", "first_name", "last_name"))
# Words of fields' names that a country has for its addresses.
_HOME_WORDS = (
    ("US", frozenset(("zip", "state"))), ("GB", frozenset(("postcode", "county"))),
    ("ES", frozenset(("provincia",))),
)  # fmt: skip
_HOMES = {"es": "ES"}  # where most records in a language are at home
_FROM_SPANISH = {spanish.lower(): english for english, spanish in IN_SPANISH.items()}


def place_values(
    facts: Facts, concept: str, node: Node, *, short: bool = False
) -> Iterator[object]:
    """The values that a concept has at the record's place, the best first; `short`: codes of
    states rather than their names."""
    place = place_of(facts)
    match concept:
        case "phone":
            yield _phone(place, facts.random)
        case "postcode":
            yield _with_digits(place.postcode, facts.random)
        case "dial_code":
            yield f"+{place.dial_code}"
        case "language_code":
            yield place.language
        case "region" if short and place.country_code == "US":
            yield state_code(place.region)
        case "country_code" if _three_letters(node):
            yield three_letters(place.country_code)
        case "locale":
            yield f"{place.language}_{place.country_code}"
        case "latitude" | "longitude":
            yield round(getattr(place, concept) + facts.random.uniform(-0.05, 0.05), 6)
        case "city" | "region" | "country" if facts.language == "es" and not isinstance(
            node, OneOf
        ):
            name = getattr(place, concept)
            yield IN_SPANISH.get(name, name)
        case "country" if isinstance(node, OneOf):
            yield place.country
            yield place.country_code
        case _:
            yield getattr(place, concept)


def _three_letters(node: Node) -> bool:
    """Whether the examples of a field write countries in three letters."""
    texts = node.examples if isinstance(node, ShapeLeaf) else ()
    return bool(texts) and all(isinstance(t, str) and len(t) == 3 for t in texts)


def place_of(facts: Facts) -> Place:
    if facts.place is None:
        facts.place = _from_atlas(facts)
    if facts.place is None:
        scores = [(_agreement(facts, place), place) for place in PLACES]
        best = max(score for score, _ in scores)
        if best == 0:
            scores = [(_at_home(facts, place), place) for place in PLACES]
            best = max(score for score, _ in scores)
        fitting = [place for score, place in scores if score == best]
        if facts.start_of_way is not None:
            other = place_of(facts.start_of_way)
            fitting = [place for place in fitting if place.city != other.city] or fitting
        facts.place = facts.random.choice(fitting)
    return facts.place


def _at_home(facts: Facts, place: Place) -> float:
    """Whether a record of which no value says where it is may be at home in a place."""
    home = facts.home or _HOMES.get(facts.language, "")
    if home:
        return float(place.country_code == home)
    if _PERSONS & {*facts.values, *facts.nodes}:  # a person where the person's name is usual
        return float(place.language == facts.language)
    return 0.0


def _country_of(codes: Sequence[str]) -> str:
    """The one country that has post codes of such form, where letters say so; empty if none."""
    if not all(any(letter.isalpha() for letter in code) for code in codes):
        return ""
    forms = {p.country_code: re.sub(r"[A-Z]+", "@", p.postcode.replace("@", "A")) for p in PLACES}
    own = {re.sub(r"[A-Z]+", "@", re.sub(r"\d+", "#", code)) for code in codes}
    wanted = {re.sub("#+", "#", form): country for country, form in forms.items() if "@" in form}
    countries = {wanted.get(form, "") for form in own}
    return countries.pop() if len(countries) == 1 else ""


def home_of(keys: Sequence[str], shown: str, codes: Sequence[str] = ()) -> str:
    """The country of the examples, or whose addresses have fields of such names; empty if neither
    says."""
    if shown:
        return next((p.country_code for p in PLACES if _agrees("country", shown, p)), "")
    if codes:
        return _country_of(codes)
    words = {word for key in keys for word in words_of(key)}
    return next((country for country, own in _HOME_WORDS if own <= words), "")


def _from_atlas(facts: Facts) -> Place | None:
    """The place in the atlas that the record names; None if `PLACES` already has the place."""
    country = facts.values.get("country_code") or facts.values.get("country")
    given = (facts.values.get("city"), country)
    city, country = (text if isinstance(text, str) else "" for text in given)
    city, country = (_FROM_SPANISH.get(name.lower(), name) for name in (city, country))
    country = _OTHER_NAMES.get(country.lower(), country)
    if not city and not country:
        return None
    for place in PLACES:
        same_country = not country or _agrees("country", country, place)
        if same_country and (not city or _agrees("city", city, place)):
            return None
    return place_named(city, country)


def _agreement(facts: Facts, place: Place) -> float:
    score = 0.0
    for concept, weight in _WEIGHTS.items():
        value, node = facts.values.get(concept), facts.nodes.get(concept)
        if isinstance(value, str):
            score += weight * _agrees(concept, value, place)
        elif isinstance(node, OneOf) and node.values and concept not in ("phone", "dial_code"):
            spend(len(node.values) // 10)
            score += weight * max(_agrees(concept, str(v), place) for v in node.values)
    return score


def _agrees(concept: str, value: str, place: Place) -> float:
    """How well a record's value agrees with a place, from 0 to 1."""
    text = _FROM_SPANISH.get(value.strip().lower(), value.strip()).lower()
    if concept in ("country", "country_code"):
        code = _OTHER_NAMES.get(text, text.upper())
        return float(code == place.country_code or text == place.country.lower())
    if concept == "phone":
        digits = re.sub(r"\D", "", text)
        if not text.startswith("+") or not digits.startswith(place.dial_code):
            return 0.0
        return 0.8 + 0.2 * digits.removeprefix(place.dial_code).startswith(place.area)
    if concept == "postcode":
        return float("#" in place.postcode and has_postcode(value, place))
    if concept == "dial_code":
        return float(text.lstrip("+") == place.dial_code)
    return float(text == str(getattr(place, concept)).lower())


def has_postcode(text: str, place: Place) -> bool:
    """Whether a text is a post code of the place, by its pattern."""
    form = re.escape(place.postcode).replace(re.escape("#"), "[0-9]").replace("@", "[A-Z]")
    return re.fullmatch(form, text.strip()) is not None


def _phone(place: Place, chance: random.Random) -> str:
    local_digits = 7 if len(place.area) <= 3 else 6
    number = _with_digits("5" + "#" * (local_digits - 1), chance)
    return " ".join(part for part in (f"+{place.dial_code}", place.area, number) if part)


def _with_digits(pattern: str, chance: random.Random) -> str:
    """Replace each `#` of a pattern by a random digit, and each `@` by a letter."""
    kinds = {"#": "123456789" if "@" in pattern else "0123456789", "@": "ABDEFGHJLNPQRSTUWXYZ"}
    return "".join(chance.choice(kinds[c]) if c in kinds else c for c in pattern)
