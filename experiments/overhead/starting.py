"""How long Waggle takes to start, and what it holds while idle, with its embedded defaults."""

import contextlib
import json
import os
import statistics
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.progress import Progress

from experiments.overhead.cost import memory_mb, parts
from experiments.overhead.service import CHAT
from experiments.readme import ROOT
from experiments.served import WAGGLE
from router.deployment.ray_environment import free_ports

_SETTLED = 10.0  # seconds after which a started service is idle


def starts(warm_starts: int = 2) -> dict[str, Any]:
    """Seconds to ready on a new data folder and on a used one, and from a fresh clone."""
    with tempfile.TemporaryDirectory(prefix="wb-") as folder, Progress() as progress:
        task = progress.add_task("starting", total=warm_starts + 2)
        data = Path(folder) / "d"
        seconds = []
        for number in range(warm_starts + 1):
            progress.update(task, description="starting, warm" if number else "starting")
            with _served(Path(folder), ROOT, data) as (process, port):
                seconds.append(_until(f"http://127.0.0.1:{port}/health/ready", process))
                if number == warm_starts:
                    progress.update(task, description="idle")
                    time.sleep(_SETTLED)
                    memory = {
                        part: round(memory_mb(pids), 1)
                        for part, pids in sorted(parts(process.pid).items())
                    }
            progress.advance(task)
        progress.update(task, description="a fresh clone")
        first_answer = _from_a_clone(Path(folder))
        progress.advance(task)
    return {
        "first_seconds": round(seconds[0], 2),
        "warm_seconds": round(statistics.median(seconds[1:]), 2),
        "clone_seconds": round(first_answer, 2),
        "memory_mb": round(sum(memory.values()), 1),
        "memory_mb_by_part": memory,
    }


def _from_a_clone(folder: Path) -> float:
    """Seconds from `git clone` to the first answer; only the environment is built beforehand."""
    begun = time.monotonic()
    clone = folder / "clone"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    with _served(clone, clone, clone / "var") as (process, port):
        body = {"model": "auto", "messages": [{"role": "user", "content": "Capital of France?"}]}
        _until(f"http://127.0.0.1:{port}{CHAT}", process, json.dumps(body))
        return time.monotonic() - begun


@contextmanager
def _served(
    folder: Path, checkout: Path, data: Path
) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    [port] = free_ports(1)
    process = subprocess.Popen(
        [WAGGLE, "serve", "--data", data, "--port", str(port)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(checkout)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process, port
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(60)
        process.kill()
        process.wait()


def _until(url: str, process: "subprocess.Popen[bytes]", body: str = "") -> float:
    """Seconds until the address answers by 200."""
    begun = time.monotonic()
    request = urllib.request.Request(
        url, body.encode() or None, {"content-type": "application/json"}
    )
    while time.monotonic() < begun + 240 and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(request, timeout=30) as answer:
            answer.read()
            return time.monotonic() - begun
        time.sleep(0.05)
    raise SystemExit(f"{url} answers nothing")
