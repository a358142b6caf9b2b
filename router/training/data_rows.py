"""A row of a data set: a request, the answer to learn, and where both came from."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

import orjson

Source = Literal["judged", "demonstration", "pair"]
Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


class BadRow(ValueError):
    """A line of a data set's file that is no row."""


@dataclass(frozen=True, slots=True)
class Message:
    role: str
    content: str


@dataclass(frozen=True, slots=True)
class DataRow:
    """`key` is the id of the caller's key, `session` a hash; both let a caller be forgotten."""

    id: str  # of the request
    ts: int  # microseconds
    messages: tuple[Message, ...]
    answer: str
    quality: float
    source: Source
    key: str = ""
    session: str = ""
    pattern: str = ""
    task: str = ""
    language: str = ""
    plan: str = ""
    cluster: str = ""
    rejected: str | None = None  # pairs only: the worse answer
    rejected_id: str = ""  # the request that got the worse answer, if that is another request
    by: str = ""  # the id of the key that said how good the answer was, or gave it
    soft: Mapping[str, float] | None = None  # the chances that a teacher gave the labels

    @property
    def text(self) -> str:
        """All words of the request, as features are made of them."""
        return "\n".join(message.content for message in self.messages)

    @property
    def answers(self) -> tuple[str, ...]:
        return (self.answer,) if self.rejected is None else (self.answer, self.rejected)

    @property
    def conversation(self) -> list[dict[str, str]]:
        """The messages as they stand in JSON."""
        return [{"role": message.role, "content": message.content} for message in self.messages]

    def line(self) -> bytes:
        row = {name: value for name, value in asdict(self).items() if value not in ("", None)}
        return orjson.dumps({"answer": "", **row}) + b"\n"

    def in_cluster(self, name: str) -> "DataRow":
        return replace(self, cluster=name)


_NAMES = frozenset(field.name for field in fields(DataRow))


def row_of(line: bytes) -> DataRow:
    """Raises `BadRow` with the kind of the error alone, as an error's text may quote the row."""
    try:
        raw = orjson.loads(line)
        messages = tuple(Message(m["role"], m["content"]) for m in raw["messages"])
        given = {name: value for name, value in raw.items() if name in _NAMES}
        return DataRow(**{**given, "messages": messages})
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise BadRow(type(error).__name__) from None


def lines_of(rows: Iterable[DataRow]) -> bytes:
    return b"".join(row.line() for row in rows)


def counted(values: Iterable[str]) -> Mapping[str, int]:
    """How often each value occurs, the commonest first; an empty value counts as `none`."""
    counts: dict[str, int] = {}
    for value in values:
        counts[value or "none"] = counts.get(value or "none", 0) + 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def labels_of(rows: Iterable[DataRow], most: int = 50) -> Mapping[str, int]:
    """How often each answer occurs, if there are so few answers that they are labels."""
    counts: Mapping[str, Any] = counted(row.answer.strip() for row in rows)
    total = sum(counts.values())
    closed = len(counts) <= most and (total >= 2 * len(counts) or len(counts) == 1)
    return counts if closed and all(len(label) <= 80 for label in counts) else {}
