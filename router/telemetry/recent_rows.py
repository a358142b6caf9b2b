"""The rows that came in since the learner caught up, read from the journals as these grow.

The catalog reads every unsealed row anew for each query; here each row is parsed once. Requests are
kept until the learner has read them, and afterwards only the place of each, for its judgements.
Whenever a row may be missing here, the answer is None, and the catalog has the row.
"""

import contextlib
from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from learner.trust import IMPLICIT
from router.telemetry.feed import (
    BESIDE,
    FEED_TABLES,
    MOST_ROWS,
    AnsweredRequest,
    Batch,
    JudgedRequest,
    Ranges,
    Watermark,
    latest_scores,
)
from router.telemetry.journal_tail import JournalTail
from router.telemetry.store import manifest

_PLACES = 100_000  # requests whose place is kept, at least; twice as many at most
_JUDGED = 20_000  # requests whose signals are kept


class _Request(NamedTuple):
    n: int
    writer: str
    ts_micros: int
    answered: AnsweredRequest | None  # None for a row that teaches nothing


class _Signal(NamedTuple):
    n: int
    writer: str
    ts_micros: int
    request_id: str
    request_micros: int


@dataclass(slots=True)
class _Scores:
    """Every score of a request: its time, writer and number, and then the parts of a score."""

    request_micros: int
    scores: list[tuple[Any, ...]]


class RecentRows:
    def __init__(self, folder: Path, mark: Watermark) -> None:
        self._folder = folder
        self._tails = {
            table: JournalTail(folder / "journal" / table, mark.read[table])
            for table in FEED_TABLES
        }
        self._waiting: dict[str, dict[str, deque[Any]]] = {table: {} for table in FEED_TABLES}
        # The journal and the byte of each request, by its time in microseconds, of late and before.
        self._places: dict[int, tuple[str, int]] = {}
        self._earlier_places: dict[int, tuple[str, int]] = {}
        self._scores: OrderedDict[str, _Scores] = OrderedDict()
        self._forgotten_micros = 0  # no request up to this time is sure to have all its scores here
        self._manifest_changed = changed_at(folder)

    def beyond(self, mark: Watermark) -> Batch | None:
        """The rows after a watermark, or None if some of them are not here."""
        for table, waiting in self._waiting.items():
            tail, read = self._tails[table], mark.read[table]
            for writer in tail.last.keys() | read.keys():
                rows = waiting.get(writer, deque())
                while rows and rows[0].n <= read.get(writer, 0):
                    rows.popleft()
                if tail.last.get(writer, 0) - len(rows) != read.get(writer, 0):
                    return None
        self._read()
        if any(tail.gap for tail in self._tails.values()) or self._is_behind():
            return None
        return Batch({table: _ranges(waiting) for table, waiting in self._waiting.items()})

    def rows(self, batch: Batch) -> list[AnsweredRequest] | None:
        rows = self._in("requests", batch)
        if rows is None:
            return None
        rows.sort(key=_moment)
        return [row.answered for row in rows if row.answered is not None]

    def touched(self, batch: Batch) -> dict[str, int] | None:
        """The ids and the times of the requests that the signals of this batch are about, in the
        order of the signals."""
        signals = self._in("signals", batch)
        if signals is None:
            return None
        touched: dict[str, int] = {}
        for signal in sorted(signals, key=_moment):
            earlier = touched.get(signal.request_id, signal.request_micros)
            touched[signal.request_id] = min(earlier, signal.request_micros)
        return touched

    def judged(
        self, request_id: str, micros: int, batch: Batch, mark: Watermark
    ) -> JudgedRequest | None:
        """A request with its scores before and after a batch; None if it is not here."""
        place = self._places.get(micros) or self._earlier_places.get(micros)
        if place is None or micros <= self._forgotten_micros:
            return None
        row = self._tails["requests"].row_at(*place)
        if row is None or row["request_id"] != request_id or row.get("plan") is None:
            return None
        scores = self._scores.get(request_id)
        ordered = [] if scores is None else [score[3:] for score in sorted(scores.scores)]
        before, now = mark.read["signals"], mark.after(batch).read["signals"]
        return JudgedRequest(
            answered_by(row), latest_scores(ordered, before), latest_scores(ordered, now)
        )

    def _in(self, table: str, batch: Batch) -> list[Any] | None:
        rows: list[Any] = []
        for writer, (low, high) in batch.ranges.get(table, {}).items():
            waiting = self._waiting[table].get(writer, ())
            here = [row for row in waiting if low <= row.n <= high]
            if len(here) != high - low + 1:
                return None
            rows += here
        return rows

    def _read(self) -> None:
        if sum(map(len, self._waiting["requests"].values())) > MOST_ROWS:
            return  # after a long pause, memory must not hold all of it
        # Signals first: a request is written before what is said about it.
        for writer, line in self._tails["signals"].read():
            self._hear(writer, line.n, line.row)
        places = self._places
        waiting = self._waiting["requests"]
        for writer, line in self._tails["requests"].read():
            row, micros = line.row, line.row["ts"]
            chat = row.get("gen_ai_operation_name") == "chat" and row.get("plan") is not None
            answered = answered_by(row) if chat else None
            waiting.setdefault(writer, deque()).append(_Request(line.n, writer, micros, answered))
            places[micros] = line.file, line.at
        if len(places) >= _PLACES:
            self._earlier_places, self._places = places, {}

    def _hear(self, writer: str, n: int, row: Mapping[str, Any]) -> None:
        id_, micros = row["request_id"], row["request_ts"]
        signal = _Signal(n, writer, row["ts"], id_, micros)
        self._waiting["signals"].setdefault(writer, deque()).append(signal)
        source, score, weight = row["source"], row.get("score"), row.get("weight")
        if score is None or not ((weight or 0.0) > 0 or source == IMPLICIT):
            return
        scores = self._scores.setdefault(id_, _Scores(micros, []))
        order = row["ts"], writer, n
        scores.scores.append((*order, source, row["metric"], float(score), weight, writer, n))
        if len(self._scores) > _JUDGED:
            _, oldest = self._scores.popitem(last=False)
            self._forgotten_micros = max(self._forgotten_micros, oldest.request_micros)

    def _is_behind(self) -> bool:
        """Whether the manifest names rows that are not here: their journals came and went."""
        changed = changed_at(self._folder)
        if changed == self._manifest_changed:
            return False
        self._manifest_changed = changed
        with contextlib.suppress(manifest.Damaged, OSError):
            return any(
                segment.table in self._tails
                and ranges[-1][1] > self._tails[segment.table].last.get(writer, 0)
                for segment in manifest.load(self._folder).segments
                for writer, ranges in segment.covers.items()
            )
        return False


def changed_at(folder: Path) -> int:
    """When the manifest of a folder last changed, in nanoseconds."""
    with contextlib.suppress(OSError):
        return (folder / "manifest.json").stat().st_mtime_ns
    return 0


def answered_by(row: Mapping[str, Any]) -> AnsweredRequest:
    """The part of a journal's row that the learner reads, as the feed's SQL selects it."""
    get = row.get
    cost, rate, features = get("cost_usd"), get("rate_usd"), get("features")
    questions_usd = questions_ms = 0.0
    for attempt in get("attempts") or ():
        if attempt.get("role") in BESIDE:
            questions_ms += attempt.get("latency_ms") or 0.0
            if cost is not None:
                questions_usd += attempt.get("cost_usd") or 0.0
    status = get("status") or 0
    return AnsweredRequest(
        row["request_id"],
        row["ts"],
        row["plan"],
        get("kind") or "",
        get("strategy") or "",
        features or (),
        get("features_version") or 0,
        float(rate or 0.0) if cost is None else float(cost),
        rate,
        float(get("latency_ms") or 0.0),
        status >= 500,
        status == 499,
        questions_usd,
        questions_ms,
        get("propensity"),
        get("shadow") is not None,
    )


def _moment(row: _Request | _Signal) -> tuple[int, str, int]:
    return row.ts_micros, row.writer, row.n


def _ranges(waiting: Mapping[str, deque[Any]]) -> Ranges:
    return {
        writer: (rows[0].n, min(rows[-1].n, rows[0].n + MOST_ROWS - 1))
        for writer, rows in sorted(waiting.items())
        if rows
    }
