"""Names in other writing: `UK` and `United Kingdom`, `Einstein` and `Albert Einstein`. Pure."""

import re
from collections.abc import Iterator
from functools import lru_cache

from router.plans.agreement.number_words import ORDINALS
from router.plans.agreement.text import each, folded
from sandbox.tables.people import FIRST_DECADE, LAST_DECADE, first_names

_ALIASES = {
    "usa": "united states", "us": "united states", "united states of america": "united states",
    "ee uu": "united states", "eeuu": "united states", "ussr": "soviet union",
    "uk": "united kingdom", "great britain and northern ireland": "united kingdom",
    "czechia": "czech republic", "cote divoire": "ivory coast", "wwi": "world war 1",
    "wwii": "world war 2", "ww1": "world war 1", "ww2": "world war 2",
    "first world war": "world war 1", "second world war": "world war 2",
}  # fmt: skip
_IN_OTHER_LANGUAGES = {
    "germany": "deutschland alemania allemagne brd bundesrepublik_deutschland",
    "spain": "espana spanien espagne", "france": "frankreich francia",
    "italy": "italien italia italie", "austria": "osterreich autriche",
    "switzerland": "schweiz suisse suiza svizzera", "netherlands": "niederlande holland pays-bas",
    "united states": "estados_unidos etats_unis vereinigte_staaten",
    "united kingdom": "reino_unido royaume_uni vereinigtes_konigreich", "munich": "munchen",
    "cologne": "koln", "vienna": "wien viena", "rome": "roma rom", "london": "londres",
    "milan": "milano mailand", "venice": "venezia venedig venecia", "florence": "firenze florenz",
    "lisbon": "lisboa lissabon", "prague": "praha prag", "warsaw": "warszawa warschau",
    "moscow": "moskau moscu", "beijing": "peking pekin", "not applicable": "n/a",
}  # fmt: skip
_ALIASES |= {
    other.replace("_", " "): name
    for name, others in _IN_OTHER_LANGUAGES.items()
    for other in each(others)
}
_ROMAN = re.compile(r"(?=[IVXLC])(?:C{0,3}(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3}))")
_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}
_LITTLE = frozenset(each("of the and for de la del der die und et du des"))
_TITLES = frozenset(
    each("mr mrs ms miss dr prof professor sir president herr frau monsieur madame señor señora")
)
_PARTICLES = frozenset(each("van von der de la da di del den ter"))
_KINDS = frozenset({"river", "ocean", "mount", "mt", "mountain", "planet"})
# Names that without `River` are those of a state or a country.
_ALSO_LANDS = frozenset(
    each(
        """
    mississippi missouri colorado ohio delaware connecticut jordan niger congo senegal
    gambia paraguay uruguay indus tennessee alabama arkansas illinois iowa kansas minnesota
    wisconsin vernon pleasant rainier
    """
    )
)
# First names of people known by their last one, beyond those that a census counts.
_MORE_FIRST_NAMES = frozenset(
    each(
        """
    johann wolfgang ludwig friedrich galileo napoleon napoléon julius pablo honoré émile
    gustav gustave claude antonio vincent leonardo michelangelo niccolò marco cristóbal
    christopher ferdinand hernán simón fidel che jorge federico garcía miguel lope diego
    frida sigmund immanuel georg karl heinrich hans günter rainer thomas marie pierre jean
    jacques rené blaise louis victor simone edgar oscar arthur charlotte emily virginia
    agatha fyodor leo anton vladimir joseph mikhail alexander alexandre dmitri ivan nikola
    niels erwin werner max enrico alan ada isaac charles stephen rosalind neil buzz yuri
    mahatma nelson winston abraham george benjamin thomas barack
    """
    )
)
_NO_SURNAMES = frozenset(
    each(
        """
    river lake city state street bridge tower island islands ocean sea mountain park castle
    bay war school university company house square beach valley texas
    """
    )
)


@lru_cache(maxsize=1)
def _first_names() -> frozenset[str]:
    decades = range(FIRST_DECADE, LAST_DECADE + 1, 10)
    counted = {name.lower() for decade in decades for name in first_names(decade).labels}
    return frozenset(counted | _MORE_FIRST_NAMES)


def one_name(plain: str) -> str:
    """The one way to write a name that has several."""
    return _ALIASES.get(plain, _ALIASES.get(folded(plain), plain))


def with_figures(words: list[str]) -> list[str]:
    """Words with `XIV`, and `Eighth` at the end of a name, in figures: `Louis 14`, `Henry 8`."""
    figures = list(words)
    if len(words) > 1 and len(words[0]) > 1 and roman(words[0]) and words[1].islower():
        figures[0] = f"{roman(words[0])}th"  # IX edition
    for n in range(1, len(words)):
        if not words[n - 1][:1].isupper() and words[n - 1] != "the":
            continue
        word = words[n].strip(",.;:!?")
        if word == "Ier":
            figures[n] = "1"
        elif roman(word) and (len(word) > 1 or word in "IVX"):
            figures[n] = str(roman(word))
        elif n == len(words) - 1 and words[n - 1] == "the" and n > 1 and words[n - 2].istitle():
            figures[n] = str(ORDINALS.get(word.lower(), words[n]))
    return figures


def roman(word: str) -> int:
    """The number that a word in Roman numerals is; 0 for another word."""
    if not _ROMAN.fullmatch(word):
        return 0
    values = [_VALUES[letter] for letter in word]
    later = [*values[1:], 0]
    return sum(-v if v < after else v for v, after in zip(values, later, strict=True))


def abbreviation(text: str) -> str:
    """The letters of a text that is an abbreviation in capital letters, such as `U.S.A.`."""
    letters = text.replace(".", "").replace(" ", "")
    dotted = re.fullmatch(r"(?:[A-Z]\. ?){1,5}[A-Z]\.?|[A-Z]{2,6}(?:I{1,3}|\d)?", text)
    return letters if dotted else ""


def short_names(text: str) -> Iterator[str]:
    """Shorter names of what a text names: its abbreviation as `#UK`, a surname, `nile` for `the
    Nile River`. Two names with the same short name may still be two."""
    words = [word.strip(",") for word in text.split()]
    if not 2 <= len(words) <= 7 or any(not word or not word[0].isalnum() for word in words):
        return
    if "," not in text:
        yield from _initials(words)
    named = [w for w in words if w.lower() not in ("the", "der", "die", "le", "la", "el", "l'")]
    if len(named) < 2 or not all(w[0].isupper() or w in _PARTICLES or w in _KINDS for w in named):
        return
    plain = [folded(word).strip(".") for word in named]
    if len(named) == 2:
        yield from _without_kind(plain)
    if plain[0] in _TITLES:
        yield " ".join(plain[1:])
    surname = named[-1]
    rest = [w for w in named[1:-1] if w not in _PARTICLES and not re.fullmatch(r"[A-Z]\.?", w)]
    given = _first_names()
    if (
        "," not in text
        and named[0].lower() in given
        and all(word.lower() in given for word in rest)
        and surname.istitle()
        and len(surname) > 2
        and plain[-1] not in _NO_SURNAMES
        and len(named) <= 4
    ):
        yield plain[-1]
        particles = [n for n, w in enumerate(named) if w in _PARTICLES]
        if particles:
            yield " ".join(plain[particles[0] :])


def _without_kind(plain: list[str]) -> Iterator[str]:
    for kind, other in (plain, reversed(plain)):
        if kind in _KINDS and other not in _ALSO_LANDS:
            yield other


def _initials(words: list[str]) -> Iterator[str]:
    telling = [word for word in words if word.lower() not in _LITTLE]
    if len(telling) < 2 or any(word.isdigit() for word in telling[:-1]):
        return
    last = telling[-1]
    end = last if _ROMAN.fullmatch(last) or last.isdigit() else last[0].upper()
    yield "#" + "".join(word[0].upper() for word in telling[:-1]) + end
