"""Removes rows that are too old, rows that exceed the limit of bytes, and the rows of a caller."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from router.telemetry import rollup
from router.telemetry.sql import quoted
from router.telemetry.store import segments
from router.telemetry.store.manifest import Manifest, Segment, merged
from router.telemetry.store.segments import rows_of
from router.telemetry.tables import TABLES

_DAY_MICROS = 86_400_000_000
_KEPT_IN_FULL = (*rollup.TABLES, "policies", "trials")  # never pruned: small, and about no caller


@dataclass
class Removed:
    """The changes that a removal makes to the manifest."""

    whole: list[Segment] = field(default_factory=list)
    rewritten: list[Segment] = field(default_factory=list)  # `adding` has the rows left
    adding: list[Segment] = field(default_factory=list)
    rows: int = 0
    bytes: int = 0
    damaged: int = 0  # files set aside as damaged that held rows of the caller, or may have
    request_ids: list[str] = field(default_factory=list)  # of a forgotten caller

    def take(self, segment: Segment) -> None:
        self.whole.append(segment)
        self.rows += segment.rows
        self.bytes += segment.bytes

    def applied_to(self, manifest: Manifest) -> Manifest:
        gone = dict(manifest.gone)
        for segment in self.whole:
            gone[segment.table] = merged(gone.get(segment.table, {}), segment.covers)
        without = (*self.whole, *self.rewritten)
        return manifest.after(without=without, adding=self.adding, gone=gone)


def newest(manifest: Manifest, *, before: int) -> float | None:
    """When the newest row was written, in seconds; rows from after `before` do not count.

    Rows after a gap of a day count once they span a day: a clock that was set ahead leaves such a
    gap, and a process that starts then must not take its rows for proof.
    """
    runs: list[tuple[int, int]] = []
    for segment in sorted(_prunable(manifest), key=lambda s: s.first):
        if not segment.rows or segment.first > before:
            continue
        if runs and segment.first - runs[-1][1] <= _DAY_MICROS:
            runs[-1] = runs[-1][0], max(runs[-1][1], segment.last)
        else:
            runs.append((segment.first, segment.last))
    if len(runs) > 1:
        runs = [(first, last) for first, last in runs if last - first >= _DAY_MICROS] or runs[:-1]
    return min(runs[-1][1], before) / 1e6 if runs else None


def older(
    con: duckdb.DuckDBPyConnection, folder: Path, manifest: Manifest, *, before: int, slack: int
) -> Removed:
    """Remove rows from before a moment, in microseconds.

    A segment that also holds later rows is rewritten without the old rows. If it begins less than
    `slack` microseconds before the moment, it waits for a later call.
    """
    removed = Removed()
    for segment in _prunable(manifest):
        if segment.last < before:
            removed.take(segment)
        elif segment.first < before - slack:
            _rewrite(con, folder, segment, f"epoch_us(ts) < {before}", removed)
    return removed


def beyond(manifest: Manifest, *, most_bytes: int) -> Removed:
    """Remove the oldest segments until the others take at most `most_bytes`."""
    removed = Removed()
    oldest_first = sorted(_prunable(manifest), key=lambda s: s.last)
    size = sum(segment.bytes for segment in oldest_first)
    for segment in oldest_first:
        if size - removed.bytes <= most_bytes:
            break
        removed.take(segment)
    return removed


def of_caller(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    manifest: Manifest,
    *,
    keys: Sequence[str] = (),
    sessions: Sequence[str] = (),
) -> Removed:
    """Remove every request of these keys and sessions, and every signal about them or by these
    keys.

    Rows of opposite sign correct the sums.
    """
    removed = Removed()
    requests, signals = manifest.of("requests"), manifest.of("signals")
    if requests:
        theirs = f"{_among('key_id', keys)} OR {_among('session', sessions)}"
        rows = f"(SELECT * FROM {rows_of(folder, requests)} WHERE {theirs})"
        con.execute(f"CREATE OR REPLACE TEMP TABLE gone AS SELECT request_id FROM {rows}")
        removed.request_ids += [id_ for (id_,) in con.execute("FROM gone").fetchall()]
        removed.adding += segments.write_rollup(con, folder, rollup.of_requests(rows, sign=-1))
        for segment in requests:
            _rewrite(con, folder, segment, "request_id IN (FROM gone)", removed)
    else:
        con.execute("CREATE OR REPLACE TEMP TABLE gone (request_id VARCHAR)")
    if signals:
        theirs = f"(request_id IN (FROM gone) OR {_among('key_id', keys)})"
        about = f"(SELECT request_id FROM {rows_of(folder, signals)} WHERE {theirs})"
        old = f"(FROM {rows_of(folder, signals)} WHERE request_id IN {about})"
        left = f"(FROM {old} WHERE NOT coalesce({theirs}, false))"
        sums = rollup.of_judgements(rollup.judged(old), rollup.judged(left))
        removed.adding += segments.write_rollup(con, folder, sums)
        for segment in signals:
            _rewrite(con, folder, segment, theirs, removed)
    con.execute("DROP TABLE gone")
    return removed


def _among(column: str, values: Sequence[str]) -> str:
    return f"{column} IN ({', '.join(map(quoted, values))})" if values else "false"


def _prunable(manifest: Manifest) -> Iterator[Segment]:
    return (s for s in manifest.segments if s.table not in _KEPT_IN_FULL)


def _rewrite(
    con: duckdb.DuckDBPyConnection, folder: Path, segment: Segment, condition: str, removed: Removed
) -> None:
    """Rewrite a segment without the rows that meet a condition, if it has such rows."""
    table = TABLES[segment.table]
    source = rows_of(folder, [segment])
    row = con.execute(f"SELECT count(*) FROM {source} WHERE {condition}").fetchone()
    hits = row[0] if row else 0
    if not hits:
        return
    removed.rewritten.append(segment)
    removed.rows += hits
    columns = ", ".join(table.columns)
    rest = f"{source} WHERE NOT coalesce({condition}, false)"
    made = segments.write(
        con,
        folder,
        segment.table,
        f"SELECT {columns} FROM {rest} ORDER BY {table.key}",
        rows=segment.rows - hits,
        covers=segment.covers,
        removed=segment.removed + hits,
        damaged=segment.damaged,
    )
    removed.bytes += segment.bytes - made.bytes
    removed.adding.append(made)
