"""Ends a replica whose own memory grows beyond its bound; Serve then starts a new replica.

The bound counts the memory that is the process's own: Ray's shared memory and the files of
libraries do not count. Before it ends, the replica writes a line to the log and an event. Memory is
read from Linux's /proc; other systems are not watched. Between two looks, memory may grow further.
"""

import os
import resource
import threading
from collections.abc import Callable
from pathlib import Path

EXIT_CODE = 77
_PERIOD_SECONDS = 0.25
_STATM = Path("/proc/self/statm")


def own_memory() -> int | None:
    """The bytes of memory that only this process uses; None where that cannot be read."""
    try:
        resident, shared = map(int, _STATM.read_text().split()[1:3])
    except (OSError, ValueError):
        return None
    return (resident - shared) * resource.getpagesize()


class MemoryWatch:
    """Watches this process in a thread. `over` tells the operator; afterwards the process ends."""

    def __init__(
        self,
        over: Callable[[int, int], None],
        *,
        end: Callable[[int], object] = os._exit,
        period_seconds: float = _PERIOD_SECONDS,
    ) -> None:
        self.most_mb: int | None = None  # no bound until there is one
        self._over = over
        self._end = end
        self._period = period_seconds
        self._stopped = threading.Event()
        threading.Thread(target=self._watch, name="memory", daemon=True).start()

    def close(self) -> None:
        self._stopped.set()

    def _watch(self) -> None:
        while not self._stopped.wait(self._period):
            memory, most = own_memory(), self.most_mb
            if memory is not None and most is not None and memory > most << 20:
                try:
                    self._over(memory >> 20, most)
                finally:
                    self._end(EXIT_CODE)
                return
