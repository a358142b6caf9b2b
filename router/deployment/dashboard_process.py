"""The dashboard beside a service: a process of its own, without any of its secrets.

It reads telemetry and nothing else, so whatever becomes of it, the service goes on; and one that
ended is started again.
"""

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable

from router.config.config import Config
from router.config.dashboard_options import DashboardOptions
from router.config.environment import environment

_AGAIN_SECONDS = (1.0, 5.0, 30.0)
_FINE_SECONDS = 60.0


class Pages:
    """One process, watched; none, where the configuration wants none."""

    def __init__(self, config: Config, clock: Callable[[], float] = time.monotonic) -> None:
        self._place = DashboardOptions.of(config)
        self._wanted = config.dashboard.enabled
        self._log = config.data / "logs" / "dashboard.log"
        self._clock = clock
        self._failed, self._after = 0, 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self._begun = 0.0

    @property
    def url(self) -> str:
        return self._place.url if self._wanted else ""

    def watch(self) -> None:
        """Start it if it does not run: at once, and then after longer and longer."""
        now = self._clock()
        if self._process is not None:
            if self._process.poll() is None:
                if now - self._begun > _FINE_SECONDS:
                    self._failed = 0
                return
            self._process = None
            self._after = now + _AGAIN_SECONDS[min(self._failed, len(_AGAIN_SECONDS) - 1)]
            self._failed += 1
        if self._wanted and now >= self._after:
            self._start()

    def close(self) -> None:
        if self._process is not None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(3)

    def _start(self) -> None:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._begun = self._clock()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "dashboard", self._place.written()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={"PATH": environment("PATH", "/usr/bin:/bin")},
                cwd="/",
            )
