"""Turns closed journals into segments, and adds the new rows to the rollup."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from router.files import held
from router.telemetry import rollup
from router.telemetry.sql import from_journals
from router.telemetry.store import segments
from router.telemetry.store.journals import (
    CheckedJournal,
    check,
    covers_of,
    put_aside,
    relative,
    unsealed_journals,
)
from router.telemetry.store.manifest import Covers, Damage, Manifest, Segment, merged
from router.telemetry.tables import REQUESTS, TABLES, TableSchema

_MOST_BYTES = 64 * 2**20  # the limit of journals that are sealed into one segment
_MOST_FILES = 200


@dataclass
class Sealed:
    """The changes that sealing makes to the manifest."""

    segments: list[Segment] = field(default_factory=list)
    journals: list[str] = field(default_factory=list)
    damage: list[Damage] = field(default_factory=list)
    aside: dict[str, Covers] = field(default_factory=dict)  # numbers of unreadable rows, by table


def seal(con: duckdb.DuckDBPyConnection, folder: Path, manifest: Manifest) -> Sealed:
    """Seal every closed journal: requests before signals, whose sums need the requests."""
    sealed = Sealed()
    for name, table in TABLES.items():
        # A writer releases its lock when it closes the file or dies.
        paths = [path for path in unsealed_journals(folder, manifest, name) if not held(path)]
        covers = merged(*(s.covers for s in manifest.of(name)), manifest.gone.get(name, {}))
        journals: list[CheckedJournal] = []
        for path in paths:
            journal = check(path, covers)
            sealed.damage += put_aside(folder, journal)
            sealed.journals.append(relative(folder, path))
            if journal.rows or journal.bad:
                journals.append(journal)
        for group in _groups(journals):
            made = _seal_table(con, folder, table, group, sealed)
            sealed.segments += made
            sealed.segments += _rolled_up(con, folder, table, made, sealed, manifest)
    return sealed


def _groups(journals: Iterable[CheckedJournal]) -> Iterator[list[CheckedJournal]]:
    """Split journals into groups, for a segment each: after a pause there may be thousands."""
    group: list[CheckedJournal] = []
    size = 0
    for journal in journals:
        size += journal.size
        group.append(journal)
        if size >= _MOST_BYTES or len(group) >= _MOST_FILES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _seal_table(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    table: TableSchema,
    journals: Sequence[CheckedJournal],
    sealed: Sealed,
) -> list[Segment]:
    if not any(journal.rows for journal in journals):
        return []
    try:
        return [_segment(con, folder, table, journals)]
    except duckdb.InvalidInputException:
        # A row has a right checksum and a wrong type: find the row by halving, and seal the others.
        halves = [half for journal in journals for half in journal.halves()]
        if len(halves) == 1:
            (row,) = halves
            sealed.damage += put_aside(folder, row.all_bad())
            aside = {row.writer: row.ranges}
            sealed.aside[table.name] = merged(sealed.aside.get(table.name, {}), aside)
            return []
        parts = (_seal_table(con, folder, table, [half], sealed) for half in halves)
        return [segment for part in parts for segment in part]


def _segment(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    table: TableSchema,
    journals: Sequence[CheckedJournal],
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
    # These rows stay nearly sorted by time, until merging sorts them by the table's key.
    sql = f"SELECT {columns} FROM {source}"
    try:
        return segments.write(
            con, folder, table.name, sql, rows=rows, covers=covers, damaged=damaged
        )
    finally:
        for copy in copies:
            copy.unlink(missing_ok=True)


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
    """SQL for the signals sealed earlier that are about the same requests as the new signals."""
    sealed = manifest.of("signals")
    if not sealed:
        return f"(FROM {new} WHERE false)"
    return (
        f"(FROM {segments.rows_of(folder, sealed)} WHERE (request_id, request_ts) IN "
        f"(SELECT (request_id, request_ts) FROM {new}) "
        f"AND request_ts BETWEEN (SELECT min(request_ts) FROM {new}) "
        f"AND (SELECT max(request_ts) FROM {new}))"
    )
