"""The lexicon: groups of words with the same meaning, and the groups that name units. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

from router.request.stemming import stem


@dataclass(frozen=True)
class Lexicon:
    names: Mapping[str, str]  # the group of each word and phrase
    units: frozenset[str]  # names of the groups that are units of measurement
    phrases: re.Pattern[str]


@cache
def lexicon() -> Lexicon:
    names: dict[str, str] = {}
    units: set[str] = set()
    section = ""
    for line in (files("router") / "reuse" / "lexicon.txt").read_text("utf-8").splitlines():
        if line.startswith("["):
            section = line
        elif line and not line.startswith("#"):
            group = line.split()
            names |= {word: group[0] for word in group if word not in names}
            if section == "[units]":
                units.add(group[0])
    phrases = sorted((w.replace("-", "[ -]") for w in names if "-" in w), key=len, reverse=True)
    return Lexicon(names, frozenset(units), re.compile(rf"\b(?:{'|'.join(phrases)})\b"))


@lru_cache(maxsize=65_536)
def group_of(word: str) -> str:
    """The group of a word in any of its forms; without a group, the base form of the word."""
    names = lexicon().names
    if "_" in word:  # a phrase in one word
        phrase = word.replace("_", "-")
        return names.get(phrase, phrase)
    if word.startswith("^"):  # an acronym has no other forms
        return names.get(word, word)
    base = stem(word)
    return names.get(word) or names.get(base) or base
