"""Migrates a file of records line by line; each line ends up in `migrated` or in `failed`."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

import orjson

from router.records.migrating.applying import Migrated, migrated
from router.records.migrating.columns import columns
from router.records.migrating.grouping import gathered, groups_of
from router.records.migrating.mapping import FieldMapping
from router.records.migrating.meaning import KeyPath
from router.records.migrating.reading import Line
from router.records.regexes import BadPattern

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


def run_lines(
    mapping: FieldMapping, lines: Iterable[Line], outputs: Outputs, on_line: Callable[[int], None]
) -> Tally:
    """Migrate all lines; `on_line` is called with the number of each line.

    A mapping that groups records holds the whole file in memory.
    """
    tally = Tally()
    for rule in mapping.rules:
        if rule.warning:
            _write(outputs.warnings, {"field": rule.name, "warning": rule.warning})
    for path in mapping.unmapped:
        warning = "this field of the source goes nowhere"
        _write(outputs.warnings, {"field": ".".join(path), "warning": warning})
    read = _readable(mapping, lines, outputs, on_line, tally)
    if mapping.group_by:
        for group in groups_of(mapping, read):
            numbers = [number for number, _ in group]
            records = [record for _, record in group]
            _finish(tally, outputs, numbers, records, _result(mapping, records))
    else:
        for number, record in read:
            _finish(tally, outputs, [number], [record], _result(mapping, [record]))
    return tally


def _readable(
    mapping: FieldMapping, lines: Iterable[Line], outputs: Outputs,
    on_line: Callable[[int], None], tally: Tally,
) -> Iterator[tuple[int, Any]]:  # fmt: skip
    """The records of the lines; a line without a record fails, and a strange field is noted."""
    inner = {p for rule in mapping.rules if rule.gathers for r in rule.each for p in r.sources}
    read_paths = {*mapping.unmapped, *(p for rule in mapping.rules for p in rule.sources), *inner}
    for number, record, why in lines:
        on_line(number)
        if why:
            _fail(tally, outputs, number, record, (why,))
            continue
        strange = {c.path for c in columns([record])} - read_paths - tally.strange
        for path in sorted(strange):
            warning = "the mapping does not know this field of the source, which goes nowhere"
            _write(outputs.warnings, {"line": number, "field": ".".join(path), "warning": warning})
        tally.strange |= strange
        yield number, record


def _result(mapping: FieldMapping, records: Sequence[Any]) -> Migrated:
    try:
        if mapping.group_by:
            return gathered(mapping, records)
        return migrated(mapping, records[0])
    except BadPattern as error:
        return Migrated(None, reasons=(str(error),))


def _finish(
    tally: Tally, outputs: Outputs, numbers: Sequence[int], records: Sequence[Any], made: Migrated
) -> None:
    """Write what became of one record, or of the records of a group."""
    if made.record is None:
        for number, record in zip(numbers, records, strict=True):
            _fail(tally, outputs, number, record, made.reasons)
        return
    tally.migrated += 1
    tally.warned += bool(made.warnings)
    for warning in made.warnings:
        _write(outputs.warnings, {"line": numbers[0], "warning": warning})
    _write(outputs.migrated, made.record)


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
