"""Where the CPU of a request goes: a sampling profile of every process that a request passes.

    python -m experiments.overhead.profiling [--name NAME] [--seconds 20]

A Waggle with everything on (`service.py`) gets requests over 64 connections. First the CPU of each
process and thread is counted without a profiler, and divided by the requests. Then py-spy samples
the Python processes, and each function gets its share of the CPU of its thread. HAProxy, Serve and
Ray are no code of ours; their CPU is counted as a whole.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from experiments.overhead.cost import PYTHON, cpu_seconds, parts, thread_seconds
from experiments.overhead.service import BUILD, Service, body_file, build, start_load
from experiments.readme import ROOT
from router.deployment.processes import adopt_orphans, end_descendants
from router.deployment.ray_environment import free_ports

HERE = Path(__file__).parent
_HERTZ = 100
_SETTLING = 2.0  # seconds in which the learner and the keeper come to the end of what was written
_IDLE = 3.0
_SHOWN, _KEPT = 25, 80  # functions of a process
_NATIVE = "threads without Python"
Seconds = dict[str, float]  # of CPU, by function


def py_spy() -> str:
    """The profiler: beside this Python, or on the path."""
    beside = Path(sys.executable).parent / "py-spy"
    path = str(beside) if beside.exists() else shutil.which("py-spy")
    if path is None:
        raise SystemExit("py-spy is missing: `make env` installs it")
    return path


def name_of(frame: str) -> str:
    """The function of a frame, with a short path: `decide (router/routing/decide.py)`."""
    function, _, place = frame.rpartition(" (")
    place = place.rstrip(")").rpartition(":")[0] or place.rstrip(")")
    for root in (f"{ROOT}/", "site-packages/", "python3.11/"):
        place = place.rpartition(root)[2]
    return f"{function} ({place})"


def functions_of(stacks: str, cpu: Mapping[int, float]) -> tuple[Seconds, Seconds]:
    """The CPU seconds in each function itself, and in each function with what it calls.

    `cpu`: the CPU that each thread took under the same load without a profiler. The samples of a
    thread say how to divide its CPU, and not how much that is: a sample pauses the process, and so
    wakes its idle threads.
    """
    samples: dict[int, Counter[tuple[str, ...]]] = defaultdict(Counter)
    for line in stacks.splitlines():
        stack, _, count = line.rpartition(" ")
        thread, *frames = stack.split(";")
        if not frames:
            continue
        number = int(thread.partition("(")[2].partition(")")[0], 0)
        samples[number][tuple(map(name_of, frames))] += int(count)
    alone: Seconds = defaultdict(float)
    whole: Seconds = defaultdict(float)
    for thread_id, seconds in cpu.items():
        stacks_of_thread = samples[thread_id] or Counter({(_NATIVE,): 1})
        total = stacks_of_thread.total()
        for names, samples_here in stacks_of_thread.items():
            alone[names[-1]] += seconds * samples_here / total
            for name in set(names):
                whole[name] += seconds * samples_here / total
    return alone, whole


class Sampler:
    """py-spy on one process."""

    def __init__(self, part: str, pid: int, folder: Path, seconds: float) -> None:
        self.part = part
        self.pid = pid
        self._file = folder / f"{pid}.stacks"
        command = f"{py_spy()} record --pid {pid} --rate {_HERTZ} --duration {round(seconds)}"
        command += f" --threads --function --format raw --output {self._file}"
        self._recorder = subprocess.Popen(
            command.split(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def stacks(self) -> str:
        words = self._recorder.communicate(timeout=120)[0]
        if not self._file.exists():
            raise SystemExit(f"py-spy could not sample the {self.part}: {words}")
        return self._file.read_text()


class Profile:
    """The load on a service, while its CPU is counted and its functions are sampled."""

    def __init__(self, service: Service, seconds: float, connections: int) -> None:
        self.service = service
        self.seconds = seconds
        self.connections = connections
        self._file = body_file(service.folder, "load")
        self._progress = Progress()

    def measure(self) -> dict[str, Any]:
        with self._progress:
            self._load(5, "warming up")
            time.sleep(_SETTLING)
            by_part = parts(self.service.pid)
            sampled = [(part, pid) for part in PYTHON for pid in by_part.get(part, ())]
            idle = self._idle(by_part)
            before = {part: cpu_seconds(pids) for part, pids in by_part.items()}
            threads = {pid: thread_seconds(pid) for _, pid in sampled}
            measured = self._load(self.seconds / 2, "counting CPU")
            time.sleep(_SETTLING)
            cpu = {part: cpu_seconds(pids) - before[part] for part, pids in by_part.items()}
            threads = {pid: _since(seconds, pid) for pid, seconds in threads.items()}
            samplers = [
                Sampler(part, pid, self.service.folder, self.seconds) for part, pid in sampled
            ]
            self._load(self.seconds, "sampling")
            functions = _functions(samplers, threads, measured["served"])
        most_first = sorted(cpu, key=lambda part: -cpu[part])
        return {
            "requests": measured["served"],
            "rps": measured["rps"],
            "p50_ms": round(measured["p50"] / 1e3, 2),
            "failed": measured["failed"],
            "cpu_ms_a_request": {
                part: round(1e3 * cpu[part] / measured["served"], 4) for part in most_first
            },
            "idle_cpu_ms_a_second": {part: round(1e3 * idle[part], 2) for part in most_first},
            "functions": functions,
        }

    def _load(self, seconds: float, what: str) -> dict[str, Any]:
        loader = start_load(
            self.service.port, self.connections, seconds, self._file, self.service.headers
        )
        self._show(seconds, what, loader)
        measured: dict[str, Any] = json.loads(loader.communicate()[0])
        return measured

    def _idle(self, by_part: Mapping[str, list[int]]) -> dict[str, float]:
        """The CPU a second of each part while no request comes."""
        before = {part: cpu_seconds(pids) for part, pids in by_part.items()}
        self._show(_IDLE, "counting CPU, idle")
        return {part: (cpu_seconds(pids) - before[part]) / _IDLE for part, pids in by_part.items()}

    def _show(self, seconds: float, what: str, until: subprocess.Popen[str] | None = None) -> None:
        task = self._progress.add_task(what, total=seconds)
        deadline = time.monotonic() + seconds
        while until.poll() is None if until else time.monotonic() < deadline:
            time.sleep(0.1)
            self._progress.advance(task, 0.1)
        self._progress.update(task, completed=seconds)


def _since(before: Mapping[int, float], pid: int) -> dict[int, float]:
    return {
        thread: seconds - before.get(thread, 0.0) for thread, seconds in thread_seconds(pid).items()
    }


def _functions(
    samplers: list[Sampler], threads: Mapping[int, Mapping[int, float]], requests: int
) -> dict[str, Any]:
    sums: dict[str, tuple[Seconds, Seconds]] = {}
    for sampler in samplers:
        part = sums.setdefault(sampler.part, (defaultdict(float), defaultdict(float)))
        shares = functions_of(sampler.stacks(), threads[sampler.pid])
        for total, seconds in zip(part, shares, strict=True):
            for name, value in seconds.items():
                total[name] += value
    return {
        part: {"alone": _rows(alone, alone, requests), "with_calls": _rows(whole, alone, requests)}
        for part, (alone, whole) in sums.items()
    }


def _rows(seconds: Seconds, alone: Seconds, requests: int) -> list[dict[str, Any]]:
    total = sum(alone.values()) or 1.0
    most = sorted(seconds.items(), key=lambda it: -it[1])[:_KEPT]
    return [
        {
            "function": name,
            "us_a_request": round(1e6 * value / requests, 1),
            "share": round(value / total, 4),
        }
        for name, value in most
        if 1e6 * value / requests >= 0.5
    ]


def show(result: dict[str, Any], console: Console) -> None:
    table = Table("process", "CPU ms a request", title=f"{result['rps']:.0f} requests/s")
    for part, value in result["cpu_ms_a_request"].items():
        table.add_row(part, f"{value:.3f}", f"{result['idle_cpu_ms_a_second'][part]:.1f}")
    console.print(table)
    for kind, title in (("alone", "in the function itself"), ("with_calls", "with what it calls")):
        table = Table("process", "function", "µs a request", "share", title=title)
        for part, rows in result["functions"].items():
            for row in rows[kind][: _SHOWN if part == "router" else 10]:
                table.add_row(
                    part, row["function"], f"{row['us_a_request']:.0f}", f"{row['share']:.1%}"
                )
        console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", default="after", help="writes profile_NAME.json")
    parser.add_argument("--seconds", type=float, default=20.0, help="seconds of the sampling")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--checkout", type=Path, default=ROOT, help="whose code is profiled")
    parser.add_argument("--show", action="store_true", help="only show profile_NAME.json")
    arguments = parser.parse_args()
    path = HERE / f"profile_{arguments.name}.json"
    console = Console(width=140)
    if arguments.show:
        show(json.loads(path.read_text()), console)
        return
    build()
    adopt_orphans()
    folder = Path(tempfile.mkdtemp(prefix="wp-"))
    [port] = free_ports(1)
    upstream = subprocess.Popen([BUILD / "upstream", str(port)])
    try:
        with Service(folder / "w", port, checkout=arguments.checkout.resolve()) as service:
            service.learn()
            service.judge_continually()
            result = Profile(service, arguments.seconds, arguments.connections).measure()
        path.write_text(json.dumps(result, indent=1) + "\n")
        show(result, console)
    finally:
        upstream.kill()
        end_descendants()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
