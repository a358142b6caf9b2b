"""A row as a line of a journal: JSON that any reader takes, with a checksum of its own.

The checksum leads and covers every byte after it, so a line that was cut, or written over, is told
from one that was not. `n` counts the rows of one writer from 1, without a gap.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import orjson

_HEAD = b'{"crc":"'
_NUMBER = re.compile(rb'"n":(\d+)')
_CRC_AT, _REST_AT = len(_HEAD), len(_HEAD) + 8


def encoded(row: Mapping[str, Any]) -> bytes:
    """One line, its newline included."""
    rest = b'",' + orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)[1:]
    return b"%b%08x%b" % (_HEAD, crc32(rest), rest)


@dataclass(frozen=True, slots=True)
class Line:
    """What stands in a journal at one place; `problem` is empty where it can be believed."""

    at: int
    number: int
    raw: bytes
    problem: str = ""


def decoded(content: bytes) -> Iterator[Line]:
    """The lines of a journal. A last one without its newline was never finished: `torn`."""
    at = 0
    for raw in content.splitlines(keepends=True) if b"\r" not in content else _split(content):
        yield _line(at, raw)
        at += len(raw)


def _split(content: bytes) -> Iterable[bytes]:
    *whole, last = content.split(b"\n")
    yield from (line + b"\n" for line in whole)
    if last:
        yield last


def _line(at: int, raw: bytes) -> Line:
    if not raw.endswith(b"\n"):
        return Line(at, 0, raw, "torn")
    if not raw.startswith(_HEAD) or raw[_CRC_AT:_REST_AT] != b"%08x" % crc32(raw[_REST_AT:]):
        return Line(at, 0, raw, "checksum")
    number = _NUMBER.search(raw, _REST_AT)
    return Line(at, int(number[1]) if number else 0, raw)
