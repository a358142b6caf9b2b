"""How long recent calls of each backend took, for hedging."""

from collections import deque

_KEPT, _ENOUGH = 200, 20


class Pace:
    def __init__(self) -> None:
        self._seen: dict[str, deque[float]] = {}

    def see(self, backend: str, seconds: float) -> None:
        self._seen.setdefault(backend, deque(maxlen=_KEPT)).append(seconds)

    def p95(self, backend: str) -> float | None:
        """Seconds; None until enough calls were seen."""
        seen = self._seen.get(backend, ())
        if len(seen) < _ENOUGH:
            return None
        return sorted(seen)[int(0.95 * (len(seen) - 1))]
