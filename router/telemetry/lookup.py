"""What is remembered of one request: asked of the rows themselves, many at a time.

Questions that come while one is being answered are answered together by the next.
"""

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import duckdb

from router.domain import About
from router.telemetry.store.catalog import CATALOG_FILE


@dataclass(frozen=True, slots=True)
class StoredSignal:
    """A signal that is there already."""

    id: str
    source: str
    metric: str
    content: tuple[str | None, float | None, str | None, str | None]
    ts_micros: int


@dataclass(frozen=True, slots=True)
class StoredRequest:
    about: About
    signals: tuple[StoredSignal, ...]  # oldest first


class Memory(Protocol):
    async def find(self, request_id: str) -> StoredRequest | None: ...
    async def scores(self) -> Mapping[str, float]: ...


class CatalogMemory:
    def __init__(self, folder: Path) -> None:
        self._path = folder / CATALOG_FILE
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="lookup")
        self._asked: dict[str, asyncio.Future[StoredRequest | None]] = {}
        self._answering: asyncio.Task[None] | None = None

    async def find(self, request_id: str) -> StoredRequest | None:
        # Shared only until it is being answered: a later question must see later rows.
        future = self._asked.get(request_id)
        if future is None:
            future = self._asked[request_id] = asyncio.get_running_loop().create_future()
        if self._answering is None or self._answering.done():
            self._answering = asyncio.ensure_future(self._answer())
        return await asyncio.shield(future)

    async def scores(self) -> Mapping[str, float]:
        """How good the answers of each backend were, as far as anybody said."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, scores_in, self._path)
        except duckdb.Error as error:
            raise LookupError(f"telemetry cannot be read: {error}") from None

    def close(self) -> None:
        self._threads.shutdown(wait=False)

    async def _answer(self) -> None:
        loop = asyncio.get_running_loop()
        while self._asked:
            asked, self._asked = self._asked, {}
            try:
                found = await loop.run_in_executor(self._threads, recall, self._path, list(asked))
            except duckdb.Error as error:
                for future in asked.values():
                    future.set_exception(LookupError(f"telemetry cannot be read: {error}"))
                continue
            for request_id, future in asked.items():
                future.set_result(found.get(request_id))


def scores_in(path: Path) -> Mapping[str, float]:
    """Mean quality of the last week by the backend that answered. Few judgements move it little: it
    begins at one half, as if two had been heard before."""
    with duckdb.connect(str(path), read_only=True) as con:
        rows = con.execute(
            "SELECT backend, (1 + sum(quality)) / (2 + count(*)) FROM requests "
            "WHERE quality IS NOT NULL AND backend IS NOT NULL AND ts > ago(INTERVAL 7 DAY) "
            "GROUP BY backend"
        ).fetchall()
    return dict(rows)


def recall(path: Path, request_ids: Sequence[str]) -> Mapping[str, StoredRequest]:
    """The requests of these ids that some plan answered, with all that was said about them."""
    with duckdb.connect(str(path), read_only=True) as con:
        requests = con.execute(
            "SELECT request_id, epoch_us(ts), coalesce(key_id, ''), strategy, plan, kind, "
            "reuse_tier FROM all_requests WHERE request_id = ANY(?) AND plan IS NOT NULL",
            [list(request_ids)],
        ).fetchall()
        known = {row[0]: row[1] for row in requests}
        if not known:
            return {}
        signals = con.execute(
            "SELECT request_id, signal_id, source, metric, value, score, comment, demonstration, "
            "epoch_us(ts) FROM all_signals WHERE request_id = ANY(?) "
            "AND request_ts BETWEEN make_timestamp(?) AND make_timestamp(?) ORDER BY ts, n",
            [list(known), min(known.values()), max(known.values())],
        ).fetchall()
    said: dict[str, list[StoredSignal]] = {}
    for request_id, signal_id, source, metric, *content, ts in signals:
        one = StoredSignal(signal_id, source, metric, tuple(content), ts)
        said.setdefault(request_id, []).append(one)
    return {row[0]: StoredRequest(About(*row), tuple(said.get(row[0], ()))) for row in requests}
