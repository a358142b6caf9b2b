"""What this machine has left: cores that nothing asks for, and memory that can be had."""

import os
from collections.abc import Iterable
from pathlib import Path

_MEMORY = Path("/proc/meminfo")
MIB = 1 << 20


def cpu_free() -> float | None:
    """The share of the machine's cores that nothing asks for; None if the machine does not say."""
    try:
        return round(max(1 - os.getloadavg()[0] / len(os.sched_getaffinity(0)), 0.0), 3)
    except (AttributeError, OSError):
        return None


def memory_free_mb() -> int | None:
    """The memory in MiB that can be had without swapping; None if the machine does not say."""
    try:
        return free_mb(_MEMORY.read_text().splitlines())
    except OSError:
        return None


def free_mb(lines: Iterable[str]) -> int | None:
    for line in lines:
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) // 1024
    return None
