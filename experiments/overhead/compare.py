"""The cost of a request in two checkouts, in turns and in one run.

    python -m experiments.overhead.compare BASE_DIR OTHER_DIR [--rounds 4] [--seconds 4]

Both services run at once, with everything on (`service.py`); the load goes to one, then to the
other, round after round, so that a busy machine disturbs both. CPU a request is what Linux counts
for the processes; requests a second are those of a shared machine.
"""

import argparse
import contextlib
import json
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, track
from rich.table import Table

from experiments.overhead.cost import cpu_seconds, parts
from experiments.overhead.service import (
    BANDIT,
    BUILD,
    LADDER,
    Service,
    body_file,
    build,
    start_load,
)
from router.deployment.processes import adopt_orphans, end_descendants
from router.deployment.ray_environment import free_ports

SHOWN = ("router", "learner", "backend", "hive", "telemetry keeper", "HAProxy", "Serve")


def cost_of_load(
    service: Service, file: Path, seconds: float, connections: int
) -> dict[str, float]:
    """Requests a second, the median latency, and CPU milliseconds a request of each part.

    The count goes on a little after the load, until the learner and the keeper have read its rows.
    """
    by_part = parts(service.pid)
    before = {part: cpu_seconds(pids) for part, pids in by_part.items()}
    with start_load(service.port, connections, seconds, file, service.headers) as loader:
        measured = json.loads(loader.communicate()[0])
    time.sleep(1.5)
    served = max(measured["served"], 1)
    figures = {
        part: 1e3 * (cpu_seconds(pids) - before[part]) / served for part, pids in by_part.items()
    }
    return {"rps": measured["rps"], "p50_ms": measured["p50"] / 1e3, **figures}


def median_of(rounds: list[dict[str, float]]) -> dict[str, float]:
    names = {name for each in rounds for name in each}
    return {
        name: round(statistics.median(each.get(name, 0.0) for each in rounds), 4) for name in names
    }


def compare(
    checkouts: Sequence[Path],
    folder: Path,
    upstream: int,
    *,
    objective: str = BANDIT,
    rounds: int,
    seconds: float,
    connections: int = 64,
) -> list[dict[str, float]]:
    """The figures of each checkout, as medians over the rounds."""
    with contextlib.ExitStack() as stack:
        services = [
            stack.enter_context(
                Service(
                    folder / f"checkout-{number}",
                    upstream,
                    checkout=checkout.resolve(),
                    objective=objective,
                )
            )
            for number, checkout in enumerate(track(checkouts, description="starting both"))
        ]
        for service in services:
            if objective:
                service.learn()
            service.judge_continually()
        file = body_file(folder, "load")
        seen: list[list[dict[str, float]]] = [[] for _ in services]
        progress = stack.enter_context(Progress())
        task = progress.add_task("in turns", total=len(services) * (rounds + 1))
        for number in range(rounds + 1):
            for service, runs in zip(services, seen, strict=True):
                figures = cost_of_load(service, file, seconds, connections)
                if number:  # The first round only warms up.
                    runs.append(figures)
                progress.advance(task)
    return [median_of(runs) for runs in seen]


def show(base: dict[str, float], other: dict[str, float]) -> None:
    table = Table("", "base", "other", "other / base")
    for name in ("rps", "p50_ms", *SHOWN):
        before, after = base.get(name, 0.0), other.get(name, 0.0)
        ratio = f"{after / before:.2f}" if before else "-"
        label = name if name in ("rps", "p50_ms") else f"CPU ms a request: {name}"
        table.add_row(label, f"{before:.3f}", f"{after:.3f}", ratio)
    Console(width=100).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base", type=Path)
    parser.add_argument("other", type=Path)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--ladder", action="store_true", help="the rule ladder, not the bandit")
    parser.add_argument("--json", type=Path, help="also write the figures into this file")
    arguments = parser.parse_args()
    build()
    adopt_orphans()
    folder = Path(tempfile.mkdtemp(prefix="wc-"))
    [port] = free_ports(1)
    upstream = subprocess.Popen([BUILD / "upstream", str(port)])
    try:
        base, other = compare(
            [arguments.base, arguments.other],
            folder,
            port,
            objective=LADDER if arguments.ladder else BANDIT,
            rounds=arguments.rounds,
            seconds=arguments.seconds,
            connections=arguments.connections,
        )
        if arguments.json:
            arguments.json.write_text(json.dumps({"base": base, "other": other}, indent=1) + "\n")
        show(base, other)
    finally:
        upstream.kill()
        end_descendants()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
