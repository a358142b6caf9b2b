"""Takes phrases from a request: concepts and numbers in a row, with idle words between them.

A pattern is a row of elements with blanks between: `mean #m` (a concept, then a number named m),
`#p%` (a percentage), `#p$` (money), `#p.` (a plain number), `#p$.` (either), `a|b` (one of two concepts), `'x` (the word x itself), `*` (up to three words,
which become labels), `!` before an element that follows directly, and a `?` after an element that may be missing. A phrase does not go on after
the end of a sentence, and never takes a token twice.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache

from sandbox.reading.budget import spend
from sandbox.reading.lexicon import IDLE, SCENE
from sandbox.reading.reader import Reader, may_be_label
from sandbox.reading.tokens import Token

_STOPS = frozenset({".", "?", "!", "\n", ";"})
_SOFT = frozenset("():=~[]'\"_|*-")
_LABELS = 3
# A row of labels does not run over words that begin or end an event.
_FIRM = frozenset(
    {"beyond", "short_of", "negation", "but_word", "plus_minus", "outside", "or_word"}
    | {"sd", "variance"}
)


@dataclass(frozen=True, slots=True)
class _Element:
    name: str  # of a number; "" for words
    units: frozenset[str] | None = None
    concepts: tuple[str, ...] = ()
    stems: tuple[str, ...] = ()
    optional: bool = False
    labels: bool = False
    direct: bool = False


@cache
def _elements(pattern: str) -> tuple[_Element, ...]:
    return tuple(_element(part) for part in pattern.split())


def _element(part: str) -> _Element:
    optional = len(part) > 1 and part.endswith("?")
    part = part[:-1] if optional else part
    if part[0] == "!":
        return replace(_element(part[1:]), optional=optional, direct=True)
    if part == "*":
        return _Element("", labels=True)
    if part[0] == "#":
        name = part[1:].rstrip("%$.")
        units = frozenset(part[1 + len(name) :].replace(".", " ")) or None
        return _Element(name, units, optional=optional)
    choices = part.split("|")
    concepts = tuple(choice for choice in choices if choice[0] != "'")
    stems = tuple(choice[1:] for choice in choices if choice[0] == "'")
    return _Element("", None, concepts, stems, optional)


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase that was taken, with its numbers by name."""

    numbers: Mapping[str, Token]

    def __getitem__(self, name: str) -> Token:
        return self.numbers[name]

    def __contains__(self, name: str) -> bool:
        return name in self.numbers


def take(reader: Reader, *patterns: str) -> Phrase | None:
    """Take the first phrase that one of the patterns describes; its numbers by name."""
    present = reader.collected()
    for pattern in patterns:
        elements = _elements(pattern)
        if not _may_occur(elements, present):
            continue
        for start in range(len(reader.tokens)):
            if not _may_begin(reader, elements, start):
                continue
            for places, names in _matches(reader, elements, start):
                reader.taken.update(places)
                return Phrase({name: reader.tokens[place] for name, place in names})
    return None


def _may_occur(elements: tuple[_Element, ...], present: frozenset[str]) -> bool:
    """Whether a request has a word for each element that a phrase needs: a cheap test."""
    return all(
        element.optional
        or element.labels
        or bool(element.name)
        or not present.isdisjoint(element.concepts)
        or any(f"'{stem}" in present for stem in element.stems)
        for element in elements
    )


def take_every(reader: Reader, *patterns: str) -> list[Phrase]:
    """Take all phrases that the patterns describe."""
    matches = []
    while (match := take(reader, *patterns)) is not None:
        matches.append(match)
    return matches


def value(reader: Reader, *patterns: str) -> float | None:
    """Take the first phrase, and return the value of its only number."""
    match = take(reader, *patterns)
    return next(iter(match.numbers.values())).value if match else None


def _may_begin(reader: Reader, elements: tuple[_Element, ...], at: int) -> bool:
    first = elements[0]
    if _fits(reader, first, at):
        return True
    return first.optional and len(elements) > 1 and _fits(reader, elements[1], at)


def _fits(reader: Reader, element: _Element, at: int) -> bool:
    token = reader.tokens[at]
    if at in reader.taken:
        return False
    if element.name:
        return token.kind == "number" and (
            element.units is None or (token.unit or " ") in element.units
        )
    if element.labels:
        return True
    return token.stem in element.stems or token.means(*element.concepts)


_Names = tuple[tuple[str, int], ...]


def _matches(
    reader: Reader,
    elements: tuple[_Element, ...],
    at: int,
    places: tuple[int, ...] = (),
    names: _Names = (),
) -> Iterator[tuple[tuple[int, ...], _Names]]:
    if not elements:
        yield places, names
        return
    element, rest = elements[0], elements[1:]
    if element.labels:
        yield from _after_labels(reader, rest, at, places, names)
        return
    here = at
    while here < len(reader.tokens):
        if _fits(reader, element, here):
            added = ((element.name, here),) if element.name else ()
            yield from _matches(reader, rest, here + 1, (*places, here), names + added)
            break
        if element.direct or not (places and _may_skip(reader, here)):
            break
        here += 1
    if element.optional:
        yield from _matches(reader, rest, at, places, names)


def _after_labels(
    reader: Reader, rest: tuple[_Element, ...], at: int, places: tuple[int, ...], names: _Names
) -> Iterator[tuple[tuple[int, ...], _Names]]:
    """Skip up to three words, and idle words between them; the words become labels."""
    here, skipped = at, tuple[int, ...]()
    while here <= len(reader.tokens) and len(skipped) <= _LABELS:
        spend()  # a long row of idle words is tried from each of its words
        yield from _matches(reader, rest, here, places + skipped, names)
        if here == len(reader.tokens):
            return
        token = reader.tokens[here]
        if here in reader.taken:
            return
        if may_be_label(token) and token.concepts.isdisjoint(_FIRM):
            skipped = (*skipped, here)
        elif not _may_skip(reader, here):
            return
        here += 1


def _may_skip(reader: Reader, at: int) -> bool:
    """Whether a token between two elements of a phrase says nothing."""
    token = reader.tokens[at]
    if at in reader.taken:
        return False
    if token.kind == "mark":
        return token.stem in _SOFT
    small = token.concepts & {IDLE, SCENE}
    return token.kind == "concept" and bool(small) and "change" not in token.concepts
