"""Runs `waggle serve` with the embedded defaults, for experiments that measure over HTTP."""

import json
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

WAGGLE = Path(sys.executable).parent / "waggle"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


@contextmanager
def service() -> Iterator[tuple[str, Path]]:
    """Start a service, and yield its address and its data folder. Both end with the context."""
    port = free_port()
    with tempfile.TemporaryDirectory() as data:
        command = [str(WAGGLE), "serve", "--data", data, "--port", str(port)]
        running = subprocess.Popen(command, cwd=data, stdout=subprocess.DEVNULL)
        try:
            wait_until_ready(f"http://127.0.0.1:{port}/health/ready")
            yield f"http://127.0.0.1:{port}", Path(data)
        finally:
            running.send_signal(signal.SIGINT)
            running.wait(60)


def wait_until_ready(url: str) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                if json.load(answer)["status"] == "ready":
                    return
        except (OSError, ValueError, KeyError):
            pass
        time.sleep(0.5)
    raise SystemExit("the service was not ready within 180 seconds")
