"""Writes filled records so that every given value keeps the bytes in which it came.

JSON that is read and written again turns 12.50 into 12.5 and an id of 23 digits into a float.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from router.records.effort import spend

_FIRST = re.compile(r"\S")
_TOKEN = re.compile(r'([{}\[\],:]|"[^"\\]*+(?:\\.[^"\\]*+)*+"|[^\s{}\[\],:"]++)')


@dataclass(slots=True)
class _Span:
    """Where a value stands in a text, and the values inside it."""

    start: int
    end: int = 0
    fields: dict[str, "_Span"] = field(default_factory=dict)
    items: list["_Span"] = field(default_factory=list)


def written(made: Any, given: Any, text: str) -> str:
    """The JSON of filled records; `given` is what the valid JSON `text` says."""
    return _written(made, given, _Scan(text).span(), text)


def _written(made: Any, given: Any, span: _Span | None, text: str) -> str:
    spend()
    if span is not None and made is given:
        return text[span.start : span.end]
    if isinstance(made, Mapping) and isinstance(given, Mapping) and span is not None:
        parts = (
            f"{_dumped(key)}:{_written(value, given.get(key), span.fields.get(key), text)}"
            for key, value in made.items()
        )
        return "{" + ",".join(parts) + "}"
    if isinstance(made, list) and isinstance(given, list) and len(made) == len(given):
        items: Sequence[_Span | None] = span.items if span is not None else [None] * len(made)
        rows = zip(made, given, items, strict=True)
        return "[" + ",".join(_written(*row, text) for row in rows) + "]"
    return _dumped(made)


def _dumped(value: Any) -> str:
    return orjson.dumps(value).decode()


class _Scan:
    """Reads the places of all values of a valid JSON text."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0

    def span(self) -> _Span:
        spend()
        token = self._next()
        span = _Span(token.start(1))
        if token[1] == "{":
            while (key := self._next())[1] != "}":
                if key[1] != ",":
                    self._next()  # the colon
                    span.fields[orjson.loads(key[1])] = self.span()
        elif token[1] == "[":
            while self._peek() != "]":
                if self._peek() == ",":
                    self._next()
                span.items.append(self.span())
            self._next()
        span.end = self._at
        return span

    def _peek(self) -> str:
        match = self._token()
        return match[1] if match is not None else ""

    def _token(self) -> re.Match[str] | None:
        first = _FIRST.search(self._text, self._at)
        return None if first is None else _TOKEN.match(self._text, first.start())

    def _next(self) -> re.Match[str]:
        match = self._token()
        if match is None:
            raise ValueError(f"the text ends at {self._at} within a value")
        self._at = match.end()
        return match
