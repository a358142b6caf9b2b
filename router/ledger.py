"""A file that only grows, and what its lines add up to; any process may append to it.

A lock keeps lines whole and decisions in order, since a process reads all lines before it appends
its own. After a process is killed, the next process reads the same lines.
"""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar

import orjson

from router.files import alone, append_lines

Line = dict[str, Any]
P = ParamSpec("P")


class Folding(Protocol):
    def fold(self, line: Line) -> None:
        """Take in the next line of the file."""


B = TypeVar("B", bound=Folding)


class LedgerFile(Generic[B]):
    """The lines of a file, folded into a book."""

    def __init__(self, path: Path, book: B) -> None:
        self.path, self.book = path, book
        self._read = 0

    def follow(self) -> list[Line]:
        """Read the lines that were appended since the last call, and return them."""
        try:
            unread = self.path.stat().st_size != self._read
        except OSError:
            return []
        return self._take_in() if unread else []

    def change(
        self, decide: Callable[Concatenate[B, P], list[Line]], *args: P.args, **kwargs: P.kwargs
    ) -> list[Line]:
        """Decide on the latest book, append the lines, and return all lines not read before."""
        with alone(self.path) as handle:
            unread = self._take_in()
            lines = decide(self.book, *args, **kwargs)
            if lines:
                content = b"".join(orjson.dumps(line) + b"\n" for line in lines)
                append_lines(handle, content, durable=True)
            return [*unread, *self._take_in()]

    def _take_in(self) -> list[Line]:
        try:
            with self.path.open("rb") as file:
                file.seek(self._read)
                content = file.read()
        except OSError:
            return []
        end = content.rfind(b"\n") + 1
        lines = []
        for text in content[:end].splitlines():
            with contextlib.suppress(orjson.JSONDecodeError):
                lines.append(orjson.loads(text))
        for line in lines:
            self.book.fold(line)
        self._read += end
        return lines
