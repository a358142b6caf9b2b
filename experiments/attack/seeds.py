"""Texts that make a regular expression slow, worked out from the expression itself.

A search gets slow where it tries many ways to match the same text. Such texts repeat what the
expression repeats, behind what it wants first, and end with a character that nothing matches.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

_LONG_REPEAT = 8  # a part that may repeat this often counts as repeated without end
_END = "\x00"
_CLASSES = {
    "CATEGORY_SPACE": " \n",
    "CATEGORY_DIGIT": "1",
    "CATEGORY_WORD": "a",
    "CATEGORY_NOT_SPACE": "a",
    "CATEGORY_NOT_DIGIT": "a",
    "CATEGORY_NOT_WORD": "-",
}
_CANDIDATES = " \n1aB_-,.;:=()[]{}\"'|@/"


@dataclass(frozen=True, slots=True)
class Seed:
    """A text that begins with `head`, repeats `unit`, and ends with `tail`."""

    head: str
    unit: str
    tail: str = ""

    def text(self, size: int) -> str:
        return (self.head + self.unit * (size // len(self.unit) + 1))[:size] + self.tail


# Texts that are hard for many patterns: single characters, pairs, and the words of requests.
COMMON = tuple(
    Seed("", unit)
    for unit in (
        *(" ", "\n", "\t", "\r", "1", "a", "A", ".", ",", "-", "_", "#", "*", "`", '"', "'", "|"),
        *("[", "{", "(", "]", "}", ")", "<", "$", "%", "\\", "@", "/", "\u00e9", "\u2003"),
        *("a.", "1.", "1,", "1 ", "a ", "a\n", "1\n", " \n", "a@", "a@b.", "/a", "1-"),
        *("1, ", "1,000", ",111", "0.", "1e", "**a", "[1,", "[[1],", '{"a":', '"a",', "a=", "a: "),
        *("a,b\n", "- a\n", "```\n", "<!--", "N(", "don't ", "word. "),
        *("mean ", "normal ", "age ", "of the ", "and ", "a and b ", "between 1 and 2 "),
    )
)  # fmt: skip


def seeds(pattern: "re.Pattern[str]") -> list[Seed]:
    """Texts that may be slow for this pattern."""
    made: dict[Seed, None] = {}
    for head, unit in _repeats(_parser.parse(pattern.pattern, pattern.flags), ""):
        for seed in (Seed(head, unit), Seed("", head + unit), Seed("", unit)):
            if seed.unit:
                made |= {seed: None, Seed(seed.head, seed.unit, _END): None}
    return list(made)


def _repeats(sequence: Any, head: str) -> Iterator[tuple[str, str]]:
    """Each repeated part of an expression, with a text for what the expression wants before it."""
    for code, argument in sequence:
        if code is codes.BRANCH:
            for branch in argument[1]:
                yield from _repeats(branch, head)
        elif code is codes.SUBPATTERN:
            yield from _repeats(argument[-1], head)
        elif code in (codes.ASSERT, codes.ASSERT_NOT):
            yield from _repeats(argument[1], head)
        elif code in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
            _, most, inner = argument
            if most is codes.MAXREPEAT or most >= _LONG_REPEAT:
                yield from ((head, unit) for unit in _matches(inner, 5))
            yield from _repeats(inner, head)
        elif code is codes.ATOMIC_GROUP:
            yield from _repeats(argument, head)
        head += _of_node(code, argument, 1)[0]
    yield "", head


def _matches(sequence: Any, most: int) -> list[str]:
    """Some texts that an expression matches."""
    texts = [""]
    for code, argument in sequence:
        ends = _of_node(code, argument, most)
        longest = range(max(len(texts), len(ends)))
        texts = [texts[i % len(texts)] + ends[i % len(ends)] for i in longest]
        texts = list(dict.fromkeys(texts))[:most]
    return texts


def _of_node(code: Any, argument: Any, most: int) -> list[str]:
    if code is codes.LITERAL:
        return [chr(argument)]
    if code is codes.NOT_LITERAL:
        return ["a" if argument != ord("a") else "b"]
    if code is codes.ANY:
        return ["a", " ", "1"][:most]
    if code is codes.IN:
        return _of_class(argument)[:most]
    if code is codes.BRANCH:
        branches = [_matches(branch, 1)[0] for branch in argument[1]]
        step = max(1, len(branches) // most)
        return branches[::step][:most]
    if code is codes.SUBPATTERN:
        return _matches(argument[-1], most)
    if code is codes.ATOMIC_GROUP:
        return _matches(argument, most)
    if code in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
        least, _, inner = argument
        return [text * max(least, 1) for text in _matches(inner, most)]
    return [""]


def _of_class(members: Any) -> list[str]:
    given = [member for member in members if member[0] is not codes.NEGATE]
    if len(given) == len(members):
        return list(dict.fromkeys(text for member in given for text in _of_member(*member)))
    return [c for c in _CANDIDATES if not any(_holds(code, value, c) for code, value in given)] or [
        "\x01"
    ]


def _of_member(code: Any, argument: Any) -> str:
    if code is codes.LITERAL:
        return chr(argument)
    if code is codes.RANGE:
        return chr(argument[0])
    return _CLASSES.get(str(argument), "a")


def _holds(code: Any, argument: Any, character: str) -> bool:
    if code is codes.LITERAL:
        return bool(ord(character) == argument)
    if code is codes.RANGE:
        return bool(argument[0] <= ord(character) <= argument[1])
    matches = {
        "CATEGORY_SPACE": character.isspace(),
        "CATEGORY_DIGIT": character.isdigit(),
        "CATEGORY_WORD": character.isalnum() or character == "_",
    }
    name = str(argument)
    return not matches.get(name.replace("NOT_", ""), False) if "NOT" in name else matches[name]
