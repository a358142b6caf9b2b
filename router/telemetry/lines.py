"""Encodes a row as a line of a journal: JSON that any program can read, with a checksum.

The checksum comes first and covers every byte after it, so a cut or overwritten line is recognised.
`n` numbers the rows of a writer from 1, without a gap; `v` is the version of the row.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

import orjson

from router.telemetry.tables import ROW_VERSION

_HEAD = b'{"crc":"'
_WHOLE = re.compile(rb'\{"crc":"([0-9a-f]{8})","v":(\d+),"n":(\d+),')
_REST_AT = len(_HEAD) + 8
_VERSION_AT = _REST_AT + len(b'","v":')


def encoded(number: int, row: Mapping[str, Any]) -> bytes:
    """The line of a row, with its newline."""
    rest = b'","v":%d,"n":%d,%b' % (ROW_VERSION, number, orjson.dumps(row)[1:])
    return b"%b%08x%b\n" % (_HEAD, crc32(rest), rest)


@dataclass(slots=True)
class JournalLines:
    """The lines of a journal: good ones, whose checksum is right, and bad ones."""

    torn: bool  # the last line has no end: the writer died before acknowledging it
    numbers: list[int] = field(default_factory=list)
    good: list[bytes] = field(default_factory=list)
    bad: list[tuple[int, bytes]] = field(default_factory=list)  # byte offsets and lines
    versions: set[bytes] = field(default_factory=set)


def decoded(content: bytes) -> JournalLines:
    *whole, rest = content.split(b"\n")
    lines = JournalLines(bool(rest), good=whole)
    add_number, add_version = lines.numbers.append, lines.versions.add
    for line in whole:
        if not line.startswith(b"%b%08x" % (_HEAD, crc32(line[_REST_AT:]))):
            return _sorted_out(whole, torn=lines.torn)
        end = line.index(b',"n":', _REST_AT)
        add_version(line[_VERSION_AT:end])
        add_number(int(line[end + 5 : line.index(b",", end + 5)]))
    return lines


def _sorted_out(whole: Iterable[bytes], *, torn: bool) -> JournalLines:
    """Sort lines into good and bad one by one: slower, for a journal that has a bad line."""
    lines = JournalLines(torn)
    at = 0
    for line in whole:
        match = _WHOLE.match(line)
        if match and match[1] == b"%08x" % crc32(line[_REST_AT:]):
            lines.versions.add(match[2])
            lines.numbers.append(int(match[3]))
            lines.good.append(line)
        else:
            lines.bad.append((at, line + b"\n"))
        at += len(line) + 1
    return lines
