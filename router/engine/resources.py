"""What this router's machine and its backends have left, for telemetry: the view `resources`.

An event is written when a backend turns busy or usual again, and otherwise once in a while as long
as calls are made. An idle service writes none.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from router.plans.loads import Loads

_EVERY_SECONDS = 30.0
_CHANGES_SECONDS = 5.0  # between two events of a change
_MEMORY = Path("/proc/meminfo")


@dataclass
class ResourceWatch:
    """When resources were written last, and which backends were busy then."""

    _written_at: float = float("-inf")
    _busy: frozenset[str] = frozenset()
    _calls: int = 0

    def look(self, loads: Loads, now: float) -> tuple[str, dict[str, Any]] | None:
        """The state and the details of an event that is due; None if none is."""
        calls = loads.calls
        if calls == self._calls:
            return None
        seen = [row_of(loads, name) for name in sorted(loads.by_backend)]
        busy = frozenset(row["backend"] for row in seen if row["slower_s"] > 0)
        pause = _CHANGES_SECONDS if busy != self._busy else _EVERY_SECONDS
        if now - self._written_at < pause:
            return None
        self._written_at, self._busy, self._calls = now, busy, calls
        return "busy" if busy else "usual", {**headroom(), "backends": seen}


def row_of(loads: Loads, backend: str) -> dict[str, Any]:
    load = loads.by_backend[backend]
    return {
        "backend": backend,
        "in_flight": len(load.flights),
        "usual_s": round(load.seconds, 4),
        "slower_s": round(loads.wait(backend), 4),
    }


def headroom() -> dict[str, Any]:
    """The share of the machine's cores that nothing asks for, and its free memory in MB; without
    what the machine does not tell."""
    left: dict[str, Any] = {}
    try:
        cores = len(os.sched_getaffinity(0))
        left["cpu_free"] = round(max(1 - os.getloadavg()[0] / cores, 0.0), 3)
    except (AttributeError, OSError):
        pass
    free = free_mb(_lines(_MEMORY))
    return left if free is None else left | {"memory_free_mb": free}


def free_mb(lines: Iterable[str]) -> int | None:
    for line in lines:
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) // 1024
    return None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []
