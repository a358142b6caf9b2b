"""The file of the book: it only grows, and any process may append to it.

A lock keeps lines whole and decisions in order, since a process reads all lines before it appends
its own. After a process is killed, the next process reads the same book.
"""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Concatenate, ParamSpec

import orjson

from router.config.config import Config
from router.files import alone, append_lines
from router.trials.book import Book, Line

_FILE = "ledger.jsonl"
P = ParamSpec("P")


class Ledger:
    def __init__(self, folder: Path, config: Config) -> None:
        self.path = folder / _FILE
        self._read = 0
        self.book = Book(config)

    def reconfigure(self, config: Config) -> None:
        self.book.config = config

    def follow(self) -> list[Line]:
        """Read the lines that were appended since the last call, and return them."""
        try:
            unread = self.path.stat().st_size != self._read
        except OSError:
            return []
        return self._take_in() if unread else []

    def change(
        self, decide: Callable[Concatenate[Book, P], list[Line]], *args: P.args, **kwargs: P.kwargs
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
