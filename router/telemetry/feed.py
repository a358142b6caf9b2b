"""The learner's input: rows of telemetry that it has not read yet, each once and in a fixed order.

Writers number their rows without a gap, so "all rows of writer A up to 812" says exactly which rows
were read. A batch is a list of such ranges. Reading a batch again gives the same rows in the same
order, even if the keeper sealed or merged segments in between.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import duckdb

from learner.trust import SourceScore
from router.telemetry.journal_tail import JournalFolder
from router.telemetry.store.catalog import CATALOG_FILE
from router.value import value

Ranges = Mapping[str, tuple[int, int]]  # the first and the last row of each writer
FEED_TABLES = ("requests", "signals")
MOST_ROWS = 5_000  # rows of one writer in a batch
_DAY_MICROS = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Batch:
    """The rows to read next: a range of row numbers for each table and writer."""

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
    """How far the learner has read: the last row number of each table and writer."""

    read: dict[str, dict[str, int]] = field(default_factory=lambda: {t: {} for t in FEED_TABLES})

    def after(self, batch: Batch) -> "Watermark":
        read = {table: dict(last) for table, last in self.read.items()}
        for table, ranges in batch.ranges.items():
            read[table].update({writer: ends[1] for writer, ends in ranges.items()})
        return Watermark(read)


@value
class AnsweredRequest:
    """The part of a request's row that the learner reads."""

    request_id: str
    ts_micros: int
    plan: str
    kind: str
    strategy: str
    features: Sequence[float | None]
    features_version: int
    cost_usd: float  # an unknown cost counts as the rate: as dear as the dearest known plan
    rate_usd: float | None
    latency_ms: float
    failed: bool
    abandoned: bool
    questions_usd: float = 0.0  # part of the cost: calls beside the plan
    questions_ms: float = 0.0
    propensity: float | None = None
    shadowed: bool = False  # the features are there, although the caller named the plan


@dataclass(frozen=True, slots=True)
class JudgedRequest:
    """A request with new signals: the latest score of each source before and after this batch."""

    request: AnsweredRequest
    before: tuple[SourceScore, ...]
    now: tuple[SourceScore, ...]


class NewRows(Protocol):
    """Where a learner reads the rows that it has not read yet."""

    @property
    def stamp(self) -> object: ...
    def beyond(self, mark: Watermark, *, since_micros: int = 0) -> Batch: ...
    def rows(self, batch: Batch) -> list[AnsweredRequest]: ...
    def judged(self, batch: Batch, mark: Watermark) -> list[JudgedRequest]: ...


# Calls beside the plan: questions about memory, and summaries of conversations.
BESIDE = ("reuse.verifier", "summary")
_BESIDE = f"a.role IN {BESIDE!r}"
_COLUMNS = (
    "request_id, epoch_us(ts), plan, coalesce(kind, ''), coalesce(strategy, ''), features, "
    "coalesce(features_version, 0), coalesce(cost_usd, rate_usd, 0), rate_usd, "
    "coalesce(latency_ms, 0), "
    "coalesce(status, 0) >= 500, coalesce(status, 0) = 499, "
    "CASE WHEN cost_usd IS NULL THEN 0 ELSE "
    f"coalesce(list_sum([a.cost_usd for a in attempts if {_BESIDE}]), 0) END, "
    f"coalesce(list_sum([a.latency_ms for a in attempts if {_BESIDE}]), 0), "
    "propensity, shadow IS NOT NULL"
)


class Feed:
    """Reads the catalog. Each call opens the catalog anew, because the keeper replaces it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / CATALOG_FILE
        self._journals = [JournalFolder(folder / "journal" / table) for table in FEED_TABLES]

    def beyond(self, mark: Watermark, *, since_micros: int = 0) -> Batch:
        """The rows after a watermark, without rows more than a day older than `since_micros`."""
        with self._open() as con:
            read = mark.read
            return Batch({t: _beyond(con, t, read[t], since_micros) for t in FEED_TABLES})

    def rows(self, batch: Batch) -> list[AnsweredRequest]:
        ranges = batch.ranges.get("requests", {})
        if not ranges:
            return []
        with self._open() as con:
            rows = con.execute(
                f"SELECT {_COLUMNS} FROM all_requests r JOIN {_RANGES} ON r.writer = m.writer "
                "AND r.n BETWEEN m.low AND m.high "
                "WHERE plan IS NOT NULL AND gen_ai_operation_name = 'chat' "
                "ORDER BY ts, r.writer, r.n",
                _arguments(ranges),
            ).fetchall()
        return [AnsweredRequest(*row) for row in rows]

    def judged(self, batch: Batch, mark: Watermark) -> list[JudgedRequest]:
        """The requests that the signals of this batch are about, in the order of the signals."""
        ranges = batch.ranges.get("signals", {})
        if not ranges:
            return []
        with self._open() as con:
            touched = con.execute(
                "SELECT s.request_id, min(epoch_us(s.request_ts)), min((s.ts, s.writer, s.n)) AS o "
                f"FROM all_signals s JOIN {_RANGES} ON s.writer = m.writer "
                "AND s.n BETWEEN m.low AND m.high GROUP BY s.request_id ORDER BY o",
                _arguments(ranges),
            ).fetchall()
        return self.judged_among({id_: micros for id_, micros, _ in touched}, batch, mark)

    def judged_among(
        self, touched: Mapping[str, int], batch: Batch, mark: Watermark
    ) -> list[JudgedRequest]:
        """The requests with these ids, which began at these times, and all signals about them."""
        if not touched:
            return []
        before, now = mark.read["signals"], mark.after(batch).read["signals"]
        span = list(touched), min(touched.values()), max(touched.values())
        with self._open() as con:
            requests, signals = _requests(con, *span), _signals(con, *span)
        return [
            JudgedRequest(
                requests[id_], latest_scores(signals[id_], before), latest_scores(signals[id_], now)
            )
            for id_ in touched
            if id_ in requests
        ]

    @property
    def stamp(self) -> tuple[tuple[str, int], ...]:
        """A value that changes whenever a row is written; it costs far less than a query."""
        return tuple(size for folder in self._journals for size in folder.sizes())

    def _open(self) -> duckdb.DuckDBPyConnection:
        # One thread: this machine also answers requests, and learning can wait.
        return duckdb.connect(str(self._path), read_only=True, config={"threads": 1})


_RANGES = "(SELECT unnest(?) AS writer, unnest(?) AS low, unnest(?) AS high) m"


def _requests(
    con: duckdb.DuckDBPyConnection, ids: Sequence[str], low: int, high: int
) -> Mapping[str, AnsweredRequest]:
    """The requests with these ids that began between two moments, in microseconds."""
    rows = con.execute(
        f"SELECT {_COLUMNS} FROM all_requests WHERE request_id = ANY(?) "
        "AND plan IS NOT NULL AND ts BETWEEN make_timestamp(?) AND make_timestamp(?)",
        [ids, low, high],
    ).fetchall()
    return {row[0]: AnsweredRequest(*row) for row in rows}


def _signals(
    con: duckdb.DuckDBPyConnection, ids: Sequence[str], low: int, high: int
) -> Mapping[str, list[tuple[Any, ...]]]:
    """Every score of these requests, from the oldest to the latest."""
    rows = con.execute(
        "SELECT request_id, source, metric, score, weight, writer, n FROM all_signals "
        "WHERE request_id = ANY(?) AND score IS NOT NULL "
        "AND (weight > 0 OR source = 'implicit') "
        "AND request_ts BETWEEN make_timestamp(?) AND make_timestamp(?) "
        "ORDER BY ts, writer, n",
        [ids, low, high],
    ).fetchall()
    signals: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for id_, *signal in rows:
        signals[id_].append(tuple(signal))
    return signals


def _arguments(ranges: Ranges) -> list[Any]:
    ends = list(ranges.values())
    return [list(ranges), [low for low, _ in ends], [high for _, high in ends]]


def _beyond(
    con: duckdb.DuckDBPyConnection, table: str, read: Mapping[str, int], since_micros: int
) -> Ranges:
    time = "ts" if table == "requests" else "request_ts"
    rows = con.execute(
        f"SELECT r.writer, min(n), max(n), coalesce(any_value(m.low), 0) FROM all_{table} r "
        "LEFT JOIN (SELECT unnest(?) AS writer, unnest(?) AS low) m ON r.writer = m.writer "
        f"WHERE n > coalesce(m.low, 0) AND {time} >= make_timestamp(?) "
        "GROUP BY r.writer ORDER BY r.writer",
        [list(read), list(read.values()), max(since_micros - _DAY_MICROS, 0)],
    ).fetchall()
    return {writer: (low, min(high, low + MOST_ROWS - 1)) for writer, low, high, _ in rows}


def latest_scores(
    signals: Sequence[tuple[Any, ...]], read: Mapping[str, int]
) -> tuple[SourceScore, ...]:
    """The latest score of each source and metric, among the rows up to a watermark."""
    return tuple(
        {
            (source, metric): SourceScore(source, metric, score, weight)
            for source, metric, score, weight, writer, n in signals
            if n <= read.get(writer, 0)
        }.values()
    )
