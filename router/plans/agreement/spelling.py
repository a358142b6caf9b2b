"""One spelling for the words of an answer. Pure."""

import re
import unicodedata
from collections.abc import Iterator

from router.plans.agreement.names import with_figures
from router.plans.agreement.number_words import EN, EN_TENS, ORDINALS, in_words
from router.plans.agreement.text import without_accents
from router.plans.agreement.words import written_out

_LONGEST = 200  # characters of a text whose names and numbers are spelled in one way
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻ⁿ", "0123456789-n")
_LOWERED = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_SIGNS = str.maketrans(
    {"\u2019": "'", "\u2018": "'", "\u2212": "-", "\u2013": "-", "\u00a0": " ", "\u202f": " "}
)
# Marks that change no answer. Points, commas, colons and hyphens between digits, signs before
# digits, operators and signs of mathematics do: 1.5 is not 15, 3:1 is not 31, and `a != b` is not
# `a == b`.
_MARKS = re.compile(
    r"[.,:](?!\d)|(?<!\d)[,:]|(?<=\d),(?=\d{3}(?!\d))|!(?![=\w(])|(?<=\w)!(?=[\s\w])"
    r"|(?<=[^\W\d])-(?=\W|\Z)|(?<=\s)-(?=\s)|(?<!\w)_|_(?!\w)|[?;'\"`\u201c\u201d\u201e«»¡¿…\u2014]"
)
_SPACES = str.maketrans("?;", "  ")
_NO_BRACKETS = str.maketrans("()[]{}", "      ")
_HYPHEN = re.compile(r"(?<=[^\W\d])-(?=\w)|(?<=\w)-(?=[^\W\d])")
_CALCULATES = re.compile(r"[-+*/^=<>|&~]")
_SPELLING = (
    (re.compile(r"\b(col|fav|hon|lab|harb|flav|behavi|neighb|hum)our"), r"\1or"),
    (re.compile(r"\b(cent|theat|fib|met|lit)re(s?)\b"), r"\1er\2"),
    (re.compile(r"\bgrey"), "gray"),
    (re.compile(r"\baluminium"), "aluminum"),
    (re.compile(r"\bversion (?=\d)|\bv\. ?(?=\d)"), "v"),
    (re.compile(r"\b([1-4])(?:st|nd|rd|th) quarter\b"), r"q\1"),
    (re.compile(r"\b(q[1-4]) of (?=\d{4})"), r"\1 "),
    (re.compile(r"\bp\. ?(?=\d)"), "page "),
    (re.compile(r"\bokay\b"), "ok"),
    (re.compile(r"\b(\w{3,12})is(e[sd]?|ing|ation)\b(?<!wise)(?<!rise)(?<!vise)"), r"\1iz\2"),
)
ARTICLES = frozenset(
    [
        *("the", "a", "an", "der", "die", "das", "ein", "eine", "le", "la", "les", "un", "une"),
        *("el", "los", "las", "una", "il", "lo", "l"),
    ]
)


def in_one_line(text: str) -> str:
    """A list with a line for each item, as a list with commas."""
    lines = [line for line in text.split("\n") if line.strip()]
    if len(lines) < 2 or not all(_ITEM.match(line) for line in lines):
        return text
    return ", ".join(_ITEM.sub("", line, count=1).strip(" .,;") for line in lines)


_ITEM = re.compile(r"\s*(?:[-*\u2022]|\d{1,2}[.)])\s+")


def in_plain_signs(text: str) -> str:
    """The text with one kind of apostrophe, hyphen and space, and `10^8` for raised figures."""
    text = re.sub(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁻ⁿ]+", lambda m: "^" + m[0].translate(_RAISED), text)
    return unicodedata.normalize("NFC", text.translate(_LOWERED).translate(_SIGNS))


def plain_words(text: str) -> str:
    """The words of a text in lower case and in one spelling, without marks that change nothing."""
    text = in_plain_signs(text)
    if len(text) <= _LONGEST:
        text = " ".join(_in_figures(with_figures([_unaccented(word) for word in text.split()])))
    plain = written_out(text.lower())
    if len(text) <= _LONGEST:
        plain = re.sub(r"(?<=[^\W\d]{2}) & (?=[^\W\d]{2})", " and ", plain)
        if ", " in plain:
            plain = re.sub(r",? (?:and|y|und|et) (?=[^,]{1,60}\Z)", ", ", plain)
        plain = re.sub(r"\b((?:\w\.){2,6})", lambda m: m[0].replace(".", ""), plain)
        for pattern, spelling in _SPELLING:
            plain = pattern.sub(spelling, plain)
    plain = _HYPHEN.sub(" ", _MARKS.sub("", plain.translate(_SPACES)))
    if not _CALCULATES.search(plain):
        plain = plain.translate(_NO_BRACKETS)
    return " ".join(plain.split())


def with_whole_words(text: str) -> str:
    """`Mount Everest` for `Mt. Everest`, `12 Mill Street` for `12 Mill St.`"""
    words = text.split()
    for n, word in enumerate(words):
        last = n == len(words) - 1
        names = _STREETS if last and n else _BEFORE_NAMES
        if word.rstrip(".,") in names and (last or words[n + 1][0].isupper()):
            words[n] = names[word.rstrip(".,")]
    return " ".join(words)


_BEFORE_NAMES = {"Mt": "Mount", "St": "Saint", "Ft": "Fort"}
_STREETS = {"St": "Street", "Ave": "Avenue", "Rd": "Road", "Blvd": "Boulevard", "Str": "Straße"}


def _unaccented(word: str) -> str:
    """A name without its accents; other words may differ by them alone."""
    if word.isascii() or not word[:1].isupper():
        return word
    return without_accents(word)


def _in_figures(words: list[str]) -> Iterator[str]:
    """English numbers in words as figures: `three apples`, `the eighth`, `World War Two`."""
    for word in words:
        plain = word.strip(",.;:!?").lower()
        if plain in ORDINALS:
            number = ORDINALS[plain]
            ending = {1: "st", 2: "nd", 3: "rd"}.get(number, "th")
            yield word.lower().replace(plain, f"{number}{ending}")
        elif plain in _CARDINALS:
            yield word.lower().replace(plain, str(in_words([plain])))
        else:
            yield word


_CARDINALS = frozenset((*EN[2:], *EN_TENS))  # `one` is mostly no number


def without_articles(words: list[str]) -> list[str]:
    return [word for word in words if word not in ARTICLES]
