"""What telemetry costs to write, and how soon it can be read. `make bench-telemetry`"""

import argparse
import asyncio
import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
from rich.progress import Progress

from experiments.readme import put
from experiments.telemetry import big
from experiments.telemetry.report import readme_table
from router.domain import About, Attempt, Decision, Request, Signal, Trace, Usage, new_id
from router.request.complexity import PARTS
from router.request.reading import reading_of
from router.telemetry.journal import FileJournal
from router.telemetry.log import Log, Rotation
from router.telemetry.metrics import Metrics
from router.telemetry.rows import request_row
from router.telemetry.store.keep import Keeper

HERE = Path(__file__).parent
HOUR = 3600.0
PANELS = {
    "learning_curve": "from learning_curve(every := interval 1 hour)",
    "plan_scores": "from plan_scores()",
    "cost_saved": "from cost_saved()",
    "regret_curve": "from regret_curve(every := interval 1 hour)",
    "reuse_by_tier": "from reuse_by_tier",
    "drift": "from drift()",
}
RECENT = {
    "by plan": "select plan, count(*), avg(quality), avg(latency_ms) from requests "
    "where ts >= ago(interval 5 minute) group by plan",
    "newest 50": "select ts, plan, cost_usd, quality from requests "
    "where ts >= ago(interval 5 minute) order by ts desc limit 50",
}
RAW = {
    "cost by plan": "select plan, count(*), sum(cost_usd), avg(latency_ms) from requests "
    "group by plan",
    "p95 by kind": "select kind, approx_quantile(latency_ms, 0.95) from requests group by kind",
    "quality by plan": "select plan, avg(quality) from requests group by plan",
    "off_policy": "from off_policy()",
    "feedback_coverage": "from feedback_coverage",
}


def trace() -> Trace:
    """A request as the router ends it: one attempt, two plans, all features."""
    now = time.time()
    parts = dict.fromkeys(PARTS, 0.25)
    return Trace(
        Request(
            new_id(now),
            b"x" * 900,
            {},
            "auto",
            False,
            False,
            "s" * 24,
            True,
            False,
            reading_of({}),
            "k" * 12,
        ),
        Decision(
            plan="fast",  # type: ignore[arg-type]
            propensity=0.7,
            strategy="ladder",
            probabilities={"fast": 0.7, "premium": 0.3},  # type: ignore[dict-item]
            reason="complexity 1.0 of 10; cuts at [4.5]",
            score=1.0,
            parts=parts,
            policy_version="f1be230be426",
        ),
        now,
        attempts=(Attempt("local", 200, "", "", 0.3, 0.1, Usage(120, 340, 0), 0.0021, "openai"),),
        status=200,
        seconds=0.301,
        first_byte_seconds=0.1,
        overhead_seconds=0.0011,
        premium_plan="premium",
        premium_cost_usd=0.004,
    )


def writing(batch: int, rows: int) -> dict[str, float]:
    """One writer as fast as it goes; then what sealing all of it costs."""
    with tempfile.TemporaryDirectory(dir=HERE) as name:
        folder = Path(name)
        keeper = Keeper(folder)
        keeper.recover()
        traces = [trace() for _ in range(batch)]
        log = Log(folder / "journal" / "requests", "w", rotation=Rotation(1e9))
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(rows // batch):
            log.append_many(map(request_row, traces))
            log.sync()
        wrote, burnt = time.perf_counter() - wall, time.process_time() - cpu
        log.close()
        cpu = time.process_time()
        sealed = keeper.seal()
        sealing = time.process_time() - cpu
    return {
        "rows_per_second": sealed / wrote,
        "write_us_per_row": 1e6 * burnt / sealed,
        "seal_us_per_row": 1e6 * sealing / sealed,
        "cpu_us_per_row": 1e6 * (burnt + sealing) / sealed,
    }


async def acknowledging(rate: int, seconds: float) -> dict[str, float]:
    """How long a signal waits until it would survive a power cut, at a steady rate."""
    with tempfile.TemporaryDirectory(dir=HERE) as name:
        folder = Path(name)
        Keeper(folder).recover()
        journal = FileJournal(folder, "w", Metrics())
        about = About(new_id(time.time()), 1, plan="p")
        waits: list[float] = []

        async def one() -> None:
            began = time.perf_counter()
            now = time.time()
            await journal.keep([Signal(new_id(now), now, about, "app", "score", score=0.5)])
            waits.append(time.perf_counter() - began)

        tasks = []
        began = time.perf_counter()
        while (elapsed := time.perf_counter() - began) < seconds:
            while len(tasks) < elapsed * rate:
                tasks.append(asyncio.create_task(one()))
            await asyncio.sleep(0.001)
        await asyncio.gather(*tasks)
        journal.close()
    waits.sort()
    return {
        "rate": len(waits) / seconds,
        "p50_ms": 1e3 * waits[len(waits) // 2],
        "p99_ms": 1e3 * waits[int(len(waits) * 0.99)],
    }


def querying(folder: Path, queries: dict[str, str], times: int = 5) -> dict[str, dict[str, float]]:
    """Each in a connection of its own, as an analyst or a panel would; the median."""
    path = str(folder / "telemetry.duckdb")
    result = {}
    for name, sql in queries.items():
        walls, cpus = [], []
        for _ in range(times):
            wall, cpu = time.perf_counter(), time.process_time()
            with duckdb.connect(path, read_only=True) as con:
                con.execute(sql).fetchall()
            walls.append(time.perf_counter() - wall)
            cpus.append(time.process_time() - cpu)
        result[name] = {
            "ms": 1e3 * statistics.median(walls),
            "cpu_ms": 1e3 * statistics.median(cpus),
        }
    return result


def reading(rows: int, hours: float, tell: Callable[[int], None]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(dir=HERE) as name:
        folder = Path(name)
        end = int(time.time() * 1e6)
        for done in big.build(folder, rows, end=end, spread_seconds=hours * HOUR):
            tell(done)
        with duckdb.connect(str(folder / "telemetry.duckdb"), read_only=True) as con:
            ids = [
                row[0]
                for row in con.execute(
                    "SELECT request_id FROM all_requests WHERE n IN (12345, 5000000, 9999000)"
                ).fetchall()
            ]
            sums = con.execute("SELECT count(*) FROM rollup_parts").fetchall()[0][0]
        return {
            "rows": rows,
            "hours": hours,
            "rollup_rows": sums,
            "bytes": sum(path.stat().st_size for path in folder.rglob("*.parquet")),
            "panels": querying(folder, PANELS),
            "last five minutes": querying(folder, RECENT),
            "explain": querying(folder, {one: f"from explain('{one}')" for one in ids}),
            "raw": querying(folder, RAW),
        }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=10_000_000)
    given = parser.parse_args()
    with Progress() as progress:
        task = progress.add_task("Writing …", total=2 * given.rows)
        result: dict[str, Any] = {
            "machine": f"{os.cpu_count()} cores, {platform.machine()}",
            "date": time.strftime("%Y-%m-%d"),
            "writing": {str(batch): writing(batch, 100_000) for batch in (1, 20, 200, 1000)},
            "acknowledging": asyncio.run(acknowledging(1000, 10.0)),
        }
        for name, hours in (("a day", 28.0), ("a month", 720.0)):
            progress.update(task, description=f"Reading {name} …")
            base = 0 if name == "a day" else given.rows
            result[name] = reading(
                given.rows,
                hours,
                lambda done, base=base: progress.update(task, completed=base + done),
            )
    (HERE / "result.json").write_text(json.dumps(result, indent=1) + "\n")
    put("telemetry", readme_table(result))


if __name__ == "__main__":
    main()
