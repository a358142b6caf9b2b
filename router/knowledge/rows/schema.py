"""What a question on rows is asked of, and what comes back: tables, columns, rows, answers."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["integer", "number", "date", "datetime", "boolean", "text"]
Cell = str | int | float | None
NUMERIC: frozenset[Kind] = frozenset({"integer", "number"})
DATED: frozenset[Kind] = frozenset({"date", "datetime"})


@dataclass(frozen=True, slots=True)
class Column:
    """A column as it is stored: dates as ISO text, booleans as 0 and 1, money without its sign."""

    name: str
    kind: Kind
    unit: str = ""  # the currency's sign or `%` that stood beside the numbers


@dataclass(frozen=True, slots=True)
class TableSchema:
    """A table: its name as people see it, and the name by which SQL reads it."""

    name: str
    columns: tuple[Column, ...]
    rows: int
    stored: str


@dataclass(frozen=True, slots=True)
class TypedTable:
    """A table that was read from a file, with its values in the form in which they are stored."""

    name: str
    columns: tuple[Column, ...]
    rows: Sequence[tuple[Cell, ...]]


@dataclass(frozen=True, slots=True)
class Rows:
    """What a query returned; `cut`: there were more rows than are returned."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    cut: bool = False


Run = Callable[[str], Rows]


@dataclass(frozen=True, slots=True)
class RowAnswer:
    """An answer from rows, the query that gave it, and how the question was read."""

    text: str
    sql: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    reading: str
    author: str = ""  # the model that wrote the query; empty: rules wrote it


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """Why a question has no answer: the words or columns that stand in the way.

    `filtered`: the question was understood, but its filter fits no column of the rows.
    """

    reason: str
    filtered: bool = False


class Unclear(ValueError):
    """A part of a question that cannot be read; the message names it."""


class UnknownWords(Unclear):
    """Words of a question that no part of its query accounts for."""

    def __init__(self, words: Iterable[str]) -> None:
        self.words = tuple(dict.fromkeys(words))
        super().__init__("not understood: " + ", ".join(f"`{word}`" for word in self.words))


class Choice(Unclear):
    """A part of a question that can be read in several ways, each of which has a key."""

    def __init__(self, message: str, keys: Iterable[str]) -> None:
        self.keys = tuple(keys)
        super().__init__(message)


class NoSuchColumn(ValueError):
    """A filter that the rows of a table cannot be held against; the message names its key."""


class SqlRefused(ValueError):
    """A query that may not run, or that needs more than it may; the message says why."""
