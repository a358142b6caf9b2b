"""Watches a cluster, and starts it again when it cannot serve any more.

The cluster lives in a child process. When a vital process of it ends, or no router is up for a
while, everything of it is ended and another child brings the service back on the same port, with
the same data and the configuration that was deployed last. A cluster that fails again and again
is given up, with a clear error.

Not covered: a machine that is too slow to answer. Only a port where nobody is up counts as silent.
"""

import contextlib
import http.client
import json
import logging
import time
from collections.abc import Callable
from typing import Any, Protocol

from router.config.config import Config
from router.deployment import processes
from router.deployment.cluster_process import ClusterNotStarted, ClusterProcess
from router.deployment.ingress import Ingress
from router.deployment.vital import PRESENT, VITAL_PARTS, Restarts
from router.domain import Event, new_id
from router.telemetry.journal import FileJournal
from router.telemetry.metrics import Metrics
from router.wire.addresses import reachable

_log = logging.getLogger("waggle")
_LOOK_SECONDS = 1.0
_PROBE_SECONDS = 0.5
_STOP_SECONDS = 25.0


class ClusterLost(RuntimeError):
    """The cluster failed again and again; the message holds the last reason."""


class Shell(Protocol):
    """What the command does for its supervision."""

    def begin(self) -> ClusterProcess:
        """Start a child on a clean folder."""

    def tell(self, text: str) -> None:
        """Tell the operator what happened to the service."""

    def progress(self, text: str) -> None: ...

    def obey_signals(self) -> None:
        """Raise `KeyboardInterrupt` if a signal came, whatever became of its own exception."""

    def lost(self) -> None:
        """The cluster is being ended; commands that look for Ray must wait."""

    def up(self, ray_address: str) -> None:
        """The service is up; commands that look for it find Ray at this address."""


class Supervision:
    """One service: its cluster, and who answers on its port meanwhile."""

    def __init__(
        self,
        config: Config,
        shell: Shell,
        ingress: Ingress | None,
        keep: Callable[[], tuple[int, ...]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config, self._shell, self._ingress = config, shell, ingress
        self._keep, self._clock = keep, clock
        self._process: ClusterProcess | None = None
        self._restarts = Restarts()
        self._vital: dict[str, tuple[int, int]] = {}  # the pid and the birth of each
        self._absence = PRESENT
        self._looked_at = 0.0
        self._up = False

    def start(self) -> None:
        """Start the service and wait until it is up. Raises `ClusterNotStarted`."""
        self._up = False
        self._process = self._shell.begin()
        address = self._process.wait_until_up(self._shell.progress, self._meanwhile)
        if self._ingress is not None:  # the child saw Ray's HAProxy answer, perhaps beside ours
            self._ingress.end_refusing()
        self._absence, self._up = PRESENT, True
        self._looked_at = self._clock()
        self._find_vital()
        self._shell.up(address)

    def _meanwhile(self) -> None:
        self._shell.obey_signals()
        if self._ingress is not None:
            self._ingress.give_way()

    def turn(self) -> None:
        """Look at the service once, and do what it needs. Raises `ClusterLost`."""
        self._shell.obey_signals()
        reason = self._reason_to_start_again()
        if reason:
            self._start_again(reason)
        elif self._ingress is not None and self._ingress.watch():
            self._report(
                "HAProxy ended; another one serves on", "ingress", "replaced", "HAProxy ended"
            )

    def _another_haproxy_serves(self) -> bool:
        try:
            return self._ingress is not None and self._ingress.watch()
        except OSError as error:  # Ray's own replacement comes a few seconds later
            _log.error("no other HAProxy could be started: %s", error)
            return False

    def stop(self, hurry: Callable[[], bool] = lambda: False) -> None:
        """End the service: in order if it is up and nobody is in a hurry."""
        give_up_at = self._clock() + _STOP_SECONDS
        process = self._process
        if process is not None and self._up:
            process.ask_to_stop()
            while not process.ended and not hurry() and self._clock() < give_up_at:
                time.sleep(0.05)
        if process is not None:
            process.kill()
        processes.end_descendants(0 if hurry() else 5)

    def _reason_to_start_again(self) -> str:
        assert self._process is not None
        now = self._clock()
        missing = {name for name, (pid, born) in self._vital.items() if _gone(pid, born)}
        answered = None
        if missing or now - self._looked_at >= _LOOK_SECONDS:
            self._looked_at = now
            processes.reap_orphans()
            if missing:
                self._find_vital()
                missing -= {n for n, (pid, born) in self._vital.items() if not _gone(pid, born)}
            answered = self._answers()
        self._absence = self._absence.after(missing, answered=answered, now=now)
        if ended := self._process.ended:
            return f"the process that holds the cluster {ended}"
        return self._process.lost or self._absence.reason_to_start_again(now)

    def _find_vital(self) -> None:
        """Note the vital processes that run; one that ended stays noted until it is replaced."""
        assert self._process is not None
        running = processes.find_parts(self._process.pid, VITAL_PARTS)
        self._vital |= {name: (pid, processes.born(pid)) for name, pid in running.items()}

    def _start_again(self, reason: str) -> None:
        begun = self._clock()
        while True:
            self._restarts = self._restarts.after(self._clock())
            if self._restarts.too_many:
                raise ClusterLost(
                    f"the cluster failed {self._restarts.summary}, so it is not started again. "
                    f"The last reason: {reason}"
                )
            self._report(f"{reason}. Starting again …", "cluster", "lost", reason)
            self._end_cluster(reason)
            time.sleep(self._restarts.pause_seconds)
            try:
                self.start()
            except (ClusterNotStarted, OSError) as error:
                reason = f"the cluster did not start: {_last_line(str(error))}"
                continue
            seconds = self._clock() - begun
            text = f"The service is back after {seconds:.0f} s"
            self._report(text, "cluster", "restarted", reason)
            return

    def _end_cluster(self, reason: str) -> None:
        self._shell.lost()
        if self._ingress is not None:
            with contextlib.suppress(OSError):  # a full disk must not keep the service down
                self._ingress.refuse(reason)
        self._up, self._vital = False, {}
        if self._process is not None:
            self._process.kill()
        ours = self._ingress.pid if self._ingress is not None else 0
        processes.end_descendants(0, keep=(*self._keep(), ours))

    def _answers(self) -> bool | None:
        """Whether a router is up; None if the answer leaves that open."""
        server = self._config.server
        connection = http.client.HTTPConnection(
            reachable(server.host).strip("[]"), server.port, timeout=_PROBE_SECONDS
        )
        try:
            connection.request("GET", "/health/live")
            answer = connection.getresponse()
            return answer.status != 503 or not _no_router(answer.read())
        except ConnectionRefusedError:
            return False
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def _report(self, text: str, subject: str, state: str, reason: str) -> None:
        """Tell the terminal, the log and the telemetry."""
        self._shell.tell(text)
        _log.warning("%s", text)
        now = time.time()
        event = Event(new_id(now), now, "service", subject, state, {"reason": reason})
        try:
            journal = FileJournal(self._config.telemetry_folder, "command", Metrics())
            journal.note(event)
            journal.close()
        except OSError as error:
            _log.warning("the event was not written to the telemetry: %s", error)


def _gone(pid: int, born: int) -> bool:
    return processes.born(pid) != born


def _last_line(text: str) -> str:
    """The line of a traceback that says what went wrong."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return "".join(c for c in (lines or [text])[-1] if c.isprintable())[:300]


def _no_router(body: bytes) -> bool:
    try:
        content: dict[str, Any] = json.loads(body)
    except ValueError:
        return False
    return bool((content.get("error") or {}).get("code") == "no_router")
