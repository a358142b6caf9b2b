"""Runs `waggle demo`, and kills every process with `kill -9` halfway. `make bench-demo`

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
    deadline = time.monotonic() + 180
    while (service := find_running(data)) is None or service.pid != running.pid:
        if running.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("the service did not start within 180 seconds")
        time.sleep(0.2)
    return running


def _learned(port: int) -> int:
    url = f"http://127.0.0.1:{port}/v1/learner"
    for _ in range(20):  # A busy learner may need some seconds to answer.
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=20) as answer:
            return int(json.load(answer).get("learned", 0))
        time.sleep(0.5)
    raise RuntimeError(f"{url} did not answer in 20 tries")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1500, help="number of requests in the demo")
    options = parser.parse_args()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        running = _start(data, port)
        command = [str(WAGGLE), "demo", "--data", folder, "--requests", str(options.requests)]
        demo = subprocess.Popen([*command, "--json"], cwd=folder, stdout=subprocess.PIPE)
        path = data / "demo-1.jsonl"
        half = options.requests // 2 * 7  # A request has 7 lines: the routed answer and six plans.
        while not path.exists() or path.read_bytes().count(b"\n") < half:
            time.sleep(0.2)
        before = _learned(port)
        for pid in [running.pid, *descendants(running.pid)]:
            with contextlib.suppress(ProcessLookupError):  # The process may have ended already.
                os.kill(pid, signal.SIGKILL)
        running.wait()
        end_left_behind(data)
        running = _start(data, port)
        after = _caught_up(port, before)
        printed, _ = demo.communicate()
        result: dict[str, Any] = json.loads(printed)
        result["killed"] = {"learned_before": before, "learned_after": after}
        lines = path.read_bytes().splitlines()
        result["curve"] = curve(lines)
        result["quality_by_tenth"] = _quality_by_tenth(lines)
        running.send_signal(signal.SIGINT)
        running.wait(60)
    result["weeks"] = json.loads((HERE / "result.json").read_text()).get("weeks", {})
    (HERE / "result.json").write_text(json.dumps(result, indent=1) + "\n")
    put("demo", readme_table(result))
    draw(result["curve"], PICTURE)


def _caught_up(port: int, before: int) -> int:
    """How many signals the new learner knows once it has read the log of the killed learner."""
    deadline = time.monotonic() + 60
    learned = 0
    while learned < before and time.monotonic() < deadline:
        time.sleep(0.5)
        learned = _learned(port)
    return learned


def _quality_by_tenth(lines: list[bytes]) -> list[float]:
    answers = [json.loads(line) for line in lines]
    routed = [answer for answer in answers if answer["asked"] == "auto"]
    routed.sort(key=lambda answer: answer["request"])
    size = len(routed) // 10
    tenths = [routed[n * size : (n + 1) * size] for n in range(10)]
    return [round(sum(answer["quality"] for answer in tenth) / size, 4) for tenth in tenths]


if __name__ == "__main__":
    main()
