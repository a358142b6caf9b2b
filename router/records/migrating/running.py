"""Migrates a file of records line by line; each line ends up in `migrated` or in `failed`."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any

import orjson

from router.records.migrating.applying import migrated
from router.records.migrating.columns import columns
from router.records.migrating.mapping import FieldMapping
from router.records.migrating.meaning import KeyPath
from router.records.regexes import BadPattern

_LONG_NUMBER = re.compile(rb"[0-9]{19}")  # which orjson may round
_MOST_REASONS = 1_000  # different reasons that are counted


@dataclass(slots=True)
class Tally:
    """What became of the lines of a file."""

    migrated: int = 0
    warned: int = 0
    failed: int = 0
    reasons: dict[str, int] = field(default_factory=dict)  # of failures, by the field
    strange: set[KeyPath] = field(default_factory=set)  # source fields the mapping does not know


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where lines go."""

    migrated: IO[bytes]
    warnings: IO[bytes]
    failed: IO[bytes]


def parsed(lines: Iterable[bytes]) -> Iterator[tuple[int, Any, str]]:
    """Each line that is not empty: its number, its record, and why it has none."""
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


def run_lines(
    mapping: FieldMapping, lines: Iterable[bytes], outputs: Outputs, on_line: Callable[[int], None]
) -> Tally:
    """Migrate all lines; `on_line` is called with the number of each line."""
    tally = Tally()
    read_paths = {*mapping.unmapped, *(p for rule in mapping.rules for p in rule.sources)}
    for rule in mapping.rules:
        if rule.warning:
            _write(outputs.warnings, {"field": rule.name, "warning": rule.warning})
    for path in mapping.unmapped:
        warning = "this field of the source goes nowhere"
        _write(outputs.warnings, {"field": ".".join(path), "warning": warning})
    for number, record, why in parsed(lines):
        on_line(number)
        if why:
            _fail(tally, outputs, number, record, (why,))
            continue
        try:
            result = migrated(mapping, record)
        except BadPattern as error:
            _fail(tally, outputs, number, record, (str(error),))
            continue
        strange = {c.path for c in columns([record])} - read_paths - tally.strange
        for path in sorted(strange):
            warning = "the mapping does not know this field of the source, which goes nowhere"
            _write(outputs.warnings, {"line": number, "field": ".".join(path), "warning": warning})
        tally.strange |= strange
        if result.record is None:
            _fail(tally, outputs, number, record, result.reasons)
            continue
        tally.migrated += 1
        tally.warned += bool(result.warnings)
        for warning in result.warnings:
            _write(outputs.warnings, {"line": number, "warning": warning})
        _write(outputs.migrated, result.record)
    return tally


def _fail(
    tally: Tally, outputs: Outputs, number: int, record: Any, reasons: tuple[str, ...]
) -> None:
    tally.failed += 1
    for reason in reasons:
        place = reason.partition(":")[0]
        if place in tally.reasons or len(tally.reasons) < _MOST_REASONS:
            tally.reasons[place] = tally.reasons.get(place, 0) + 1
    _write(outputs.failed, {"line": number, "reasons": reasons, "record": record})


def _write(file: IO[bytes], value: Any) -> None:
    try:
        line = orjson.dumps(value)
    except TypeError:  # an integer of more than 64 bits
        line = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    file.write(line + b"\n")
