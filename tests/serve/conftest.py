"""A real service, started as a person starts it, with scripted upstreams beside it."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from router.deployment.local_service import find_running, tidy
from router.deployment.processes import descendants
from router.deployment.ray_environment import free_ports
from tests.upstream import Upstream, answer_well

WAGGLE = Path(sys.executable).with_name("waggle")


def free_port() -> int:
    return free_ports(1)[0]


class Background:
    """Upstreams on an event loop of their own, so that tests may block."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.stack = contextlib.AsyncExitStack()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)

    def upstream(self, script=answer_well) -> Upstream:
        return self.run(self.stack.enter_async_context(Upstream(script).listening()))

    def close(self) -> None:
        self.run(self.stack.aclose())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


@dataclass
class Service:
    """One `waggle serve`, and the commands beside it."""

    folder: Path
    config: Path
    port: int
    process: subprocess.Popen | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def data(self) -> Path:
        return self.folder / "var"

    def start(self, *, seconds: float = 180) -> None:
        log = (self.folder / "serve.log").open("ab")
        self.process = subprocess.Popen(
            [WAGGLE, "serve", "-c", self.config], cwd=self.folder, stdout=log, stderr=log
        )
        log.close()
        until = time.monotonic() + seconds
        while (found := find_running(self.data)) is None or found.pid != self.process.pid:
            if self.process.poll() is not None or time.monotonic() > until:
                pytest.fail(f"did not start: {self.log}")
            time.sleep(0.1)

    def stop(self, sign: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(sign)
        return self.process.wait(60)

    @property
    def log(self) -> str:
        return (self.folder / "serve.log").read_text()

    def run(self, *args: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        command = [WAGGLE, *args, "-c", self.config]
        done = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, timeout=90, check=False
        )
        if check and done.returncode:
            pytest.fail(f"{args}: {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def processes(self, part: str) -> list[int]:
        """Processes of this service whose command line holds `part`."""
        found = []
        for pid in descendants(self.process.pid):
            with contextlib.suppress(OSError):
                line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
                if part in line:
                    found.append(pid)
        return found


def end_hard(service: Service) -> None:
    """Nothing of a test outlives it, also when the test failed."""
    if service.process is None:
        return
    left = [service.process.pid, *descendants(service.process.pid)]
    for pid in left if service.process.poll() is None else []:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    service.process.wait()
    tidy(service.data)


def new_service(folder: Path, text: str, *, dashboard: bool = False) -> Service:
    port, pages = free_ports(2)
    config = folder / "waggle.yaml"
    beside = f"dashboard: {{enabled: {str(dashboard).lower()}, port: {pages}}}\n"
    config.write_text(f"server: {{port: {port}}}\n{beside}{text}")
    return Service(folder, config, port)


@pytest.fixture(scope="module")
def background() -> Iterator[Background]:
    background = Background()
    yield background
    background.close()


def ask_telemetry(data: Path, sql: str) -> list[dict]:
    """As an analyst: plain duckdb, read-only, while the service writes or after it was killed."""
    with duckdb.connect(str(data / "telemetry" / "telemetry.duckdb"), read_only=True) as con:
        cursor = con.execute(sql)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
