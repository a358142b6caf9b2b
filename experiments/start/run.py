"""Measures how a service starts, what it takes while idle, and how it stops.

    python -m experiments.start.run [--rounds 3] [--base CHECKOUT] [--idle 30] [--config FILE]

With `--base`, another checkout of Waggle starts in turn with this one, so that a noisy minute
disturbs both. Both use this environment's packages. The first start of each only prepares its data.
"""

import argparse
import json
import os
import platform
import re
import signal
import statistics
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from experiments.served import WAGGLE, free_port
from router.deployment.processes import adopt_orphans, descendants, end_descendants

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
_TICKS = os.sysconf("SC_CLK_TCK")
_LOOK_SECONDS = 0.05
# The first process of each name marks a stage of the start.
_STAGES = {
    "the GCS runs": "gcs/gcs_server",
    "the raylet runs": "raylet/raylet",
    "Serve's controller runs": "ray::ServeController",
    "a router's replica runs": "ServeReplica:waggle:router",
    "HAProxy runs": "bin/haproxy",
}
_KINDS = (  # the name of a process by its command line
    ("zygote of workers", r"workers\.zygote"),
    ("dashboard", r"-m dashboard"),
    ("keeper of telemetry", r"router\.telemetry\.keeper"),
    ("zygote and cells of the sandbox", r"sandbox\.cell"),
    (
        "Ray's agents, monitors and API server",
        r"Agent|log_monitor|/monitor\.py|/dashboard\.py|sleep",
    ),
    ("GCS", r"gcs_server"),
    ("raylet", r"raylet/raylet"),
    ("Serve's controller", r"ray::ServeController"),
    ("Serve's proxies, HAProxy", r"ray::ProxyActor|ray::HAProxyManager|haproxy"),
    ("routers", r"ServeReplica:waggle:router"),
    ("learner", r"ServeReplica:waggle:learner"),
    ("hive", r"ServeReplica:waggle:hive"),
    ("backends", r"ServeReplica:"),
    ("command, and child that holds the cluster", r"waggle serve"),
)


def family(pid: int) -> dict[int, str]:
    """The command line of a process and of each descendant."""
    lines = {}
    for each in (pid, *descendants(pid)):
        try:
            line = Path(f"/proc/{each}/cmdline").read_bytes().replace(b"\0", b" ")
        except OSError:
            continue
        lines[each] = line.decode("utf-8", "replace")
    return lines


def cpu_seconds(pid: int) -> float:
    """CPU seconds of all processes of a service, those that ended among them."""
    total = 0
    for each in family(pid):
        try:
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(map(int, fields[11:15]))  # its own, and those of children it waited for
    return total / _TICKS


def memory_mb(pid: int) -> dict[str, float]:
    """The proportional memory (PSS) of each kind of process, the largest first."""
    kinds: dict[str, float] = {}
    for each, line in family(pid).items():
        try:
            rollup = Path(f"/proc/{each}/smaps_rollup").read_text()
        except OSError:
            continue
        share = re.search(r"^Pss:\s+(\d+)", rollup, re.MULTILINE)
        name = next((name for name, part in _KINDS if re.search(part, line)), "others")
        kinds[name] = kinds.get(name, 0.0) + int(share[1] if share else 0) / 1024
    return {name: round(mb, 1) for name, mb in sorted(kinds.items(), key=lambda item: -item[1])}


def is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=1) as answer:
            return bool(json.load(answer)["status"] == "ready")
    except (OSError, ValueError, KeyError):
        return False


def measure(checkout: Path, data: Path, idle: float, config: str) -> dict[str, Any]:
    """Start a checkout's service on its data folder, let it idle, and stop it."""
    port = free_port()
    command = [str(WAGGLE), "serve", "--data", str(data), "--port", str(port)]
    command += ["-c", str(Path(config).resolve())] if config else []
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    begun = time.monotonic()
    service = subprocess.Popen(
        command, cwd=data.parent, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    stages: dict[str, float] = {}
    while not is_ready(port):
        lines = " | ".join(family(service.pid).values())
        for stage, part in _STAGES.items():
            if part in lines:
                stages.setdefault(stage, round(time.monotonic() - begun, 2))
        if service.poll() is not None or time.monotonic() - begun > 300:
            error = service.stderr.read().decode()[-2000:] if service.stderr else ""
            raise SystemExit(f"the service of {checkout} did not start: {error}")
        time.sleep(_LOOK_SECONDS)
    ready, cpu = time.monotonic() - begun, cpu_seconds(service.pid)
    time.sleep(idle)
    memory = memory_mb(service.pid)
    begun = time.monotonic()
    service.send_signal(signal.SIGINT)
    service.wait(120)
    return {
        "ready_seconds": round(ready, 2),
        "cpu_seconds": round(cpu, 2),
        "stages": stages,
        "memory_mb": memory,
        "whole_mb": round(sum(memory.values()), 1),
        "stop_seconds": round(time.monotonic() - begun, 2),
    }


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The medians of several starts."""
    figures = ("ready_seconds", "cpu_seconds", "whole_mb", "stop_seconds")
    medians = {name: round(statistics.median(run[name] for run in runs), 2) for name in figures}
    middle = sorted(runs, key=lambda run: run["ready_seconds"])[len(runs) // 2]
    return {**medians, "stages": middle["stages"], "memory_mb": runs[-1]["memory_mb"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="starts of each checkout")
    parser.add_argument("--base", type=Path, help="another checkout, to start in turn")
    parser.add_argument("--idle", type=float, default=30.0, help="seconds until memory is read")
    parser.add_argument("--config", default="", help="default: the embedded default")
    arguments = parser.parse_args()
    adopt_orphans()
    checkouts = {"after": ROOT} | ({"before": arguments.base} if arguments.base else {})
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in checkouts}
    with tempfile.TemporaryDirectory(prefix="wst-") as folder:
        try:
            for number in range(arguments.rounds + 1):
                for name, checkout in checkouts.items():
                    data = Path(folder) / name
                    run = measure(
                        checkout.resolve(), data, arguments.idle if number else 0, arguments.config
                    )
                    print(f"{'warm' if number else 'first'} start, {name}: {json.dumps(run)}")
                    if number:
                        runs[name].append(run)
        finally:
            end_descendants()
    result = {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}",
        "load_average": round(os.getloadavg()[1], 1),
        "rounds": arguments.rounds,
        **{name: summary(each) for name, each in runs.items()},
    }
    (HERE / "result.json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
