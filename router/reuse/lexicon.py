"""The words that the guards know: spelling variants, units, and classes that may not differ."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

from router.request.stemming import stem


@dataclass(frozen=True)
class Lexicon:
    spelling: Mapping[str, str]  # the form that stands for each variant, phrases with underscores
    phrases: frozenset[str]  # the variants of several words, with spaces
    units: frozenset[str]
    idle: frozenset[str]
    negations: frozenset[str]
    not_negations: frozenset[str]
    quantifiers: Mapping[str, str]
    modals: Mapping[str, str]
    pronouns: Mapping[str, str]
    relations: Mapping[str, str]
    movable: frozenset[str]
    opposites: Mapping[str, frozenset[str]]
    formats: Mapping[str, str]
    tongues: frozenset[str]
    code: frozenset[str]
    tasks: Mapping[str, str]
    telling: frozenset[str]
    texts: frozenset[str]
    light: frozenset[str]
    acting: frozenset[str]


@cache
def lexicon() -> Lexicon:
    text = (files("router") / "reuse" / "words.toml").read_text("utf-8")
    words = tomllib.loads(text)
    same, units = _groups(words["spelling"]["same"]), _groups(words["spelling"]["units"])
    spelling = same | {variant: name for variant, name in units.items() if variant not in same}
    opposites: dict[str, set[str]] = {}
    for pair in _lists(words["opposite"]["pairs"]):
        first, second = (stem(word) for word in pair)
        opposites.setdefault(first, set()).add(second)
        opposites.setdefault(second, set()).add(first)
    return Lexicon(
        spelling={variant.replace("-", "_"): name for variant, name in spelling.items()},
        phrases=frozenset(v.replace("-", " ") for v in spelling if "-" in v),
        units=frozenset(units.values()),
        idle=frozenset(words["idle"]["words"].split()),
        negations=frozenset(words["negation"]["words"].split()),
        not_negations=frozenset(words["negation"]["plain"].split()),
        quantifiers=_groups(words["quantifier"]["groups"]),
        modals=_groups(words["modal"]["groups"]),
        pronouns=_groups(words["pronoun"]["groups"]),
        relations=_groups(words["relation"]["groups"]),
        movable=frozenset(words["relation"]["movable"].split()),
        opposites={word: frozenset(others) for word, others in opposites.items()},
        formats={stem(word): name for word, name in _groups(words["format"]["groups"]).items()},
        tongues=frozenset(words["tongue"]["words"].split()),
        code=frozenset(words["code"]["words"].split()),
        tasks=_groups(words["task"]["groups"]),
        telling=frozenset(words["task"]["telling"].split()),
        texts=frozenset(words["task"]["texts"].split()),
        light=frozenset(stem(word) for word in words["light"]["words"].split()),
        acting=frozenset(words["pronoun"]["acting"].split()),
    )


@lru_cache(maxsize=65_536)
def form_of(word: str) -> str:
    """The one form of a word's variants: its base form, in the spelling that stands for all."""
    names = lexicon().spelling
    if word.startswith("^") or "_" in word:
        plain = word.lstrip("^")
        return names.get(word) or names.get(plain) or plain
    base = stem(word)
    return names.get(word) or names.get(base) or base


def _lists(text: str) -> list[list[str]]:
    return [
        group.split()
        for line in text.strip().splitlines()
        for group in line.split(",")
        if group.strip()
    ]


def _groups(text: str) -> dict[str, str]:
    """The first word of each group, by each of its words."""
    return {word: group[0] for group in reversed(_lists(text)) for word in group}
