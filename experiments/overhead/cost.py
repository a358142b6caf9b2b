"""The CPU that each part of a running service takes, as Linux counts it."""

import contextlib
import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from router.deployment.processes import descendants

# A part of the command line, and the name in our tables. The first match counts.
_PARTS = (
    (":router", "router"),
    ("#router", "router"),
    (":learner", "learner"),
    ("#learner", "learner"),
    (":hive", "hive"),
    ("#hive", "hive"),
    ("waggle-shared", "backend"),
    ("waggle-", "backend"),
    ("telemetry.keeper", "telemetry keeper"),
    ("bin/haproxy", "HAProxy"),
    ("ServeController", "Serve"),
    ("ProxyActor", "Serve"),
    ("HAProxyManager", "Serve"),
    ("-m dashboard", "dashboard"),
    ("waggle serve", "waggle serve"),
)
PYTHON = ("router", "backend", "learner", "hive", "telemetry keeper")
_TICKS = os.sysconf("SC_CLK_TCK")


def part_of(command_line: str) -> str:
    return next((name for part, name in _PARTS if part in command_line), "Ray")


def parts(pid: int) -> dict[str, list[int]]:
    """The processes of a service by their part."""
    by_part: dict[str, list[int]] = defaultdict(list)
    for each in (pid, *descendants(pid)):
        with contextlib.suppress(OSError):
            line = Path(f"/proc/{each}/cmdline").read_bytes().replace(b"\0", b" ")
            if line:
                by_part[part_of(line.decode("utf-8", "replace"))].append(each)
    return dict(by_part)


def cpu_seconds(pids: list[int]) -> float:
    """The CPU that processes took so far, in the kernel too and by threads that ended."""
    total = 0.0
    for pid in pids:
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += (int(fields[11]) + int(fields[12])) / _TICKS
    return total


def thread_seconds(pid: int) -> dict[int, float]:
    """The CPU that each thread of a process took so far, to the nanosecond."""
    seconds = {}
    for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with contextlib.suppress(OSError):
            seconds[int(thread.parent.name)] = int(thread.read_text().split()[0]) / 1e9
    return seconds


def memory_mb(pids: Iterator[int] | list[int]) -> float:
    """Memory (PSS: shared pages are divided among those that share them)."""
    total = 0.0
    for pid in pids:
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) / 1024
    return total
