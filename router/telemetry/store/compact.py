"""Merges small segments into large ones. The rows stay the same."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from router.telemetry import rollup
from router.telemetry.sql import from_segments
from router.telemetry.store import segments
from router.telemetry.store.manifest import Segment, merged
from router.telemetry.tables import TABLES


@dataclass(frozen=True, slots=True)
class Tiers:
    """The sizes of segments: `fan_in` segments of about the same size are merged."""

    fan_in: int = 8
    smallest: int = 1_000  # rows; smaller segments make up the lowest tier
    largest_rows: int = 1_000_000
    largest_bytes: int = 256 * 2**20

    def tier(self, segment: Segment) -> int:
        rows, tier = segment.rows, 0
        while rows >= self.smallest:
            rows, tier = rows // self.fan_in, tier + 1
        return tier

    def full(self, segment: Segment) -> bool:
        return segment.rows >= self.largest_rows or segment.bytes >= self.largest_bytes


def due(all_segments: Sequence[Segment], tiers: Tiers, *, everything: bool) -> list[Segment]:
    """The segments to merge next: the fullest tier; with `everything`, all segments of a table."""
    by_table: dict[str, list[Segment]] = defaultdict(list)
    for segment in all_segments:
        if not tiers.full(segment):
            by_table[segment.table].append(segment)
    best: list[Segment] = []
    for members in by_table.values():
        groups: dict[int, list[Segment]] = defaultdict(list)
        for segment in sorted(members, key=lambda s: s.first):
            groups[0 if everything else tiers.tier(segment)].append(segment)
        for group in groups.values():
            some = _fitting(group, tiers)
            enough = 2 if everything else tiers.fan_in
            if len(some) >= enough and len(some) > len(best):
                best = some
    return best


def merge(con: duckdb.DuckDBPyConnection, folder: Path, old: Sequence[Segment]) -> Segment:
    """Write one segment with the rows of all the old segments."""
    name = old[0].table
    if name in rollup.TABLES:
        paths = [segment.path(folder) for segment in old]
        return segments.write_sums(con, folder, name, rollup.added_up(from_segments(paths)))
    table = TABLES[name]
    columns = ", ".join(table.columns)
    sql = f"SELECT {columns} FROM {segments.rows_of(folder, old)} ORDER BY {table.key}"
    return segments.write(
        con,
        folder,
        name,
        sql,
        rows=sum(segment.rows for segment in old),
        covers=merged(*(segment.covers for segment in old)),
        removed=sum(segment.removed for segment in old),
        damaged=sum(segment.damaged for segment in old),
    )


def _fitting(group: Sequence[Segment], tiers: Tiers) -> list[Segment]:
    """As many of these segments, from the first on, as fit into one segment."""
    fitting: list[Segment] = []
    rows = size = 0
    for segment in group:
        rows, size = rows + segment.rows, size + segment.bytes
        if fitting and (rows > tiers.largest_rows or size > tiers.largest_bytes):
            break
        fitting.append(segment)
    return fitting
