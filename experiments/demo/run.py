"""`waggle demo` on a bare machine, with a `kill -9` of everything halfway. `make bench-demo`

python -m experiments.demo.run [--requests 1500]
"""

import argparse
import contextlib
import json
import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from experiments.demo.picture import PICTURE, curve, draw
from experiments.demo.report import readme_table
from experiments.readme import put
from experiments.served import WAGGLE
from router.deployment.local_service import end_left_behind, find_running
from router.deployment.processes import descendants

HERE = Path(__file__).parent


def _start(data: Path, port: int) -> subprocess.Popen[bytes]:
    command = [str(WAGGLE), "serve", "--data", str(data), "--port", str(port)]
    running = subprocess.Popen(command, cwd=data, stdout=subprocess.DEVNULL)
    until = time.monotonic() + 180
    while (found := find_running(data)) is None or found.pid != running.pid:
        if running.poll() is not None or time.monotonic() > until:
            raise RuntimeError("the service did not start")
        time.sleep(0.2)
    return running


def _learned(port: int) -> int:
    url = f"http://127.0.0.1:{port}/v1/learner"
    for _ in range(20):  # it may be busy for a moment
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=20) as told:
            return int(json.load(told).get("learned", 0))
        time.sleep(0.5)
    raise RuntimeError("the learner does not answer")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--requests", type=int, default=1500)
    told = options.parse_args()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        running = _start(data, port)
        command = [str(WAGGLE), "demo", "--data", folder, "--requests", str(told.requests)]
        demo = subprocess.Popen([*command, "--json"], cwd=folder, stdout=subprocess.PIPE)
        path = data / "demo-1.jsonl"
        half = told.requests // 2 * 7  # the routed answer and six plans, a line each
        while not path.exists() or path.read_bytes().count(b"\n") < half:
            time.sleep(0.2)
        before = _learned(port)
        for pid in [running.pid, *descendants(running.pid)]:
            with contextlib.suppress(ProcessLookupError):  # the dashboard goes with its service
                os.kill(pid, signal.SIGKILL)
        running.wait()
        end_left_behind(data)
        running = _start(data, port)
        after = _after(port, before)
        printed, _ = demo.communicate()
        result: dict[str, Any] = json.loads(printed)
        result["killed"] = {"learned_before": before, "learned_after": after}
        routed = [
            one
            for line in path.read_bytes().splitlines()
            if (one := json.loads(line))["asked"] == "auto"
        ]
        routed.sort(key=lambda one: one["request"])
        result["curve"] = curve(path.read_bytes().splitlines())
        size = len(routed) // 10
        result["quality_by_tenth"] = [
            round(sum(one["quality"] for one in routed[n * size : (n + 1) * size]) / size, 4)
            for n in range(10)
        ]
        running.send_signal(signal.SIGINT)
        running.wait(60)
    (HERE / "result.json").write_text(json.dumps(result, indent=1) + "\n")
    put("demo", readme_table(result))
    draw(result["curve"], PICTURE)


def _after(port: int, before: int) -> int:
    """What it knows once it has gone through what it had read."""
    until = time.monotonic() + 60
    learned = 0
    while learned < before and time.monotonic() < until:
        time.sleep(0.5)
        learned = _learned(port)
    return learned


if __name__ == "__main__":
    main()
