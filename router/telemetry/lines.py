"""A row as a line of a journal: JSON that any reader takes, with a checksum of its own.

The checksum leads and covers every byte after it, so a line that was cut, or written over, is told
from one that was not. `n` counts the rows of one writer from 1, without a gap.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

import orjson

from router.telemetry.tables import VERSION

_HEAD = b'{"crc":"'
_NUMBER = re.compile(rb'\{"crc":"([0-9a-f]{8})","v":(\d+),"n":(\d+),')
_REST_AT = len(_HEAD) + 8
_VERSION_AT = _REST_AT + len(b'","v":')


def encoded(number: int, row: Mapping[str, Any]) -> bytes:
    """One line, its newline included."""
    rest = b'","v":%d,"n":%d,%b' % (VERSION, number, orjson.dumps(row)[1:])
    return b"%b%08x%b\n" % (_HEAD, crc32(rest), rest)


@dataclass(slots=True)
class Lines:
    """A journal as it was read: which rows can be believed, and what else stands there."""

    numbers: list[int]
    good: list[bytes]
    bad: list[tuple[int, bytes]]  # with their place
    torn: bool  # the last line has no end: it was never finished
    versions: set[bytes] = field(default_factory=set)


def decoded(content: bytes) -> Lines:
    *whole, rest = content.split(b"\n")
    lines = Lines([], whole, [], bool(rest))
    add = lines.numbers.append
    for line in whole:
        if not line.startswith(b"%b%08x" % (_HEAD, crc32(line[_REST_AT:]))):
            return _picked(whole, torn=lines.torn)
        end = line.index(b',"n":', _REST_AT)
        lines.versions.add(line[_VERSION_AT:end])
        at = end + 5
        add(int(line[at : line.index(b",", at)]))
    return lines


def _picked(whole: Iterable[bytes], *, torn: bool) -> Lines:
    """The slow way: one line is not what was written."""
    picked = Lines([], [], [], torn)
    at = 0
    for line in whole:
        found = _NUMBER.match(line)
        if found and found[1] == b"%08x" % crc32(line[_REST_AT:]):
            picked.versions.add(found[2])
            picked.numbers.append(int(found[3]))
            picked.good.append(line)
        else:
            picked.bad.append((at, line + b"\n"))
        at += len(line) + 1
    return picked
