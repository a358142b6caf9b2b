"""What this router's machine and its backends have left, for telemetry: the view `resources`.

An event is written when a backend turns busy or usual again, and otherwise once in a while as long
as calls are made. An idle service writes none.
"""

from dataclasses import dataclass
from typing import Any

from router.machine import cpu_free, memory_free_mb
from router.plans.loads import Loads

_EVERY_SECONDS = 30.0
_CHANGES_SECONDS = 5.0  # between two events of a change


@dataclass
class ResourceWatch:
    """When resources were written last, and which backends were busy then."""

    _written_at: float = float("-inf")
    _busy: frozenset[str] = frozenset()
    _calls: int = 0

    def look(self, loads: Loads, now: float) -> tuple[str, dict[str, Any]] | None:
        """The state and the details of the event to write now; None if no event is due."""
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
    """What the machine has left; without what it does not tell."""
    left = {"cpu_free": cpu_free(), "memory_free_mb": memory_free_mb()}
    return {name: number for name, number in left.items() if number is not None}
