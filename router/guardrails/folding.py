"""Folds a text so that words that read alike compare alike, and keeps the place of each character.

Case, accents of Latin letters, Unicode's compatible forms and invisible signs make no difference.
Within a word that has Latin letters, Cyrillic and Greek letters of the same look count as Latin.

Not covered: digits for letters, signs between letters, words in letters of one other alphabet.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

_INVISIBLE = frozenset(
    "\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\ufeff"
)
_ALIKE = str.maketrans(
    "авсԁеһіјкӏмнорԛѕтԝхуүвгπαβεικνορτυχωԍѡ",
    "abcdehijklmhopqstwxyyb" + "rnabeikvoptuxwgw",
)
_OTHER_LETTERS = {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "œ": "oe", "æ": "ae", "ħ": "h"}
_WORD = re.compile(r"[^\W\d_]{2,200}")
_LATIN = re.compile(r"[a-z]")
_NOT_LATIN = re.compile(r"[\u0370-\u052f]")


def folded(text: str) -> tuple[str, Sequence[int] | None]:
    """A text for comparison, and the place in the text of each of its characters; None: the same
    places."""
    if text.isascii():
        return text.lower(), None
    chars: list[str] = []
    places: list[int] = []
    for place, char in enumerate(text):
        for plain in _folded_char(char):
            chars.append(plain)
            places.append(place)
    return _WORD.sub(_alike, "".join(chars)), places


def plain(text: str) -> tuple[str, Sequence[int] | None]:
    """A text in Unicode's compatible form without invisible signs, in its own case."""
    if text.isascii():
        return text, None
    chars: list[str] = []
    places: list[int] = []
    for place, char in enumerate(text):
        for compatible in "" if char in _INVISIBLE else unicodedata.normalize("NFKC", char):
            chars.append(compatible)
            places.append(place)
    return "".join(chars), places


@lru_cache(maxsize=8192)
def _folded_char(char: str) -> str:
    if char in _INVISIBLE or "\u0300" <= char <= "\u036f":
        return ""
    lower = unicodedata.normalize("NFKC", char).casefold()
    if any("\u0400" <= each <= "\u052f" for each in lower):
        return lower  # an accent makes another letter in Cyrillic
    bare = (
        each for each in unicodedata.normalize("NFKD", lower) if not "\u0300" <= each <= "\u036f"
    )
    return "".join(_OTHER_LETTERS.get(each, each) for each in bare)


def _alike(match: re.Match[str]) -> str:
    word = match.group()
    if not (_LATIN.search(word) and _NOT_LATIN.search(word)):
        return word
    return word.translate(_ALIKE)
