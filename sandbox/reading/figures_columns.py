"""Finds where a request mentions columns of its data, or values of a text column."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sandbox.reading.figure_words import is_idle, stems, words
from sandbox.reading.figures_data import Given
from sandbox.reading.figures_methods import ASKING
from sandbox.reading.lexicon import IDLE, plain
from sandbox.reading.reader import Reader

_OF = frozenset({"of", "de", "del", "por", "cada", "per"})
_MOST_VALUES = 200  # different values of a text column that a request may mention


@dataclass(frozen=True, slots=True)
class Mention:
    """A place where a request names a column, or a value of a column."""

    begin: int
    end: int
    column: str
    value: str | None = None
    title: bool = False  # the name stands before its own list

    @property
    def of_column(self) -> bool:
        return self.value is None


def mentions(reader: Reader, of: Given) -> list[Mention]:
    """The mentions from left to right; the longest wins. Their tokens are taken."""
    flat = [(word, i) for i, t in enumerate(reader.tokens) for word in _stems(reader, i, t.kind)]
    names = dict(_names(of))
    matches: list[Mention] = []
    at = 0
    while at < len(flat):
        match = _longest(reader, of, flat, at, names)
        if match is None:
            at += 1
            continue
        mention, used = match
        matches.append(mention)
        at += used
    return matches


def _stems(reader: Reader, place: int, kind: str) -> tuple[str, ...]:
    if place in reader.taken or kind not in ("word", "concept", "quoted", "number"):
        return ()
    return stems(reader.tokens[place].text)


Names = dict[tuple[str, ...], tuple[str, str | None]]


def _names(of: Given) -> Iterator[tuple[tuple[str, ...], tuple[str, str | None]]]:
    """What a request may call each column or value; what comes later takes precedence."""
    parts: dict[str, set[str]] = {}
    for column in of.columns:
        for part in stems(column):
            parts.setdefault(part, set()).add(column)
    for part, columns in parts.items():
        if len(columns) == 1 and len(part) > 2 and part not in words("of_data"):
            yield (part,), (next(iter(columns)), None)
    for column in of.texts:
        different = set(of.columns[column]) - {None}
        if len(different) > _MOST_VALUES:
            continue
        for value in sorted(map(str, different)):
            if stems(value):
                yield stems(value), (column, value)
    for column in of.columns:
        if stems(column):
            yield stems(column), (column, None)


def _longest(
    reader: Reader, of: Given, flat: Sequence[tuple[str, int]], at: int, names: Names
) -> tuple[Mention, int] | None:
    for length in range(min(6, len(flat) - at), 0, -1):
        piece = flat[at : at + length]
        named = names.get(tuple(word for word, _ in piece))
        if named is None:
            continue
        begin, end = piece[0][1], piece[-1][1] + 1
        partial = named[1] is None and len(stems(named[0])) != length
        if partial and any(reader.tokens[i].concepts & ASKING for _, i in piece):
            continue
        whole = (at == 0 or flat[at - 1][1] != begin) and (
            at + length == len(flat) or flat[at + length][1] != end - 1
        )
        column, value = named
        if not whole or not _is_meant(reader, begin, end, value if value else column):
            continue
        title = any(place >= end and _before_list(reader, end, place) for place in _own(of, column))
        return Mention(begin, end, column, value, title), length
    return None


def _own(of: Given, column: str) -> tuple[int, ...]:
    """The place of the list that a column was read from; all places if that is not known."""
    columns = [name for name in of.columns if name != of.names]
    if column not in columns or len(columns) != len(of.lists):
        return of.lists
    return (of.lists[columns.index(column)],)


def _is_meant(reader: Reader, begin: int, end: int, name: str) -> bool:
    """Whether words that may have an everyday meaning, such as `a` or `no`, are meant as a name."""
    token = reader.tokens[begin]
    if end - begin > 1 or token.kind == "quoted":
        return True
    if token.kind == "number":
        return False
    if len(name) <= 2:
        if token.text != name:
            return False
        following = reader.tokens[end] if end < len(reader.tokens) else None
        article = token.text in ("a", "e", "o", "y") and is_idle(token)
        ends = following is None or following.kind == "mark" or is_idle(following)
        return (
            not article
            or ends
            or (following is not None and following.means("figure_on", "exactly"))
        )
    before = reader.tokens[begin - 1] if begin else token
    chosen = before.means("figure_by", "each") or plain(before.text) in _OF
    return IDLE not in token.concepts or token.text[0].isupper() or chosen


def _before_list(reader: Reader, end: int, place: int) -> bool:
    between = reader.tokens[end:place]
    return (
        len(between) <= 6
        and all(
            t.kind == "mark" or is_idle(t) or "(" in "".join(o.stem for o in between)
            for t in between
        )
        and all(t.stem not in ".?!" for t in between)
    )
