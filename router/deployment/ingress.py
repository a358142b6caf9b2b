"""Keeps the service's port answered while Ray's HAProxy does not: a HAProxy of the command's own.

If only Ray's HAProxy died, ours passes requests to the routers, which still run, until Ray has put
another in place. While the whole cluster starts again, ours refuses each request and says why.
Connections that the dead HAProxy held are lost. Without HAProxy on this machine, nothing is kept.
"""

import contextlib
import json
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from router.deployment.processes import born, end_with_parent
from router.deployment.proxy import INGRESS_PID, LAST_CONFIGURATION
from router.files import write_whole

# Lines and sections of Ray's configuration that only one HAProxy at a time can have.
_ALONE = re.compile(r"^\s*(stats socket|server-state-|load-server-state-from-file|lua-load)")
_SECTIONS_ALONE = ("frontend health", "frontend prometheus", "listen stats")
_LAST_ANSWERS_SECONDS = 2.0
_SETTLED_SECONDS = 1.0  # until Ray's new HAProxy surely listens
_SECTION = re.compile(r"^[a-z]")

_REFUSING = """global
    nbthread 1
defaults
    mode http
    timeout client 10s
    timeout http-request 5s
    timeout connect 1s
    timeout server 1s
frontend refusing
    bind {address}
    http-request return status 503 content-type application/json file "{health}" hdr retry-after 5 \
if {{ path /health/ready }}
    http-request return status 503 content-type application/json file "{refusal}" hdr retry-after 5
"""


def beside(written: str) -> str:
    """Ray's configuration, changed so that a second HAProxy can run beside Ray's own."""
    kept, skipping = [], False
    for line in written.splitlines():
        if _SECTION.match(line):
            skipping = line.startswith(_SECTIONS_ALONE)
        if not skipping and not _ALONE.match(line):
            kept.append(line)
    return "\n".join(kept) + "\n"


class Ingress:
    """Ray's HAProxy as the command sees it, and the one that takes its place."""

    def __init__(self, ray_folder: Path, data: Path, binary: str, address: str) -> None:
        self._ray_folder, self._home = ray_folder, data / "ingress"
        self._log = data / "logs" / "ingress.log"
        self._binary, self._address = binary, address
        self._process: subprocess.Popen[bytes] | None = None
        self._refusing = ""
        self._alive_since = 0.0
        self._leaving: list[subprocess.Popen[bytes]] = []

    @property
    def pid(self) -> int:
        return self._process.pid if self._process is not None else 0

    @property
    def alive(self) -> bool:
        """Whether a HAProxy of Ray's own runs."""
        return any(map(born, self._rays()))

    def watch(self) -> bool:
        """Take the place of Ray's HAProxy if it is gone, or give it back. True if now taken."""
        if not self._binary:
            return False
        if self.alive:
            self._alive_since = self._alive_since or time.monotonic()
            if time.monotonic() - self._alive_since > _SETTLED_SECONDS:
                self.leave()
            return False
        self._alive_since = 0.0
        if self._process is None or self._process.poll() is not None or self._refusing:
            configuration = self._last_configuration()
            if configuration:
                self._refusing = ""
                self._start(beside(configuration))
                return True
        return False

    def refuse(self, reason: str) -> None:
        """Answer each request with the reason for which the cluster starts again."""
        if not self._binary or (self._refusing == reason and self.pid):
            return
        self._refusing = reason
        self._home.mkdir(parents=True, exist_ok=True, mode=0o700)
        health = {"status": "restarting", "reasons": [reason]}
        message = f"The service is starting again: {reason}. Try again in a few seconds."
        error = {"message": message, "type": "server_error", "param": None, "code": "no_router"}
        files = {"health": health, "refusal": {"error": error}}
        for name, content in files.items():
            write_whole(self._home / f"{name}.json", json.dumps(content).encode(), mode=0o600)
        paths = {name: self._home / f"{name}.json" for name in files}
        self._start(_REFUSING.format(address=self._address, **paths))

    def give_way(self) -> None:
        """Leave the port to Ray's HAProxy once that names the routers of the new cluster."""
        if self._process is not None and self._last_configuration() and self.alive:
            self.leave()

    def end_refusing(self) -> None:
        """Leave the port to Ray's HAProxy, which answers, and return once nobody is refused."""
        self.leave()
        for process in self._leaving:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_LAST_ANSWERS_SECONDS)

    def leave(self) -> None:
        """Stop listening; requests that are being answered still end."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGUSR1)
            self._leaving = [
                *(each for each in self._leaving if each.poll() is None),
                self._process,
            ]
            self._process, self._refusing = None, ""

    def _start(self, configuration: str) -> None:
        before = self._process
        self._home.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._home / "haproxy.cfg"
        write_whole(path, configuration.encode(), mode=0o600)
        command = [self._binary, "-db", "-f", str(path)]
        command += ["-sf", str(before.pid)] if before and before.poll() is None else []
        self._log.parent.mkdir(parents=True, exist_ok=True)
        files = self._ray_folder / "h"  # where Ray's configuration finds the files it names
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={},
                cwd=files if files.is_dir() else self._home,
                preexec_fn=end_with_parent,
            )

    def _rays(self) -> Iterator[int]:
        for path in self._ray_folder.glob(f"h/*/{INGRESS_PID}"):
            with contextlib.suppress(OSError, ValueError):
                yield int(path.read_text())

    def _last_configuration(self) -> str:
        for path in self._ray_folder.glob(f"h/*/{LAST_CONFIGURATION}"):
            with contextlib.suppress(OSError):
                return path.read_text()
        return ""
