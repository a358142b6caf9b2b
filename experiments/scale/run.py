"""Measures what is full first with more routers, and simulates a hundred. `make bench-scale`"""

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from rich.progress import Progress

from experiments.readme import put
from experiments.scale.hive_messages import LIMITS, Size, hive_of
from experiments.scale.learner_costs import costs
from experiments.scale.machine import measured
from experiments.scale.report import advice_table, machine_table, readme_table
from router.deployment.ray_environment import ray_settings

HERE = Path(__file__).parent
SIZES = (Size(2, 500), Size(4, 1_000), Size(10, 4_000), Size(30, 15_000), Size(100, 50_000))
_SIMULATED_REQUESTS = 4_000
_SETTINGS = (
    *("RAY_SERVE_THROUGHPUT_OPTIMIZED", "RAY_enable_metrics_collection", "MALLOC_ARENA_MAX"),
    *("RAY_USAGE_STATS_ENABLED", "RAY_worker_niceness"),
)
PARTS = ("delivery", "learner", "hive", "machine")


def simulated(progress: Progress, delivery_seconds: float) -> list[dict[str, Any]]:
    """The hive under every size of service and kind of limits."""
    task = progress.add_task("hive", total=len(SIZES) * len(LIMITS))
    rows = []
    for size in SIZES:
        seconds = min(max(_SIMULATED_REQUESTS / size.requests_per_second, 1.0), 2.0)
        for limits in LIMITS:
            rows.append({"limits": limits, **hive_of(size, limits, delivery_seconds, seconds)})
            progress.advance(task)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8.0, help="of load for each service")
    parser.add_argument("--before", type=Path, help="an earlier checkout, to measure too")
    parser.add_argument("--only", choices=PARTS, help="measure a part again")
    options = parser.parse_args()
    path = HERE / "result.json"
    result = json.loads(path.read_text()) if path.exists() else {}
    result["where"] = f"{os.cpu_count()} cores, {platform.machine()}"
    for part in (options.only,) if options.only else PARTS:
        result[part] = _measured(part, result, options)
        path.write_text(json.dumps(result, indent=1) + "\n")
    if set(PARTS) <= result.keys():
        put("scale", readme_table(result))
        put("scale advice", advice_table(result), "scale")
        put("scale machine", machine_table(result), "scale")


def _measured(part: str, result: dict[str, Any], options: argparse.Namespace) -> Any:
    match part:
        case "delivery":
            return _delivered()
        case "learner":
            return costs()
        case "machine":
            return measured(options.seconds, options.before and options.before.resolve())
        case _:
            with Progress() as progress:
                return simulated(progress, result["delivery"]["exchange_ms"] / 1e3)


def _delivered() -> dict[str, float]:
    settings = ray_settings(Path(), "", "", (0, 0, 0))
    environment = os.environ | {name: settings[name] for name in _SETTINGS}
    command = [sys.executable, "-m", "experiments.scale.delivery"]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    costs_ms: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return costs_ms


if __name__ == "__main__":
    main()
