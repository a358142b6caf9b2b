"""Measures the time that Waggle adds to a request, beside a bare Serve app and other gateways.

    python -m experiments.overhead.run [--seconds 2] [--rounds 2] [--only start,cpu]

Waggle runs with everything on: keys, telemetry, and a bandit that has learned and is judged. First
each program has the machine for itself, then all run at once and get their loads in turn, so that a
noisy minute disturbs all of them. Figures are medians over the rounds after one that warms up.
What a part measured is kept below var/bench: `--only` measures some parts again, and takes the
others from there.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from experiments import readme
from experiments.overhead import faults, starting
from experiments.overhead.bench import Bench
from experiments.overhead.compare import compare
from experiments.overhead.report import readme_table, speed_table
from experiments.overhead.service import BUILD
from experiments.overhead.targets import PEERS
from experiments.overhead.verdicts import verdicts
from router.deployment.processes import adopt_orphans

HERE = Path(__file__).parent
MEASURED = BUILD / "measured"
BASE = "2977543"  # the commit with which CPU is compared: before the work on speed
ALONE = ("json, 1", "json, 64", "stream, 16")
TOGETHER = ("json, 1", "json, 64", "stream, 16", "tokens, 64")


def beside_base(bench: Bench) -> dict[str, Any]:
    """What a request costs in each process, in this checkout and in the one of before."""
    base = BUILD / f"base-{BASE}"
    if not base.exists():
        archive = subprocess.run(
            ["git", "-C", str(readme.ROOT), "archive", BASE], capture_output=True, check=True
        )
        base.mkdir(parents=True)
        subprocess.run(["tar", "-x", "-C", str(base)], input=archive.stdout, check=True)
    before, now = compare(
        [base, readme.ROOT], bench.folder, bench.direct.port, rounds=2, seconds=3.0
    )
    return {"before": before, "now": now}


def faults_of(bench: Bench) -> dict[str, Any]:
    with bench.waggle() as service:
        slow = faults.reload(bench, service, "json 50 ms, 16", 14, (3, 5, 7, 9))
        busy = faults.reload(bench, service, "json, 16", 14, (4, 6, 8))
        return {
            "reload": slow,
            "reload_saturated": busy,
            "kill_backend": faults.kill_backend(bench, service),
            "kill_ingress": faults.kill_ingress(service),
            "reused": faults.reused(service),
        }


PARTS: dict[str, Callable[[Bench], dict[str, Any]]] = {
    "start": lambda _: {"start": starting.starts()},
    "alone": lambda bench: {"alone": bench.alone(["bare", "waggle", *PEERS], ALONE)},
    "together": lambda bench: {
        "together": bench.together(["bare", "waggle", "ladder", *PEERS], TOGETHER)
    },
    "faults": faults_of,
    "cpu": lambda bench: {"cpu": beside_base(bench)},
}


def measure(part: str, seconds: float, rounds: int) -> None:
    """Measure a part, and keep its figures."""
    folder = Path(tempfile.mkdtemp(prefix="wb-"))
    try:
        with Bench(folder, seconds=seconds, rounds=rounds) as bench:
            figures = PARTS[part](bench)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    MEASURED.mkdir(parents=True, exist_ok=True)
    (MEASURED / f"{part}.json").write_text(json.dumps(figures))


def show(result: dict[str, Any]) -> None:
    console = Console(width=120)
    for way in ("alone", "together"):
        table = Table(
            "load",
            "target",
            "req/s",
            "p50 ms",
            "p99 ms",
            "first ms",
            "tokens/s",
            "failed",
            title=way,
        )
        for kind, targets in result[way].items():
            for target, seen in targets.items():
                times = [f"{seen[k] / 1e3:.2f}" for k in ("p50", "p99", "first50")]
                counts = [f"{seen['events']:.0f}", f"{seen['failed']:.0f}"]
                table.add_row(kind, target, f"{seen['rps']:.0f}", *times, *counts)
        console.print(table)
    table = Table("what", "measured", "target", "")
    for row in result["verdicts"]:
        met = "met" if row["met"] else "MISSED"
        table.add_row(row["what"], f"{row['measured']:g}", row["target"], met)
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="seconds of each load")
    parser.add_argument("--rounds", type=int, default=2, help="rounds after a warm-up round")
    parser.add_argument("--only", default=",".join(PARTS), help="parts to measure")
    arguments = parser.parse_args()
    for program in ("cc", "git", "npm"):
        if shutil.which(program) is None:
            raise SystemExit(f"{program} is missing, and the bench needs it")
    result: dict[str, Any] = {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}",
        "python": platform.python_version(),
        "rounds": arguments.rounds,
        "seconds": arguments.seconds,
        "load_before": round(os.getloadavg()[0], 1),  # of whatever else this machine does
    }
    adopt_orphans()
    for part in filter(None, arguments.only.split(",")):
        measure(part, arguments.seconds, arguments.rounds)
    for part in PARTS:
        result |= json.loads((MEASURED / f"{part}.json").read_text())
    result["verdicts"] = verdicts(result)
    (HERE / "result.json").write_text(json.dumps(result, indent=1) + "\n")
    readme.put("overhead", readme_table(result))
    readme.put("speed", speed_table(result), "overhead")
    show(result)


if __name__ == "__main__":
    main()
