"""Journals that nobody writes to any more become segments.

A journal's rows are taken when their checksums say they are what was written. Bytes that are not
are put aside and told of, and never keep the others from being sealed. A last line without its end
was never promised to anyone.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from router.files import held, write_durably
from router.telemetry import rollup
from router.telemetry.lines import decoded
from router.telemetry.log import NOBODY, SUFFIX
from router.telemetry.sql import from_journals
from router.telemetry.store import segments
from router.telemetry.store.manifest import (
    Covers,
    Damage,
    Manifest,
    OtherVersion,
    Ranges,
    Segment,
    count,
    has,
    joined,
    merged,
    overlap,
)
from router.telemetry.tables import REQUESTS, TABLES, VERSION, TableSchema

_log = logging.getLogger("waggle")
_TOGETHER_BYTES = 64 * 2**20
_TOGETHER_FILES = 200


@dataclass(frozen=True, slots=True)
class Checked:
    """A closed journal, read and believed line by line."""

    path: Path
    writer: str
    size: int
    ranges: Ranges  # the rows it has
    rows: int
    bad: tuple[tuple[int, bytes], ...] = ()
    instead: bytes | None = None  # what to read in place of the file


@dataclass
class Sealed:
    """What a sealing adds to the manifest."""

    segments: list[Segment] = field(default_factory=list)
    journals: list[str] = field(default_factory=list)
    damage: list[Damage] = field(default_factory=list)
    aside: dict[str, Covers] = field(default_factory=dict)  # rows that were put aside


def unsealed(folder: Path, manifest: Manifest, table: str) -> Iterator[Path]:
    """Journals whose rows no segment has, written to or not."""
    for path in sorted((folder / "journal" / table).glob("*" + SUFFIX)):
        if path.name != NOBODY and relative(folder, path) not in manifest.sealed:
            yield path


def relative(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()


def seal(con: duckdb.DuckDBPyConnection, folder: Path, manifest: Manifest) -> Sealed:
    """Every closed journal of every table. Signals last: what they change must be there."""
    sealed = Sealed()
    for name, table in TABLES.items():
        # Finished: their writer let go of them, or died.
        paths = [path for path in unsealed(folder, manifest, name) if not held(path)]
        known = merged(*(s.covers for s in manifest.of(name)), manifest.gone.get(name, {}))
        journals: list[Checked] = []
        for path in paths:
            checked = check(path, known)
            sealed.damage += _put_aside(folder, checked)
            sealed.journals.append(relative(folder, path))
            if checked.rows or checked.bad:
                journals.append(checked)
        for some in _together(journals):
            made = _seal_table(con, folder, table, some, sealed)
            sealed.segments += made
            sealed.segments += _rolled_up(con, folder, table, made, sealed, manifest)
    return sealed


def _together(journals: Iterable[Checked]) -> Iterator[list[Checked]]:
    """As many as one segment should be made of: after a long absence there may be thousands."""
    some: list[Checked] = []
    size = 0
    for journal in journals:
        size += journal.size
        some.append(journal)
        if size >= _TOGETHER_BYTES or len(some) >= _TOGETHER_FILES:
            yield some
            some, size = [], 0
    if some:
        yield some


def check(path: Path, known: Covers) -> Checked:
    """Read a journal. Rows that were sealed before, from another file, are not taken again."""
    writer = path.name.partition(".")[0]
    content = path.read_bytes()
    lines = decoded(content)
    for version in lines.versions - {b"%d" % VERSION}:
        raise OtherVersion(path, version.decode())
    numbers, good = lines.numbers, lines.good
    whole = bool(numbers) and numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    ranges: Ranges = ((numbers[0], numbers[-1]),) if whole else joined((n, n) for n in numbers)
    twice = not whole and len(set(numbers)) < len(numbers)
    if twice or any(overlap(r, known.get(writer, ())) for r in ranges):
        first = {
            n: line
            for n, line in zip(reversed(numbers), reversed(good), strict=True)
            if not has(known, writer, n)
        }
        numbers, good, twice = sorted(first), [first[n] for n in sorted(first)], True
        ranges = joined((n, n) for n in numbers)
    instead = None
    if twice or lines.bad or lines.torn:
        instead = b"".join(line + b"\n" for line in good)
    return Checked(path, writer, len(content), ranges, len(good), tuple(lines.bad), instead)


def _seal_table(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    table: TableSchema,
    journals: Sequence[Checked],
    sealed: Sealed,
) -> list[Segment]:
    if not any(journal.rows for journal in journals):
        return []
    try:
        return [_segment(con, folder, table, journals)]
    except duckdb.InvalidInputException:
        # A row that is whole and yet no row of this table: find it, and keep the others.
        halves = [half for journal in journals for half in _halves(journal)]
        if len(halves) == 1:
            (one,) = halves
            sealed.damage += _put_aside(folder, _all_bad(one))
            aside = {one.writer: one.ranges}
            sealed.aside[table.name] = merged(sealed.aside.get(table.name, {}), aside)
            return []
        parts = (_seal_table(con, folder, table, [half], sealed) for half in halves)
        return [segment for part in parts for segment in part]


def _halves(journal: Checked) -> list[Checked]:
    """A journal of several rows as two of fewer."""
    content = journal.path.read_bytes() if journal.instead is None else journal.instead
    lines = [line + b"\n" for line in content.split(b"\n") if line]
    if len(lines) < 2:
        return [replace(journal, instead=content)]
    middle = len(lines) // 2
    numbers = [n for low, high in journal.ranges for n in range(low, high + 1)]
    return [
        replace(
            journal,
            instead=b"".join(part),
            ranges=joined((n, n) for n in some),
            rows=len(part),
            bad=(),
        )
        for part, some in (
            (lines[:middle], numbers[:middle]),
            (lines[middle:], numbers[middle:]),
        )
    ]


def _all_bad(journal: Checked) -> Checked:
    return replace(journal, bad=((journal.ranges[0][0], journal.instead or b""),))


def _segment(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    table: TableSchema,
    journals: Sequence[Checked],
) -> Segment:
    paths, copies = [], []
    for index, journal in enumerate(journals):
        if journal.instead is None:
            paths.append(journal.path)
        else:
            copies.append(folder / "work" / f"{index}" / journal.path.name)
            copies[-1].parent.mkdir(exist_ok=True)
            copies[-1].write_bytes(journal.instead)
            paths.append(copies[-1])
    covers, damaged = covers_of(journals)
    rows = sum(journal.rows for journal in journals)
    columns = ", ".join(table.columns)
    source = from_journals(table, paths)
    # As they came, which is nearly by time; merging sorts them.
    sql = f"SELECT {columns} FROM {source}"
    try:
        return segments.write(
            con, folder, table.name, sql, rows=rows, covers=covers, damaged=damaged
        )
    finally:
        for copy in copies:
            copy.unlink(missing_ok=True)


def covers_of(journals: Iterable[Checked]) -> tuple[Covers, int]:
    """The rows these journals account for, unreadable ones among them, and how many those are.

    A bad line between two good ones is the row whose number is missing there.
    """
    numbers: dict[str, list[tuple[int, int]]] = defaultdict(list)
    damaged = 0
    for journal in journals:
        ranges = journal.ranges
        if journal.bad and ranges:
            whole = ((ranges[0][0], ranges[-1][1]),)
            lost = count({"": whole}) - count({"": ranges})
            if lost <= len(journal.bad):
                damaged += lost
                ranges = whole
        numbers[journal.writer] += ranges
    return {writer: joined(ranges) for writer, ranges in numbers.items()}, damaged


def _put_aside(folder: Path, journal: Checked) -> list[Damage]:
    damage = []
    for at, line in journal.bad:
        kept = f"damaged/{journal.path.name}.{at}"
        (folder / "damaged").mkdir(exist_ok=True)
        write_durably(folder / kept, line)
        found = Damage(relative(folder, journal.path), "checksum", at, len(line), kept, time.time())
        _log.error("telemetry: %s cannot be read at byte %d: see %s", found.file, at, kept)
        damage.append(found)
    return damage


def _rolled_up(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    table: TableSchema,
    made: Sequence[Segment],
    sealed: Sealed,
    manifest: Manifest,
) -> tuple[Segment, ...]:
    if not made or table.name not in ("requests", "signals"):
        return ()
    new = segments.rows_of(folder, made)
    if table is REQUESTS:
        return segments.write_rollup(con, folder, rollup.of_requests(new))
    before_these = [s for s in sealed.segments if s not in made]
    old = _signals_about(folder, manifest.after(adding=before_these), new)
    before, after = rollup.judged(old), rollup.judged(f"({old} UNION ALL BY NAME FROM {new})")
    return segments.write_rollup(con, folder, rollup.of_judgements(before, after))


def _signals_about(folder: Path, manifest: Manifest, new: str) -> str:
    """Sealed signals about the requests that new ones are about."""
    sealed = manifest.of("signals")
    if not sealed:
        return f"(FROM {new} WHERE false)"
    return (
        f"(FROM {segments.rows_of(folder, sealed)} WHERE (request_id, request_ts) IN "
        f"(SELECT (request_id, request_ts) FROM {new}) "
        f"AND request_ts BETWEEN (SELECT min(request_ts) FROM {new}) "
        f"AND (SELECT max(request_ts) FROM {new}))"
    )
