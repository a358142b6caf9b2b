"""Measures what isolation costs, and which hostile programs it contains. `make bench-sandbox`"""

import argparse
import asyncio
import json
import os
import platform
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from rich.progress import Progress

from experiments.readme import put
from experiments.sandbox.containment import TRIVIAL, containment
from experiments.sandbox.report import readme_table
from experiments.sandbox.starting import cpu_of_programs, first_results, in_a_service
from experiments.sandbox.waiting import blamed, longest_waits
from sandbox.function import Function
from sandbox.levels import best_level, open_pool
from sandbox.pool import Pool
from sandbox.runner import Program
from tests.sandbox.benign import PROGRAMS

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
NUMPY = Program(
    "import numpy as np\nrng = np.random.default_rng()\n"
    "result = {name: rng.normal(35, 12, 1000) for name in 'abc'}"
)
ROUTE = """
def route(context, arms):
    hard = 0.5 * context["complexity"] / 10 + 0.5 * context["length"]
    weights = {arm: 1.0 / (1 + abs(i / len(arms) - hard)) for i, arm in enumerate(arms)}
    total = sum(weights.values())
    return {arm: weight / total for arm, weight in weights.items()}
"""


async def latencies(pool: Pool, program: Program, count: int) -> dict[str, float]:
    """Median and p99 of single runs; a pause after each run lets the next worker start."""
    taken = []
    for _ in range(count):
        begun = time.perf_counter()
        run = await pool.run(program)
        taken.append(1000 * (time.perf_counter() - begun))
        assert run.ok, run
        await asyncio.sleep(0.01)
    taken.sort()
    return {"p50_ms": statistics.median(taken), "p99_ms": taken[int(0.99 * len(taken))]}


async def throughput(pool: Pool, program: Program, count: int) -> float:
    begun = time.perf_counter()
    await asyncio.gather(*(pool.run(program) for _ in range(count)))
    return count / (time.perf_counter() - begun)


async def calls(pool: Pool, count: int) -> dict[str, float]:
    function = Function(pool, ROUTE)
    await function.open()
    taken = []
    context = {"complexity": 4.2, "length": 0.3, "code": 0.0}
    for _ in range(count):
        begun = time.perf_counter()
        function.call(context, ["cheap", "middle", "dear"], seconds=0.05)
        taken.append(1e6 * (time.perf_counter() - begun))
    function.close()
    taken.sort()
    return {"p50_us": statistics.median(taken), "p99_us": taken[int(0.99 * count)]}


async def lateness(progress: Progress, count: int) -> dict[str, Any]:
    """Calls that are late by the function's fault, and by the machine's."""
    task = progress.add_task("late calls", total=2 * count)
    pool = await open_pool(min_level=1)
    await pool.start(("stdlib",))
    arguments = ({"complexity": 4.2, "length": 0.3, "code": 0.0}, ["cheap", "middle", "dear"])

    def advance() -> None:
        progress.advance(task)

    waits = await longest_waits(pool, count, advance)
    busy = await blamed(pool, ROUTE, arguments, count, advance)
    await pool.close()
    return {"hostile_functions": waits, "busy_machine": busy}


async def speed(progress: Progress, rounds: int) -> dict[str, Any]:
    level, _ = await best_level()
    task = progress.add_task("speed", total=5)
    pool = await open_pool(min_level=1, queue=1000)
    await pool.start()
    result: dict[str, Any] = {"level": level}
    result["trivial"] = await latencies(pool, TRIVIAL, rounds)
    progress.advance(task)
    result["numpy"] = await latencies(pool, NUMPY, rounds)
    progress.advance(task)
    result["numpy_per_second"] = max([await throughput(pool, NUMPY, 200) for _ in range(3)])
    result["numpy_cpu"] = await cpu_of_programs(pool, NUMPY, 200)
    progress.advance(task)
    result["function"] = await calls(pool, 20 * rounds)
    progress.advance(task)
    runs = [await pool.run(Program(source)) for source in PROGRAMS]
    result["benign"] = {"tried": len(runs), "ran": sum(run.result is not None for run in runs)}
    await pool.close()
    result["first_result"] = await first_results(level)
    result["in_a_service"] = await in_a_service(level)
    progress.advance(task)
    return result


async def measured(hostile: Path, *, quick: bool, only: str) -> dict[str, Any]:
    machine = f"{os.cpu_count()} cores, {platform.machine()}"
    with Progress() as progress:
        if only == "late":
            return await lateness(progress, 400 if quick else 20_000)
        if only == "speed":
            return await speed(progress, 50 if quick else 400)
        times = await speed(progress, 50 if quick else 400)
        times |= await lateness(progress, 400 if quick else 20_000)
        return {"machine": machine} | times | await containment(progress, hostile)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    default = os.environ.get("WAGGLE_HOSTILE", "../shared/hostile")
    parser.add_argument(
        "--hostile", type=Path, default=Path(default), help="a folder of hostile programs"
    )
    parser.add_argument("--quick", action="store_true", help="run fewer rounds and write no result")
    parser.add_argument(
        "--only", choices=("late", "speed"), default="", help="measure a part again"
    )
    options = parser.parse_args()
    if not (options.hostile / "manifest.json").is_file():
        warning = f"{options.hostile} has no manifest.json: only the project's own programs run"
        print(warning, file=sys.stderr)
    result = asyncio.run(measured(options.hostile, quick=options.quick, only=options.only))
    print(json.dumps(result, indent=2))
    if not options.quick:
        if options.only:
            result = json.loads((HERE / "result.json").read_text()) | result
        (HERE / "result.json").write_text(json.dumps(result, indent=2) + "\n")
        put("sandbox", readme_table(result))


if __name__ == "__main__":
    main()
