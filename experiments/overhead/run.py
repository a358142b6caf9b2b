"""What Waggle adds to a request, beside a bare Serve app and LiteLLM's proxy, in one run.

    python -m experiments.overhead.run [--seconds 3] [--rounds 3] [--without-litellm]

Everything runs on this machine at once and is loaded in turn, so that a noisy minute falls on all;
ratios are of medians over the rounds. LiteLLM is installed into an environment of its own.
"""

import argparse
import contextlib
import json
import os
import platform
import secrets
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from experiments import readme
from experiments.overhead.report import readme_table
from router.deployment.local_service import find_running
from router.deployment.processes import adopt_orphans, descendants, end_descendants
from router.deployment.ray_environment import free_ports

HERE = Path(__file__).parent
BUILD = HERE.parent.parent / "var" / "bench"
WAGGLE = Path(sys.executable).with_name("waggle")
CHAT = "/v1/chat/completions"
KINDS = {  # name: (upstream delay in ms, streaming, connections)
    "json, 1": (0, False, 1),
    "json, 16": (0, False, 16),
    "json, 64": (0, False, 64),
    "json 50 ms, 16": (50, False, 16),
    "stream 50 ms, 16": (50, True, 16),
}
BODY = {
    "model": "auto",
    "messages": [
        {"role": "system", "content": "You are a helpful assistant that answers briefly."},
        {"role": "user", "content": "What is the capital of France? Answer in one word."},
    ],
    "temperature": 0.7,
    "max_tokens": 100,
}
CONFIG = """
server: {{port: {port}, data: {data}}}
backends:
  quick: {{kind: openai, base_url: "http://127.0.0.1:{up0}/v1", concurrency: 256,
           price: {{input: {price}, output: 2}}}}
  slow: {{kind: openai, base_url: "http://127.0.0.1:{up50}/v1", concurrency: 256}}
plans:
  fast: {{ask: quick, fallback: [slow]}}
  slow-plan: {{ask: slow, fallback: [quick]}}
"""


class Bench:
    def __init__(self, arguments: argparse.Namespace, folder: Path) -> None:
        self.arguments = arguments
        self.folder = folder
        self.up0, self.up50, self.bare, self.waggle, self.litellm = free_ports(5)
        self.key = ""
        self.litellm_key = "sk-" + secrets.token_hex(32)
        self.started: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, command: list[object], **more: object) -> subprocess.Popen[bytes]:
        log = (self.folder / f"{name}.log").open("wb")
        self.started[name] = subprocess.Popen(
            list(map(str, command)), stdout=log, stderr=log, cwd=self.folder, **more
        )
        log.close()
        return self.started[name]

    def build(self) -> None:
        BUILD.mkdir(parents=True, exist_ok=True)
        for name in ("upstream", "loader"):
            source = HERE / f"{name}.c"
            subprocess.run(["cc", "-O2", "-o", BUILD / name, source], check=True)

    def start_all(self) -> None:
        self.start("upstream", [BUILD / "upstream", f"{self.up0}:0", f"{self.up50}:50"])
        self.write_config(price=1)
        command = [WAGGLE, "keys", "new", "bench", "-c", self.config]
        made = subprocess.run(command, capture_output=True, text=True, check=True)
        self.key = made.stdout.strip()
        self.start("waggle", [WAGGLE, "serve", "-c", self.config])
        self.start(
            "bare", [sys.executable, HERE / "bare.py", self.bare, self.up0, self.folder / "b"]
        )
        if not self.arguments.without_litellm:
            self.start_litellm()
        ports = [self.waggle, self.bare]
        for port in ports if self.arguments.without_litellm else [*ports, self.litellm]:
            self.wait(port)

    @property
    def config(self) -> Path:
        return self.folder / "waggle.yaml"

    def write_config(self, *, price: float) -> None:
        data = self.folder / "w"
        self.config.write_text(
            CONFIG.format(port=self.waggle, data=data, up0=self.up0, up50=self.up50, price=price)
        )

    def start_litellm(self) -> None:
        home = BUILD / "litellm"
        if not (home / "bin" / "litellm").exists():
            subprocess.run([sys.executable, "-m", "venv", home], check=True)
            pip = [home / "bin" / "pip", "install", "--quiet", "litellm[proxy]"]
            subprocess.run(pip, check=True)
        models = [
            {
                "model_name": name,
                "litellm_params": {
                    "model": "openai/mock",
                    "api_base": f"http://127.0.0.1:{port}/v1",
                    "api_key": "x",
                },
            }
            for name, port in (("auto", self.up0), ("slow-plan", self.up50))
        ]
        config = self.folder / "litellm.yaml"
        config.write_text(json.dumps({"model_list": models}))
        command = [home / "bin" / "litellm", "--config", config, "--port", self.litellm]
        environment = {
            **os.environ,
            "HOME": str(self.folder),
            "LITELLM_MASTER_KEY": self.litellm_key,
        }
        self.start(
            "litellm",
            [*command, "--host", "127.0.0.1", "--num_workers", 1, "--telemetry", "False"],
            env=environment,
        )

    def wait(self, port: int, seconds: float = 120) -> None:
        until = time.monotonic() + seconds
        while True:
            try:
                self.ask(port)
                return
            except OSError:
                if time.monotonic() > until:
                    logs = {n: (self.folder / f"{n}.log").read_text()[-1500:] for n in self.started}
                    raise SystemExit(f"nothing answers on {port}: {logs}") from None
                time.sleep(0.2)

    def ask(self, port: int, model: str = "auto") -> dict:
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}{CHAT}",
            json.dumps({**BODY, "model": model}).encode(),
            {
                "content-type": "application/json",
                "authorization": f"Bearer {self.key_for(port)}",
            },
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())

    def key_for(self, port: int) -> str:
        return self.litellm_key if port == self.litellm else self.key

    def load(self, target: str, kind: str, seconds: float) -> subprocess.Popen[str]:
        delay, streaming, connections = KINDS[kind]
        direct = self.up50 if delay else self.up0
        port = {"direct": direct}.get(target) or getattr(self, target)
        body = BODY | {"model": "slow-plan" if delay else "auto", "stream": streaming}
        if not streaming:
            del body["stream"]
        path = self.folder / f"body-{delay}-{streaming}.json"
        path.write_text(json.dumps(body))
        command = [BUILD / "loader", port, CHAT, connections, seconds, path]
        command.append(f"authorization: Bearer {self.key_for(port)}")
        return subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)

    def measure(self, target: str, kind: str) -> dict:
        with self.load(target, kind, self.arguments.seconds) as loader:
            return json.loads(loader.communicate()[0])


def applies(target: str, kind: str) -> bool:
    """The bare app knows one upstream and no streams."""
    return target != "bare" or KINDS[kind][0] == 0


def rounds(bench: Bench) -> dict[str, dict[str, dict]]:
    targets = ["direct", "bare", "waggle"] + (
        [] if bench.arguments.without_litellm else ["litellm"]
    )
    pairs = [(t, k) for k in KINDS for t in targets if applies(t, k)]
    seen: dict[tuple[str, str], list[dict]] = {pair: [] for pair in pairs}
    with Progress() as progress:
        task = progress.add_task("measuring", total=len(pairs) * (bench.arguments.rounds + 1))
        for number in range(bench.arguments.rounds + 1):
            for target, kind in pairs:
                progress.update(task, description=f"round {number}: {target}, {kind}")
                measured = bench.measure(target, kind)
                if number:  # the first warms all of them up
                    seen[target, kind].append(measured)
                progress.advance(task)
    result: dict[str, dict[str, dict]] = {}
    for (target, kind), found in seen.items():
        medians = {key: statistics.median(one[key] for one in found) for key in found[0]}
        medians["failed"] = sum(one["failed"] for one in found)
        result.setdefault(kind, {})[target] = medians
    return result


def memory(pid: int) -> dict[str, float]:
    """Of a process and all below it: their own and a share of what they share (PSS), and RSS."""
    totals = {"pss_mb": 0.0, "rss_mb": 0.0}
    for one in (pid, *descendants(pid)):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
                for name, key in (("Pss:", "pss_mb"), ("Rss:", "rss_mb")):
                    if line.startswith(name):
                        totals[key] += int(line.split()[1]) / 1024
    return {key: round(value, 1) for key, value in totals.items()}


@contextlib.contextmanager
def under_load(bench: Bench, seconds: float, kind: str) -> Iterator[list[dict]]:
    """Sixteen connections meanwhile; their outcome is in the list afterwards."""
    outcome: list[dict] = []
    with bench.load("waggle", kind, seconds) as loader:
        time.sleep(1)
        yield outcome
        outcome.append(json.loads(loader.communicate()[0]))


def reload(bench: Bench, kind: str, prices: tuple[int, ...]) -> dict:
    times = []
    with under_load(bench, 20, kind) as outcome:
        for price in prices:
            bench.write_config(price=price)
            command = [WAGGLE, "reload", "-c", bench.config]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            times.append(float(done.stdout.split("in ")[1].split(" s")[0]))
            costs = {bench.ask(bench.waggle)["usage"]["cost"] for _ in range(20)}
            assert costs == {(120 * price + 40 * 2) / 1e6}, costs
    return {
        "seconds": times,
        "worst_seconds": max(times),
        "requests": outcome[0]["requests"],
        "failed_requests": outcome[0]["failed"],
    }


def processes(bench: Bench, part: str) -> list[int]:
    running = find_running(bench.folder / "w")
    assert running is not None
    found = []
    for pid in descendants(running.pid):
        with contextlib.suppress(OSError):
            if part in Path(f"/proc/{pid}/cmdline").read_text():
                found.append(pid)
    return found


def kill_backend(bench: Bench) -> dict:
    with under_load(bench, 10, "json, 16") as outcome:
        for pid in processes(bench, "waggle-backend-quick"):
            os.kill(pid, signal.SIGKILL)
    return {"requests": outcome[0]["requests"], "failed_requests": outcome[0]["failed"]}


def kill_ingress(bench: Bench) -> dict:
    """How long until requests are answered again, seen by a client that asks every 20 ms."""
    times = []
    for _ in range(3):
        for pid in processes(bench, "bin/haproxy"):
            os.kill(pid, signal.SIGKILL)
        begun = time.monotonic()
        last_failure, answered = begun, 0
        while answered < 25:
            try:
                bench.ask(bench.waggle)
                answered += 1
            except OSError:
                last_failure, answered = time.monotonic(), 0
            time.sleep(0.02)
        times.append(round(last_failure - begun, 2))
        time.sleep(2)
    return {"seconds": times, "worst_seconds": max(times)}


def verdicts(result: dict) -> list[dict]:
    kinds = result["kinds"]

    def added(target: str, kind: str, key: str = "p50") -> float:
        return kinds[kind][target][key] - kinds[kind]["direct"][key]

    one, many, stream = "json, 1", "json, 64", "stream 50 ms, 16"
    bare = added("waggle", one) / added("bare", one)
    rows = [
        ("added p50 at 1, times the bare app's", bare, "<=", 4),
        ("added p99 at 1, ms", added("waggle", one, "p99") / 1e3, "<=", 2),
        ("requests/s at 64, share of the bare app's",
         kinds[many]["waggle"]["rps"] / kinds[many]["bare"]["rps"], ">=", 0.35),
        ("first token added at 16, ms", added("waggle", stream, "first50") / 1e3, "<=", 2),
        ("a reload live on every replica, s", result["reload"]["worst_seconds"], "<=", 0.5),
        ("the same, both cores saturated, s",
         result["reload_saturated"]["worst_seconds"], "<=", 0.5),
        ("requests failed during reloads", result["reload"]["failed_requests"]
         + result["reload_saturated"]["failed_requests"], "<=", 0),
        ("requests failed by a killed backend replica",
         result["kill_backend"]["failed_requests"], "<=", 0),
        ("ingress killed: back after, s", result["kill_ingress"]["worst_seconds"], "<=", 3),
        ("memory of everything, idle, MB (PSS)", result["memory"]["pss_mb"], "<=", 1300),
    ]  # fmt: skip
    if "litellm" in kinds[one]:
        ratio = added("litellm", one) / added("waggle", one)
        rows.insert(0, ("added p50 at 1, LiteLLM's over ours", ratio, ">=", 15))
        ratio = kinds[many]["waggle"]["rps"] / kinds[many]["litellm"]["rps"]
        rows.insert(3, ("requests/s at 64, ours over LiteLLM's", ratio, ">=", 20))
    return [
        {
            "what": what,
            "measured": round(measured, 3),
            "target": f"{sign} {target}",
            "met": measured <= target if sign == "<=" else measured >= target,
        }
        for what, measured, sign, target in rows
    ]


def show(result: dict) -> None:
    console = Console()
    table = Table("load", "target", "req/s", "p50 ms", "p95 ms", "p99 ms", "first ms", "failed")
    for kind, targets in result["kinds"].items():
        for target, seen in targets.items():
            times = [f"{seen[k] / 1e3:.2f}" for k in ("p50", "p95", "p99", "first50")]
            table.add_row(kind, target, f"{seen['rps']:.0f}", *times, str(seen["failed"]))
    console.print(table)
    table = Table("what", "measured", "target", "")
    for row in result["verdicts"]:
        table.add_row(
            row["what"], f"{row['measured']:g}", row["target"], "met" if row["met"] else "MISSED"
        )
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--without-litellm", action="store_true")
    arguments = parser.parse_args()
    if shutil.which("cc") is None:
        raise SystemExit("the load generator needs a C compiler (cc)")
    adopt_orphans()
    folder = Path(tempfile.mkdtemp(prefix="wb-"))
    bench = Bench(arguments, folder)
    try:
        bench.build()
        bench.start_all()
        time.sleep(5)
        result: dict = {
            "machine": f"{os.cpu_count()} cores, {platform.machine()}",
            "python": platform.python_version(),
            "rounds": arguments.rounds,
            "seconds": arguments.seconds,
            "memory": memory(bench.started["waggle"].pid),
        }
        result["kinds"] = rounds(bench)
        result["reload"] = reload(bench, "json 50 ms, 16", (3, 5, 7, 9))
        result["reload_saturated"] = reload(bench, "json, 16", (4, 6, 8))
        result["kill_backend"] = kill_backend(bench)
        result["kill_ingress"] = kill_ingress(bench)
        result["verdicts"] = verdicts(result)
        (HERE / "result.json").write_text(json.dumps(result, indent=1) + "\n")
        if not arguments.without_litellm:
            readme.put("overhead", readme_table(result))
        show(result)
    finally:
        for process in bench.started.values():
            process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            bench.started["waggle"].wait(20)
        end_descendants()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
