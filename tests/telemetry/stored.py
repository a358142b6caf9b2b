"""A telemetry folder for tests, with real journals, a real keeper and real readers."""

import functools
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb

from router.domain import new_id
from router.telemetry.log import Log, Rotation
from router.telemetry.store.audit import verify
from router.telemetry.store.catalog import CATALOG_FILE, publish
from router.telemetry.store.compact import Tiers
from router.telemetry.store.keep import Keeper, RetentionRules
from router.telemetry.store.manifest import load, store
from router.telemetry.tables import TABLES

MINUTE = 60_000_000
FEW_SEGMENTS = RetentionRules(tiers=Tiers(fan_in=3, smallest=1))
# The beginning of a minute, so that rows of a test stay in the same bucket.
NOON = 1_780_000_020_000_000


def request(at: int = NOON, **given: Any) -> dict[str, Any]:
    """A row of `requests`, as a router writes it."""
    row = {
        "ts": at,
        "request_id": new_id(at / 1e6),
        "gen_ai_operation_name": "chat",
        "gen_ai_request_model": "auto",
        "kind": "text",
        "strategy": "ladder",
        "plan": "cheap",
        "propensity": 1.0,
        "probabilities": [1.0],
        "eligible": ["cheap"],
        "explored": False,
        "reuse_tier": "novel",
        "status": 200,
        "cost_usd": 0.001,
        "premium_cost_usd": 0.004,
        "latency_ms": 100.0,
        "overhead_ms": 1.0,
        "attempts": [{"step": 1, "backend": "a", "status": 200, "latency_ms": 99.0}],
    }
    return row | given


def signal(about: Mapping[str, Any], score: float | None, **given: Any) -> dict[str, Any]:
    """A row of `signals` about this request."""
    row = {
        "ts": about["ts"] + 1_000_000,
        "signal_id": new_id(1.0),
        "request_id": about["request_id"],
        "request_ts": about["ts"],
        "source": "app",
        "metric": "score",
        "weight": 1.0,
        **{name: about[name] for name in ("strategy", "plan", "kind", "reuse_tier")},
    }
    return row | ({"score": score} if score is not None else {}) | given


class Stored:
    def __init__(self, folder: Path, rules: RetentionRules | None = None) -> None:
        self.folder = folder
        self.now = time.time()
        self.ahead = 0.0  # by how much the wall clock was set ahead
        self.rules = rules or RetentionRules()
        self.keeper = self.new_keeper()
        self._begin()
        self._logs: dict[tuple[str, str], Log] = {}

    def _begin(self) -> None:
        """Recover like a keeper that starts. A new folder gets the views of `_views` instead."""
        if (self.folder / CATALOG_FILE).exists():
            self.keeper.recover()
            return
        (self.folder / "work" / CATALOG_FILE).write_bytes(_views())
        with self.keeper.turn() as (con, now):
            if now.generation == 0:
                store(self.folder, now)
            publish(con, self.keeper.folder, now)
        self.keeper.seal()

    def new_keeper(self) -> Keeper:
        """A keeper for which time passes with `now`, and whose wall clock is `ahead`."""
        wall, steady = (lambda: self.now + self.ahead), (lambda: self.now)
        return Keeper(self.folder, self.rules, wall=wall, steady=steady)

    def write(self, table: str, rows: Iterable[Mapping[str, Any]], writer: str = "w1") -> None:
        """Write rows durably, without sealing them."""
        log = self._logs.get((table, writer))
        if log is None:
            folder = self.folder / "journal" / table
            log = Log(folder, writer, rotation=Rotation(1e9))
            self._logs[table, writer] = log
        log.append_many(rows)
        log.sync()

    def close(self) -> None:
        """Close the journals like a writer that rotates, so that the keeper can seal them."""
        for log in self._logs.values():
            log.close()

    def seal(self) -> None:
        self.close()
        self.keeper.seal()

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Open the published catalog and run a query, as an analyst does."""
        with duckdb.connect(str(self.folder / "telemetry.duckdb"), read_only=True) as con:
            return con.execute(sql).fetchall()

    def value(self, sql: str) -> Any:
        """Run a query that gives one value, and return the value."""
        return self.ask(sql)[0][0]

    def rows(self, sql: str) -> list[dict[str, Any]]:
        with duckdb.connect(str(self.folder / "telemetry.duckdb"), read_only=True) as con:
            cursor = con.execute(sql)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    @property
    def segments(self) -> int:
        return len([s for s in load(self.folder).segments if s.table in TABLES])


@functools.cache
def _views() -> bytes:
    """A keeper's own copy of a catalog. A keeper that has a copy only replaces what changed, which
    takes a small part of the time of making all views."""
    with tempfile.TemporaryDirectory() as folder:
        keeper = Keeper(Path(folder))
        keeper.recover()
        return (keeper.folder / "work" / CATALOG_FILE).read_bytes()


def problems(folder: Path) -> list[str]:
    """The findings of `waggle telemetry verify`."""
    return [f"{finding.where}: {finding.problem}" for finding in verify(folder).findings]
