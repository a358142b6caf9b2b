"""The times of each backend's recent calls, for whose 95th percentile a hedge waits; and how many
requests came to each step that only every so many-th request has."""

from collections import deque

_KEPT, _ENOUGH = 200, 20


class Pace:
    def __init__(self) -> None:
        self._seen: dict[str, deque[float]] = {}
        self._turns: dict[str, int] = {}

    def see(self, backend: str, seconds: float) -> None:
        self._seen.setdefault(backend, deque(maxlen=_KEPT)).append(seconds)

    def turn(self, step: str) -> int:
        """How many requests came to this step before this one, in this process."""
        turn = self._turns.get(step, 0)
        self._turns[step] = turn + 1
        return turn

    def p95(self, backend: str) -> float | None:
        """The 95th percentile of the recent call times in seconds; None after too few calls."""
        seen = self._seen.get(backend, ())
        if len(seen) < _ENOUGH:
            return None
        return sorted(seen)[int(0.95 * (len(seen) - 1))]

    def median(self, backend: str) -> float | None:
        """The median of the recent call times in seconds; None without a call."""
        seen = self._seen.get(backend)
        return sorted(seen)[len(seen) // 2] if seen else None
