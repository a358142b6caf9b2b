"""Runs the dashboard beside a service, in a process that gets none of the service's secrets.

The dashboard reads telemetry, and sends the service only what a viewer sends in the playground, so
its end does not disturb the service. If the dashboard ends, it is started again.
"""

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable

from router.config.config import Config
from router.config.dashboard_options import DashboardOptions
from router.config.environment import environment
from router.deployment.processes import end_with_parent

_PAUSES_SECONDS = (1.0, 5.0, 30.0)
_HEALTHY_SECONDS = 60.0


class Pages:
    """The dashboard's process; there is none if the configuration turns the dashboard off."""

    def __init__(self, config: Config, clock: Callable[[], float] = time.monotonic) -> None:
        self._options = DashboardOptions.of(config)
        self._wanted = config.dashboard.enabled
        self._log = config.data / "logs" / "dashboard.log"
        self._clock = clock
        self._failures, self._start_at = 0, 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0

    @property
    def url(self) -> str:
        return self._options.url if self._wanted else ""

    @property
    def pid(self) -> int:
        return self._process.pid if self._process is not None else 0

    def watch(self) -> None:
        """Start the process if it does not run; wait longer before a start after each failure."""
        now = self._clock()
        if self._process is not None:
            if self._process.poll() is None:
                if now - self._started_at > _HEALTHY_SECONDS:
                    self._failures = 0
                return
            self._process = None
            self._start_at = now + _PAUSES_SECONDS[min(self._failures, len(_PAUSES_SECONDS) - 1)]
            self._failures += 1
        if self._wanted and now >= self._start_at:
            self._start()

    def close(self) -> None:
        if self._process is not None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(3)

    def _start(self) -> None:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._started_at = self._clock()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "dashboard", self._options.written()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={"PATH": environment("PATH", "/usr/bin:/bin")},
                cwd="/",
                preexec_fn=end_with_parent,
            )
