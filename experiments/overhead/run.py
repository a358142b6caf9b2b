"""Measures the time that Waggle adds to a request, beside a bare Serve app and LiteLLM's proxy.

    python -m experiments.overhead.run [--seconds 3] [--rounds 3] [--without-litellm]

All programs run on this machine, and each gets its load in turn, so that a noisy minute disturbs
all of them. Ratios compare medians over the rounds.
"""

import argparse
import contextlib
import json
import os
import platform
import shutil
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from experiments import readme
from experiments.overhead.bench import KINDS, Bench
from experiments.overhead.report import readme_table
from experiments.served import WAGGLE
from router.deployment.local_service import find_running
from router.deployment.processes import adopt_orphans, descendants, end_descendants

HERE = Path(__file__).parent


def applies(target: str, kind: str) -> bool:
    """Whether a target can take this kind of load: the bare app has one upstream and no streams."""
    return target != "bare" or KINDS[kind][0] == 0


def rounds(bench: Bench) -> dict[str, dict[str, dict[str, Any]]]:
    targets = ["direct", "bare", "waggle"] + (
        [] if bench.arguments.without_litellm else ["litellm"]
    )
    pairs = [(t, k) for k in KINDS for t in targets if applies(t, k)]
    seen: dict[tuple[str, str], list[dict[str, Any]]] = {pair: [] for pair in pairs}
    with Progress() as progress:
        task = progress.add_task("measuring", total=len(pairs) * (bench.arguments.rounds + 1))
        for number in range(bench.arguments.rounds + 1):
            for target, kind in pairs:
                progress.update(task, description=f"round {number}: {target}, {kind}")
                measured = bench.measure(target, kind)
                if number:  # The first round only warms the targets up.
                    seen[target, kind].append(measured)
                progress.advance(task)
    result: dict[str, dict[str, dict[str, Any]]] = {}
    for (target, kind), runs in seen.items():
        medians = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        medians["failed"] = sum(run["failed"] for run in runs)
        result.setdefault(kind, {})[target] = medians
    return result


def memory(pid: int) -> dict[str, float]:
    """Memory (RSS) of a process and its descendants, and PSS, which divides shared pages."""
    totals = {"pss_mb": 0.0, "rss_mb": 0.0}
    for process in (pid, *descendants(pid)):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
                for name, key in (("Pss:", "pss_mb"), ("Rss:", "rss_mb")):
                    if line.startswith(name):
                        totals[key] += int(line.split()[1]) / 1024
    return {key: round(value, 1) for key, value in totals.items()}


@contextlib.contextmanager
def under_load(bench: Bench, seconds: float, kind: str) -> Iterator[list[dict[str, Any]]]:
    """Send load to Waggle while the context is open; then put the result into the yielded list."""
    outcome: list[dict[str, Any]] = []
    with bench.load("waggle", kind, seconds) as loader:
        time.sleep(1)
        yield outcome
        outcome.append(json.loads(loader.communicate()[0]))


def reload(bench: Bench, kind: str, prices: tuple[int, ...]) -> dict[str, Any]:
    times = []
    with under_load(bench, 20, kind) as outcome:
        for price in prices:
            bench.write_config(price=price)
            command = [str(WAGGLE), "reload", "-c", str(bench.config)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            times.append(float(done.stdout.split("in ")[1].split(" s")[0]))
            costs = {bench.ask(bench.waggle)["usage"]["cost"] for _ in range(20)}
            assert costs == {(120 * price + 40 * 2) / 1e6}, costs
    return {
        "seconds": times,
        "worst_seconds": max(times),
        "requests": outcome[0]["requests"],
        "failed_requests": outcome[0]["failed"],
    }


def processes(bench: Bench, part: str) -> list[int]:
    """The processes of the service whose command line contains `part`."""
    running = find_running(bench.folder / "w")
    assert running is not None
    matching = []
    for pid in descendants(running.pid):
        with contextlib.suppress(OSError):
            if part in Path(f"/proc/{pid}/cmdline").read_text():
                matching.append(pid)
    return matching


def kill_backend(bench: Bench) -> dict[str, Any]:
    with under_load(bench, 10, "json, 16") as outcome:
        for pid in processes(bench, "waggle-shared-network"):
            os.kill(pid, signal.SIGKILL)
    return {"requests": outcome[0]["requests"], "failed_requests": outcome[0]["failed"]}


def kill_ingress(bench: Bench) -> dict[str, Any]:
    """Kill the ingress, and measure the seconds until a client gets answers again."""
    times = []
    for _ in range(3):
        for pid in processes(bench, "bin/haproxy"):
            os.kill(pid, signal.SIGKILL)
        begun = time.monotonic()
        last_failure, answered = begun, 0
        while answered < 25:
            try:
                bench.ask(bench.waggle)
                answered += 1
            except OSError:
                last_failure, answered = time.monotonic(), 0
            time.sleep(0.02)
        times.append(round(last_failure - begun, 2))
        time.sleep(2)
    return {"seconds": times, "worst_seconds": max(times)}


def verdicts(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Each measured figure beside its target, and whether the figure meets the target."""
    kinds = result["kinds"]

    def added(target: str, kind: str, key: str = "p50") -> float:
        return float(kinds[kind][target][key] - kinds[kind]["direct"][key])

    single, many, stream = "json, 1", "json, 64", "stream 50 ms, 16"
    bare = added("waggle", single) / added("bare", single)
    rows = [
        ("added p50 at 1, times the bare app's", bare, "<=", 4),
        ("added p99 at 1, ms", added("waggle", single, "p99") / 1e3, "<=", 2),
        ("requests/s at 64, share of the bare app's",
         kinds[many]["waggle"]["rps"] / kinds[many]["bare"]["rps"], ">=", 0.35),
        ("first token added at 16, ms", added("waggle", stream, "first50") / 1e3, "<=", 2),
        ("a reload live on every replica, s", result["reload"]["worst_seconds"], "<=", 0.5),
        ("the same, both cores saturated, s",
         result["reload_saturated"]["worst_seconds"], "<=", 0.5),
        ("requests failed during reloads", result["reload"]["failed_requests"]
         + result["reload_saturated"]["failed_requests"], "<=", 0),
        ("requests failed by a killed backend replica",
         result["kill_backend"]["failed_requests"], "<=", 0),
        ("ingress killed: back after, s", result["kill_ingress"]["worst_seconds"], "<=", 3),
        ("memory of everything, idle, MB (PSS)", result["memory"]["pss_mb"], "<=", 1300),
    ]  # fmt: skip
    if "litellm" in kinds[single]:
        ratio = added("litellm", single) / added("waggle", single)
        rows.insert(0, ("added p50 at 1, LiteLLM's over ours", ratio, ">=", 15))
        ratio = kinds[many]["waggle"]["rps"] / kinds[many]["litellm"]["rps"]
        rows.insert(3, ("requests/s at 64, ours over LiteLLM's", ratio, ">=", 20))
    return [
        {
            "what": what,
            "measured": round(measured, 3),
            "target": f"{sign} {target}",
            "met": measured <= target if sign == "<=" else measured >= target,
        }
        for what, measured, sign, target in rows
    ]


def show(result: dict[str, Any]) -> None:
    console = Console()
    table = Table("load", "target", "req/s", "p50 ms", "p95 ms", "p99 ms", "first ms", "failed")
    for kind, targets in result["kinds"].items():
        for target, seen in targets.items():
            times = [f"{seen[k] / 1e3:.2f}" for k in ("p50", "p95", "p99", "first50")]
            table.add_row(kind, target, f"{seen['rps']:.0f}", *times, str(seen["failed"]))
    console.print(table)
    table = Table("what", "measured", "target", "")
    for row in result["verdicts"]:
        table.add_row(
            row["what"], f"{row['measured']:g}", row["target"], "met" if row["met"] else "MISSED"
        )
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="seconds of each load")
    parser.add_argument("--rounds", type=int, default=3, help="rounds after a warm-up round")
    parser.add_argument("--without-litellm", action="store_true", help="do not measure LiteLLM")
    arguments = parser.parse_args()
    if shutil.which("cc") is None:
        raise SystemExit("the load generator is written in C: install a C compiler (cc)")
    adopt_orphans()
    folder = Path(tempfile.mkdtemp(prefix="wb-"))
    bench = Bench(arguments, folder)
    try:
        bench.build()
        bench.start_all()
        time.sleep(5)
        result: dict[str, Any] = {
            "machine": f"{os.cpu_count()} cores, {platform.machine()}",
            "python": platform.python_version(),
            "rounds": arguments.rounds,
            "seconds": arguments.seconds,
            "memory": memory(bench.started["waggle"].pid),
        }
        result["kinds"] = rounds(bench)
        result["reload"] = reload(bench, "json 50 ms, 16", (3, 5, 7, 9))
        result["reload_saturated"] = reload(bench, "json, 16", (4, 6, 8))
        result["kill_backend"] = kill_backend(bench)
        result["kill_ingress"] = kill_ingress(bench)
        result["verdicts"] = verdicts(result)
        (HERE / "result.json").write_text(json.dumps(result, indent=1) + "\n")
        if not arguments.without_litellm:
            readme.put("overhead", readme_table(result))
        show(result)
    finally:
        for process in bench.started.values():
            process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            bench.started["waggle"].wait(20)
        end_descendants()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
