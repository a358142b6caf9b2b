"""Measures what telemetry costs to write, and how soon it can be read. `make bench-telemetry`"""

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
    """A finished request with one attempt, two plans and all features."""
    now = time.time()
    usage = Usage(120, 340, 0)
    return Trace(
        Request(
            id=new_id(now),
            body=b"x" * 900,
            fields={},
            model="auto",
            stream=False,
            include_usage=False,
            session="s" * 24,
            session_given=True,
            continues=False,
            reading=reading_of({}),
            key_id="k" * 12,
        ),
        Decision(
            plan="fast",  # type: ignore[arg-type]
            propensity=0.7,
            strategy="ladder",
            probabilities={"fast": 0.7, "premium": 0.3},  # type: ignore[dict-item]
            reason="complexity 1.0 of 10; cuts at [4.5]",
            score=1.0,
            parts=dict.fromkeys(PARTS, 0.25),
            policy_version="f1be230be426",
        ),
        now,
        attempts=(Attempt("local", 200, "", "", 0.3, 0.1, usage, 0.0021, "openai"),),
        status=200,
        seconds=0.301,
        first_byte_seconds=0.1,
        overhead_seconds=0.0011,
        premium_plan="premium",
        premium_cost_usd=0.004,
    )


def writing(batch: int, rows: int) -> dict[str, float]:
    """Rows that one writer writes in a second, and the CPU time to write and seal a row."""
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
    """How long a signal waits, at a steady rate, until it would survive a power cut."""
    with tempfile.TemporaryDirectory(dir=HERE) as name:
        folder = Path(name)
        Keeper(folder).recover()
        journal = FileJournal(folder, "w", Metrics())
        about = About(new_id(time.time()), 1, plan="p")
        waits: list[float] = []

        async def keep() -> None:
            began = time.perf_counter()
            now = time.time()
            await journal.keep([Signal(new_id(now), now, about, "app", "score", score=0.5)])
            waits.append(time.perf_counter() - began)

        tasks: list[asyncio.Task[None]] = []
        began = time.perf_counter()
        while (elapsed := time.perf_counter() - began) < seconds:
            while len(tasks) < elapsed * rate:
                tasks.append(asyncio.create_task(keep()))
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
    """The median time of each query. Each query opens its own connection, as analysts do."""
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


def reading(rows: int, hours: float, report: Callable[[int], None]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(dir=HERE) as name:
        folder = Path(name)
        end = int(time.time() * 1e6)
        for done in big.build(folder, rows, end=end, spread_seconds=hours * HOUR):
            report(done)
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
            "explain": querying(folder, {id_: f"from explain('{id_}')" for id_ in ids}),
            "raw": querying(folder, RAW),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000, help="rows of each store")
    options = parser.parse_args()
    with Progress() as progress:
        task = progress.add_task("Writing …", total=2 * options.rows)
        result: dict[str, Any] = {
            "machine": f"{os.cpu_count()} cores, {platform.machine()}",
            "date": time.strftime("%Y-%m-%d"),
            "writing": {str(batch): writing(batch, 100_000) for batch in (1, 20, 200, 1000)},
            "acknowledging": asyncio.run(acknowledging(1000, 10.0)),
        }
        for name, hours in (("a day", 28.0), ("a month", 720.0)):
            progress.update(task, description=f"Reading {name} …")
            base = 0 if name == "a day" else options.rows

            def report(done: int, base: int = base) -> None:
                progress.update(task, completed=base + done)

            result[name] = reading(options.rows, hours, report)
    (HERE / "result.json").write_text(json.dumps(result, indent=1) + "\n")
    put("telemetry", readme_table(result))


if __name__ == "__main__":
    main()
