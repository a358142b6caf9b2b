"""Looks up requests in telemetry, and the quality of each backend's answers.

A request of the last minutes is looked up in the journals, and any other in the catalog. Lookups
that arrive during another lookup share the next query.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import duckdb

from router.domain import About
from router.telemetry.journal_search import FoundRequest, JournalSearch
from router.telemetry.store.catalog import CATALOG_FILE

_CONTENT = ("value", "score", "comment", "demonstration")


@dataclass(frozen=True, slots=True)
class StoredSignal:
    """A signal that telemetry holds. `content`: value, score, comment, demonstration."""

    id: str
    source: str
    metric: str
    content: tuple[str | None, float | None, str | None, str | None]
    ts_micros: int


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """A request that telemetry holds, with its signals from the oldest to the latest."""

    about: About
    signals: tuple[StoredSignal, ...]
    of_stores: bool = False  # whether the answer may hold words of stores of knowledge


class Memory(Protocol):
    """Reads telemetry back. Both methods raise `LookupError` while telemetry cannot be read."""

    async def find(self, request_id: str) -> StoredRequest | None:
        """The request that a plan answered under this id, with every signal written so far."""

    async def scores(self) -> Mapping[str, float]:
        """The mean quality of each judged backend's answers, from 0 to 1."""


class CatalogMemory:
    """Reads telemetry back from the catalog and the journals, in a thread."""

    def __init__(
        self,
        folder: Path,
        *,
        grace_seconds: float = 600.0,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """`grace_seconds` is how long the keeper leaves sealed journals where they are."""
        self._path = folder / CATALOG_FILE
        self._recent = JournalSearch(folder, grace_seconds=grace_seconds, wall=wall)
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="lookup")
        self._queue: dict[str, asyncio.Future[StoredRequest | None]] = {}
        self._answering: asyncio.Task[None] | None = None

    async def find(self, request_id: str) -> StoredRequest | None:
        # Callers may join a lookup only before it begins: a later caller must see later rows.
        future = self._queue.get(request_id)
        if future is None:
            future = self._queue[request_id] = asyncio.get_running_loop().create_future()
        if self._answering is None or self._answering.done():
            self._answering = asyncio.ensure_future(self._answer())
        return await asyncio.shield(future)

    async def scores(self) -> Mapping[str, float]:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, scores_in, self._path)
        except duckdb.Error as error:
            raise LookupError(f"telemetry cannot be read: {error}") from None

    def follow(self, grace_seconds: float) -> None:
        """Take over the setting of a new configuration."""
        self._recent.grace_seconds = grace_seconds

    def close(self) -> None:
        self._threads.shutdown(wait=False)

    def _stored(self, request_ids: Sequence[str]) -> Mapping[str, StoredRequest]:
        recent = self._recent.find(request_ids)
        stored = {request_id: _stored_request(each) for request_id, each in recent.items()}
        others = [request_id for request_id in request_ids if request_id not in stored]
        return {**stored, **requests_in(self._path, others)} if others else stored

    async def _answer(self) -> None:
        loop = asyncio.get_running_loop()
        while self._queue:
            batch, self._queue = self._queue, {}
            try:
                stored = await loop.run_in_executor(self._threads, self._stored, list(batch))
            except duckdb.Error as error:
                for future in batch.values():
                    future.set_exception(LookupError(f"telemetry cannot be read: {error}"))
                continue
            for request_id, future in batch.items():
                future.set_result(stored.get(request_id))


def scores_in(path: Path) -> Mapping[str, float]:
    """The mean quality of each backend's answers in the last week.

    Two imaginary judgements of 0.5 are added, so that few real judgements move the mean little.
    """
    with duckdb.connect(str(path), read_only=True) as con:
        rows = con.execute(
            "SELECT backend, (1 + sum(quality)) / (2 + count(*)) FROM requests "
            "WHERE quality IS NOT NULL AND backend IS NOT NULL AND ts > ago(INTERVAL 7 DAY) "
            "GROUP BY backend"
        ).fetchall()
    return dict(rows)


def requests_in(path: Path, request_ids: Sequence[str]) -> Mapping[str, StoredRequest]:
    """The requests with these ids that a plan answered, with their signals."""
    with duckdb.connect(str(path), read_only=True) as con:
        requests = con.execute(
            "SELECT request_id, epoch_us(ts), coalesce(key_id, ''), strategy, plan, kind, "
            "reuse_tier, stores IS NOT NULL FROM all_requests "
            "WHERE request_id = ANY(?) AND plan IS NOT NULL",
            [list(request_ids)],
        ).fetchall()
        if not requests:
            return {}
        moments = {row[0]: row[1] for row in requests}
        rows = con.execute(
            "SELECT request_id, signal_id, source, metric, value, score, comment, demonstration, "
            "epoch_us(ts) FROM all_signals WHERE request_id = ANY(?) "
            "AND request_ts BETWEEN make_timestamp(?) AND make_timestamp(?) ORDER BY ts, n",
            [list(moments), min(moments.values()), max(moments.values())],
        ).fetchall()
    signals: dict[str, list[StoredSignal]] = {}
    for request_id, signal_id, source, metric, *content, ts in rows:
        signal = StoredSignal(signal_id, source, metric, tuple(content), ts)
        signals.setdefault(request_id, []).append(signal)
    return {
        row[0]: StoredRequest(About(*row[:-1]), tuple(signals.get(row[0], ())), of_stores=row[-1])
        for row in requests
    }


def _stored_request(request: FoundRequest) -> StoredRequest:
    row = request.row
    about = About(
        row["request_id"],
        row["ts"],
        row.get("key_id") or "",
        row.get("strategy"),
        row["plan"],
        row.get("kind"),
        row.get("reuse_tier"),
    )
    signals = tuple(_stored_signal(signal) for signal in request.signals)
    return StoredRequest(about, signals, of_stores=bool(row.get("stores")))


def _stored_signal(row: Mapping[str, Any]) -> StoredSignal:
    value, score, comment, demonstration = map(row.get, _CONTENT)
    content = (value, None if score is None else float(score), comment, demonstration)
    return StoredSignal(row["signal_id"], row["source"], row["metric"], content, row["ts"])
