"""Reads the records of a file: JSON Lines, or a table of comma-separated values with a header."""

import codecs
import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from typing import IO, Any

import orjson

_LONG_NUMBER = re.compile(rb"[0-9]{19}")  # which orjson may round
_CHUNK = 1 << 20
TABLES = (".csv", ".tsv")  # the ends of the names of files that are tables
Line = tuple[int, Any, str]  # its number, its record, and why it has none


class BadTable(ValueError):
    """The header of a table cannot be read; the message says what is wrong."""


def records_in(file: IO[bytes], name: str) -> Iterator[Line]:
    """Each record of a file that is named so."""
    if name.lower().endswith(TABLES):
        return table_rows(file, "\t" if name.lower().endswith(".tsv") else "")
    return parsed(file)


def parsed(lines: Iterable[bytes]) -> Iterator[Line]:
    """Each line that is not empty."""
    for number, line in enumerate(lines, 1):
        text = line.strip().removeprefix(b"\xef\xbb\xbf")
        if not text:
            continue
        try:
            record = json.loads(text) if _LONG_NUMBER.search(text) else orjson.loads(text)
        except (ValueError, RecursionError) as error:
            yield number, text.decode("utf-8", "replace"), f"this is no JSON: {error}"
            continue
        is_object = isinstance(record, dict)
        yield number, record, "" if is_object else "a line must hold an object"


def table_rows(file: IO[bytes], mark: str = "") -> Iterator[Line]:
    """Each row of a table as an object of texts; the mark between fields is that of the header.

    The table is UTF-8 or UTF-16, and else what spreadsheets of Western Europe write (cp1252).
    """
    text = io.TextIOWrapper(file, _encoding(file), newline="")
    try:
        first = text.readline()
        if not first.strip():
            raise BadTable("it has no header: its first line must name the fields")
        mark = mark or max(",;\t|", key=first.count)
        text.seek(0)
        reader = csv.reader(text, delimiter=mark, strict=True, skipinitialspace=True)
        yield from _rows(reader)
    finally:
        text.detach()


def _rows(reader: Any) -> Iterator[Line]:
    try:
        header = [name.strip() or f"column {at}" for at, name in enumerate(next(reader), 1)]
    except csv.Error as error:
        raise BadTable(f"its header cannot be read: {error}") from None
    twice = next((name for name in header if header.count(name) > 1), "")
    if twice:
        raise BadTable(f"two fields of its header are named {twice!r}: rename one")
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield reader.line_num, "", f"this row cannot be read: {error}"
            continue
        if not any(field.strip() for field in row):
            continue
        if len(row) != len(header):
            why = f"this row is not whole: it has {len(row)} fields, the header {len(header)}"
            yield reader.line_num, row, why
        else:
            yield reader.line_num, dict(zip(header, row, strict=True)), ""


def _encoding(file: IO[bytes]) -> str:
    start = file.read(2)
    file.seek(0)
    if start in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while chunk := file.read(_CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"
    finally:
        file.seek(0)
    return "utf-8-sig"
