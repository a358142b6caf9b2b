"""What the learner reads: rows of telemetry beyond a watermark, each once and always in one order.

Rows are numbered by their writers without a gap, so "all of writer A up to 812" says exactly what
was read. A batch is such a list of ranges; asked for again, it brings the same rows in the same
order, whatever was sealed or merged in between.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from learner.trust import SourceScore
from router.telemetry.store.catalog import CATALOG_FILE

Ranges = Mapping[str, tuple[int, int]]  # writer -> from and to, both read
_TABLES = ("requests", "signals")
_MOST = 5_000  # rows of one writer in a batch
_DAY_MICROS = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Batch:
    """Ranges of rows, by table."""

    ranges: Mapping[str, Ranges] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return any(self.ranges.values())

    def state(self) -> dict[str, Any]:
        return {
            table: {writer: list(ends) for writer, ends in ranges.items()}
            for table, ranges in self.ranges.items()
        }

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> "Batch":
        return cls(
            {
                table: {writer: (int(a), int(b)) for writer, (a, b) in ranges.items()}
                for table, ranges in state.items()
            }
        )


@dataclass
class Watermark:
    """The last row of each writer that was read, by table."""

    read: dict[str, dict[str, int]] = field(default_factory=lambda: {t: {} for t in _TABLES})

    def after(self, batch: Batch) -> "Watermark":
        told = {table: dict(read) for table, read in self.read.items()}
        for table, ranges in batch.ranges.items():
            told[table].update({writer: ends[1] for writer, ends in ranges.items()})
        return Watermark(told)

    @property
    def rows(self) -> int:
        return sum(sum(read.values()) for read in self.read.values())


@dataclass(frozen=True, slots=True)
class Row:
    """A request that was answered, as far as the learner is concerned."""

    request_id: str
    ts_micros: int
    plan: str
    kind: str
    strategy: str
    features: Sequence[float | None]
    features_version: int
    cost_usd: float
    rate_usd: float | None
    latency_ms: float
    failed: bool
    abandoned: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """A request of which something new was said: all that was said of it by then."""

    row: Row
    before: tuple[SourceScore, ...]
    now: tuple[SourceScore, ...]


_ROW = (
    "request_id, epoch_us(ts), plan, coalesce(kind, ''), coalesce(strategy, ''), features, "
    "coalesce(features_version, 0), coalesce(cost_usd, 0), rate_usd, coalesce(latency_ms, 0), "
    "coalesce(status, 0) >= 500, coalesce(status, 0) = 499"
)


class Feed:
    """One look at telemetry; opened anew for each, since catalogs are replaced."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / CATALOG_FILE

    def beyond(self, mark: Watermark, *, since_micros: int = 0) -> Batch:
        """What there is beyond it. Rows that began before `since_micros` are not looked for."""
        with self._open() as con:
            return Batch(
                {table: _beyond(con, table, mark.read[table], since_micros) for table in _TABLES}
            )

    def rows(self, batch: Batch) -> list[Row]:
        ranges = batch.ranges.get("requests", {})
        if not ranges:
            return []
        with self._open() as con:
            found = con.execute(
                f"SELECT {_ROW} FROM all_requests r JOIN {_RANGES} ON r.writer = m.writer "
                "AND r.n BETWEEN m.low AND m.high "
                "WHERE plan IS NOT NULL AND gen_ai_operation_name = 'chat' "
                "ORDER BY ts, r.writer, r.n",
                _arguments(ranges),
            ).fetchall()
        return [Row(*row) for row in found]

    def judged(self, batch: Batch, mark: Watermark) -> list[Judged]:
        """Requests that something new was said of beyond the mark, in the order of saying."""
        ranges = batch.ranges.get("signals", {})
        if not ranges:
            return []
        before, now = mark.read["signals"], mark.after(batch).read["signals"]
        with self._open() as con:
            touched = con.execute(
                "SELECT s.request_id, min(epoch_us(s.request_ts)), min((s.ts, s.writer, s.n)) AS o "
                f"FROM all_signals s JOIN {_RANGES} ON s.writer = m.writer "
                "AND s.n BETWEEN m.low AND m.high GROUP BY s.request_id ORDER BY o",
                _arguments(ranges),
            ).fetchall()
            if not touched:
                return []
            ids = [row[0] for row in touched]
            low, high = min(row[1] for row in touched), max(row[1] for row in touched)
            rows = {
                row[0]: Row(*row)
                for row in con.execute(
                    f"SELECT {_ROW} FROM all_requests WHERE request_id = ANY(?) "
                    "AND plan IS NOT NULL AND ts BETWEEN make_timestamp(?) AND make_timestamp(?)",
                    [ids, low, high],
                ).fetchall()
            }
            said: dict[str, list[tuple[Any, ...]]] = {}
            for one in con.execute(
                "SELECT request_id, source, metric, score, weight, writer, n FROM all_signals "
                "WHERE request_id = ANY(?) AND score IS NOT NULL AND weight > 0 "
                "AND request_ts BETWEEN make_timestamp(?) AND make_timestamp(?) "
                "ORDER BY ts, writer, n",
                [ids, low, high],
            ).fetchall():
                said.setdefault(one[0], []).append(one[1:])
        return [
            Judged(rows[id_], _until(said.get(id_, ()), before), _until(said.get(id_, ()), now))
            for id_ in ids
            if id_ in rows
        ]

    @property
    def stamp(self) -> tuple[tuple[str, int], ...]:
        """Another one once any row was written: a look at it costs nothing beside a query."""
        told = []
        for table in _TABLES:
            with os.scandir(self._folder / "journal" / table) as entries:
                told += [(entry.name, entry.stat().st_size) for entry in entries]
        return tuple(sorted(told))

    def _open(self) -> duckdb.DuckDBPyConnection:
        # One thread: requests are answered on this machine, too, and this can wait.
        return duckdb.connect(str(self._path), read_only=True, config={"threads": 1})


_RANGES = "(SELECT unnest(?) AS writer, unnest(?) AS low, unnest(?) AS high) m"


def _arguments(ranges: Ranges) -> list[Any]:
    ends = list(ranges.values())
    return [list(ranges), [low for low, _ in ends], [high for _, high in ends]]


def _beyond(
    con: duckdb.DuckDBPyConnection, table: str, read: Mapping[str, int], since_micros: int
) -> Ranges:
    time = "ts" if table == "requests" else "request_ts"
    found = con.execute(
        f"SELECT r.writer, min(n), max(n), coalesce(any_value(m.low), 0) FROM all_{table} r "
        "LEFT JOIN (SELECT unnest(?) AS writer, unnest(?) AS low) m ON r.writer = m.writer "
        f"WHERE n > coalesce(m.low, 0) AND {time} >= make_timestamp(?) "
        "GROUP BY r.writer ORDER BY r.writer",
        [list(read), list(read.values()), max(since_micros - _DAY_MICROS, 0)],
    ).fetchall()
    return {writer: (low, min(high, low + _MOST - 1)) for writer, low, high, _ in found}


def _until(said: Sequence[tuple[Any, ...]], read: Mapping[str, int]) -> tuple[SourceScore, ...]:
    """The latest of each source and metric, among what was read by then."""
    return tuple(
        {
            (source, metric): SourceScore(source, metric, score, weight)
            for source, metric, score, weight, writer, n in said
            if n <= read.get(writer, 0)
        }.values()
    )
