"""Rows that go: too old, too many, or their caller's wish."""

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

_KEPT_IN_FULL = (*rollup.TABLES, "policies", "trials")  # small, and nobody's in particular


@dataclass
class Removed:
    """What a removal changes in the manifest."""

    whole: list[Segment] = field(default_factory=list)
    rewritten: list[Segment] = field(default_factory=list)  # their rows but some are in `adding`
    adding: list[Segment] = field(default_factory=list)
    rows: int = 0
    bytes: int = 0

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


def older(
    con: duckdb.DuckDBPyConnection, folder: Path, manifest: Manifest, *, before: int, slack: int
) -> Removed:
    """Rows from before a moment. A segment that reaches beyond it is written anew without them,
    unless only `slack` microseconds of it are too old: that can wait for the next time."""
    removed = Removed()
    for segment in _prunable(manifest):
        if segment.last < before:
            removed.take(segment)
        elif segment.first < before - slack:
            _rewrite(con, folder, segment, f"epoch_us(ts) < {before}", removed)
    return removed


def beyond(manifest: Manifest, *, most_bytes: int) -> Removed:
    """The oldest segments, until what is left fits."""
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
    """Every row of these keys and sessions, and every signal about or by them. The sums are
    corrected by rows of opposite sign."""
    removed = Removed()
    requests, signals = manifest.of("requests"), manifest.of("signals")
    if requests:
        who = f"{_among('key_id', keys)} OR {_among('session', sessions)}"
        theirs = f"(SELECT * FROM {rows_of(folder, requests)} WHERE {who})"
        con.execute(f"CREATE OR REPLACE TEMP TABLE gone AS SELECT request_id FROM {theirs}")
        removed.adding += segments.write_rollup(con, folder, rollup.of_requests(theirs, sign=-1))
        for segment in requests:
            _rewrite(con, folder, segment, "request_id IN (FROM gone)", removed)
    else:
        con.execute("CREATE OR REPLACE TEMP TABLE gone (request_id VARCHAR)")
    if signals:
        said = f"(request_id IN (FROM gone) OR {_among('key_id', keys)})"
        about = f"(SELECT request_id FROM {rows_of(folder, signals)} WHERE {said})"
        old = f"(FROM {rows_of(folder, signals)} WHERE request_id IN {about})"
        left = f"(FROM {old} WHERE NOT coalesce({said}, false))"
        sums = rollup.of_judgements(rollup.judged(old), rollup.judged(left))
        removed.adding += segments.write_rollup(con, folder, sums)
        for segment in signals:
            _rewrite(con, folder, segment, said, removed)
    con.execute("DROP TABLE gone")
    return removed


def _among(column: str, values: Sequence[str]) -> str:
    return f"{column} IN ({', '.join(map(quoted, values))})" if values else "false"


def _prunable(manifest: Manifest) -> Iterator[Segment]:
    return (s for s in manifest.segments if s.table not in _KEPT_IN_FULL)


def _rewrite(
    con: duckdb.DuckDBPyConnection, folder: Path, segment: Segment, which: str, removed: Removed
) -> None:
    """The segment without the rows that a condition picks; as it is where it picks none."""
    table = TABLES[segment.table]
    source = rows_of(folder, [segment])
    told = con.execute(f"SELECT count(*) FROM {source} WHERE {which}").fetchone()
    hit = told[0] if told else 0
    if not hit:
        return
    removed.rewritten.append(segment)
    removed.rows += hit
    columns = ", ".join(table.columns)
    sql = f"SELECT {columns} FROM {source} WHERE NOT coalesce({which}, false) ORDER BY {table.key}"
    made = segments.write(
        con,
        folder,
        segment.table,
        sql,
        rows=segment.rows - hit,
        covers=segment.covers,
        removed=segment.removed + hit,
        damaged=segment.damaged,
    )
    removed.bytes += segment.bytes - made.bytes
    removed.adding.append(made)
