"""Names the parts of a request that a program does not report as used.

A program reports the numbers, names and comparisons of its request as parameters. What it does not
report, it may have ignored, so such a clause is never certified. Not promised: that a program uses
what it reports, which only a second program can tell.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sandbox.free.quantities import quantities_in

_FILE = Path(__file__).parent / "clauses.toml"
_IDLE_FILE = Path(__file__).parent / "idle_words.txt"
_LONGEST = 6_000  # characters of a request that are read; what follows counts as left out
_LONG_TEXT = 80  # characters of a parameter that may hold the request's own sentences
_IDLE_SHARE = 0.25  # of the words of a sentence
_MOST_VALUES = 200_000  # numbers and texts of the parameters
_MOST_TEXTS = 1_000  # items of a list whose texts are read
_MOST_SHOWN = 60  # characters of a clause
_MOST_NAMED = 20  # clauses

_NUMBER = r"(?:\d+|two|three|four|five|six|ten|dos|tres|cuatro|cinco|diez|few)"
_QUOTED = re.compile(
    r"\"([^\"\n]{1,80})\"|“([^”\n]{1,80})”|«([^»\n]{1,80})»|`([^`\n]{1,80})`|(?<!\w)'([^'\n]{2,80})'(?!\w)"
)
_PARTS = re.compile(
    r"(?<!\d),|,(?!\d)|[;?!\n()¿¡]+|\.(?!\d)|:(?!\d)|\s[-–—]\s"  # noqa: RUF001 - as people write
    r"|(?<!\w)(?:and|but|then|while|y|pero)(?!\w)"
)
_OPENERS_FILE = Path(__file__).parent / "opening_words.txt"
_OPENING = re.compile(r"\A\w+(?:ed|ly|ado|ada|ados|adas|mente)", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+")
_SIGNS = re.compile(r"[^\W_]+|[≥≤<>=]+")
_STEM = 5  # letters by which two words are the same
_LONG_STEM = 7  # letters by which a word of a clause is the same


@dataclass(frozen=True, slots=True)
class _Clause:
    phrases: re.Pattern[str]
    echoed: tuple[str, ...]
    scope: str  # what can echo it: `all`, `values` (texts and names of figures) or `names`


def unechoed(
    text: str, parameters: Mapping[str, Any], names: Sequence[str] = ()
) -> tuple[str, ...]:
    """The numbers, quoted names and clauses of a request that are not among the parameters.

    `names` are the names of the answer's figures and columns: a request for an average is echoed by
    a figure called `average`.
    """
    beyond = text[_LONGEST:].strip()
    text = text[:_LONGEST]
    leaves = list(_leaves(parameters))
    numbers = [value for value in leaves if not isinstance(value, str)]
    words = [value for value in leaves if isinstance(value, str) and not _is_sentence(value)]
    for each in words:
        plain = _spaced(each).replace("/", " / ")  # the parts of 18/37 are echoed too
        numbers += [value for quantity in quantities_in(plain) for value in quantity.values]
    named = _evidence(names)
    texts = _evidence(_texts(parameters)) + named
    evidence = _evidence(words) + named
    scopes = {"all": evidence, "values": texts, "names": named}
    clauses = [match for clause in _clauses() for match in clause.phrases.finditer(text)]
    missing = [
        *_missing_numbers(text, numbers, _sizes(parameters)),
        *_missing_quotes(text, evidence),
        *_missing_clauses(text, scopes),
        *_missing_parts(text, evidence, [match.start() for match in clauses]),
    ]
    names_of_parts = _named(text, missing)
    return (*names_of_parts, "the end of the request") if beyond else names_of_parts


@cache
def _clauses() -> tuple[_Clause, ...]:
    with _FILE.open("rb") as file:
        written = tomllib.load(file)["clause"]
    return tuple(
        _Clause(_phrases(each["said"]), tuple(each["echoed"]), each.get("scope", "all"))
        for each in written
    )


@cache
def _idle() -> frozenset[str]:
    return frozenset(_IDLE_FILE.read_text(encoding="utf-8").split())


@cache
def _openers() -> frozenset[str]:
    """Words with which a part begins that changes what is asked, rather than tells a story."""
    return frozenset(_OPENERS_FILE.read_text(encoding="utf-8").split())


def _phrases(written: Iterable[str]) -> re.Pattern[str]:
    alternatives = []
    for phrase in sorted(written, key=len, reverse=True):
        words = re.escape(phrase).replace(r"\*", r"\w*").replace(r"\#", _NUMBER)
        words = words.replace(r"\ ", r"\s+")
        before = r"(?<!\w)" if phrase[0].isalnum() else ""
        after = r"(?!\w)" if phrase[-1].isalnum() or phrase[-1] == "#" else ""
        alternatives.append(f"{before}{words}{after}")
    return re.compile("|".join(alternatives), re.IGNORECASE)


def _leaves(value: Any) -> Iterator[str | float]:
    """All keys, texts and numbers of the parameters."""
    stack, seen = [value], 0
    while stack and seen < _MOST_VALUES:
        seen += 1
        item = stack.pop()
        if isinstance(item, Mapping):
            for key, inner in item.items():
                yield str(key)
                stack.append(inner)
        elif isinstance(item, str):
            yield item
        elif isinstance(item, int | float) and not isinstance(item, bool):
            yield float(item)
        elif isinstance(item, Sequence):
            stack.extend(item)


def _texts(value: Any) -> list[str]:
    """All texts among the values of the parameters."""
    if isinstance(value, str):
        return [] if _is_sentence(value) else [value]
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return [text for item in value[:_MOST_TEXTS] for text in _texts(item)]
    return []


def _is_sentence(value: str) -> bool:
    """Whether a parameter quotes sentences: a copy of the request reports nothing of it."""
    if len(value) <= _LONG_TEXT:
        return False
    words = _WORD.findall(value.lower())
    return sum(word in _idle() for word in words) > _IDLE_SHARE * len(words)


def _spaced(words: str) -> str:
    """`atLeast_3` as `at Least 3`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|_+", " ", words)


def _evidence(words: Iterable[str]) -> str:
    signs = (sign for each in words for sign in _SIGNS.findall(_spaced(each).lower()))
    return f" {' '.join(signs)} "


def _sizes(parameters: Mapping[str, Any]) -> set[float]:
    """How many values lists have, and how many keys are alike, such as `judge_1` and `judge_2`.

    A small number in words, as in `two judges`, is mostly such a size.
    """
    sizes: set[float] = set()
    stack: list[Any] = [parameters]
    while stack and len(sizes) < _MOST_VALUES:
        item = stack.pop()
        if isinstance(item, Mapping):
            alike = Counter(
                re.sub(r"_?(?:(?<!\d)\d++|[a-z])$", "", str(key).lower()) for key in item
            )
            sizes |= {float(count) for count in alike.values()} | {float(len(item))}
            stack.extend(item.values())
        elif isinstance(item, list | tuple):
            sizes.add(float(len(item)))
            stack.extend(inner for inner in item if isinstance(inner, list | tuple | Mapping))
    return sizes - {1.0}


def _missing_numbers(
    text: str, numbers: Sequence[float], sizes: set[float]
) -> Iterator[tuple[int, int]]:
    held = {_rounded(abs(number)) for number in numbers}
    for quantity in quantities_in(text):
        values = {abs(value) for value in quantity.values}
        if "%" in quantity.text:  # the other share of two is as telling
            values |= {abs(total - value) for value in values for total in (1.0, 100.0)}
        in_words = not any(sign.isdigit() for sign in quantity.text)
        if in_words and quantity.values[0] in sizes:
            continue
        if not any(_rounded(value) in held for value in values):
            yield quantity.start, quantity.end


def _rounded(value: float) -> float:
    return float(f"{value:.9g}")


def _missing_quotes(text: str, evidence: str) -> Iterator[tuple[int, int]]:
    for match in _QUOTED.finditer(text):
        name = next(group for group in match.groups() if group is not None)
        if " ".join(_spaced(name).lower().split()) not in evidence:
            yield match.span()


def _missing_clauses(text: str, scopes: Mapping[str, str]) -> Iterator[tuple[int, int]]:
    for clause in _clauses():
        seen = scopes[clause.scope]
        for match in clause.phrases.finditer(text):
            words = [word for word in _SIGNS.findall(match[0].lower()) if word not in _idle()]
            own = bool(words) and all(_holds(word[:_LONG_STEM], seen) for word in words)
            if not own and not any(_holds(stem, seen) for stem in clause.echoed):
                yield match.span()


def _holds(stem: str, evidence: str) -> bool:
    """Whether a word of the evidence begins with this stem; `odd$` is the whole word."""
    if not stem[0].isalnum():
        return stem in evidence
    if len(stem) <= 2 or stem.endswith("$"):
        return f" {stem.rstrip('$')} " in evidence
    return f" {stem}" in evidence


def _missing_parts(text: str, evidence: str, clauses: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Parts of sentences that change what is asked, of which no word is echoed.

    A part that holds a number or a known clause is left to their rules.
    """
    ruled = [*clauses, *(quantity.start for quantity in quantities_in(text))]
    for start, end in _spans(text)[1:]:
        words = [word.lower() for word in _WORD.findall(text[start:end])]
        if not words or any(start <= place < end for place in ruled):
            continue
        opens = words[0] in _openers() or _OPENING.fullmatch(words[0])
        content = [word for word in words if len(word) > 2 and word not in _idle()]
        if opens and content and not any(f" {word[:_STEM]}" in evidence for word in content):
            yield start, end


def _spans(text: str) -> list[tuple[int, int]]:
    spans, begin = [], 0
    for match in _PARTS.finditer(text):
        spans.append((begin, match.start()))
        begin = match.end()
    return [*spans, (begin, len(text))]


def _named(text: str, spans: Iterable[tuple[int, int]]) -> tuple[str, ...]:
    """The spans as text; a span within another one is not named again."""
    kept: list[tuple[int, int]] = []
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if not any(begin <= start and end <= last for begin, last in kept):
            kept.append((start, end))
    names = (" ".join(text[start:end].split())[:_MOST_SHOWN] for start, end in kept)
    return tuple(dict.fromkeys(name for name in names if name))[:_MOST_NAMED]
