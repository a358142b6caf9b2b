"""A Waggle with everything on, of any checkout: keys, telemetry, and a bandit that has learned.

The service is taught by `waggle warm` before it starts, and its answers are judged while it runs: a
bandit whose answers nobody judges does not explore.
"""

import contextlib
import json
import os
import random
import subprocess
import threading
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from experiments.overhead.prompts import bodies, lessons
from experiments.readme import ROOT
from experiments.served import WAGGLE
from router.deployment.ray_environment import free_ports

HERE = Path(__file__).parent
BUILD = ROOT / "var" / "bench"
CHAT = "/v1/chat/completions"
_CONFIG = """
server: {{port: {port}, data: {data}}}
{sections}
backends:
  small:  {{kind: openai, base_url: "{url}", concurrency: 256,
           price: {{input: {price}, output: 2}}}}
  medium: {{kind: openai, base_url: "{url}", concurrency: 256, price: {{input: 20, output: 40}}}}
  large:  {{kind: openai, base_url: "{url}", concurrency: 256, price: {{input: 50, output: 200}}}}
plans:
  fast:    {{ask: small, fallback: [medium]}}
  usual:   {{ask: medium, fallback: [large]}}
  premium: {{ask: large, fallback: [medium]}}
"""
BANDIT = "objective: {strategy: bandit}"
LADDER = ""  # what a file without an objective gets


def build() -> None:
    """Compile the model server and the load generator."""
    BUILD.mkdir(parents=True, exist_ok=True)
    for name in ("upstream", "loader"):
        made = BUILD / name
        if made.exists() and made.stat().st_mtime > (HERE / f"{name}.c").stat().st_mtime:
            continue
        command = ["cc", "-O2", "-o", str(made), str(HERE / f"{name}.c")]
        subprocess.run(command, check=True)


def body_file(folder: Path, name: str, **fields: Any) -> Path:
    path = folder / f"{name}.bodies"
    path.write_text("\n".join(bodies(**fields)) + "\n")
    return path


def start_load(
    port: int,
    connections: int,
    seconds: float,
    file: Path,
    headers: Sequence[str] = (),
    *,
    status: int = 200,
) -> subprocess.Popen[str]:
    """Start the load generator; it prints one line of JSON at its end. Only `status` is success."""
    command = [BUILD / "loader", port, CHAT, connections, seconds, file, *headers]
    return subprocess.Popen(
        list(map(str, command)),
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "STATUS": str(status)},
    )


class Service:
    """One running Waggle; `checkout` is the folder whose code it runs."""

    def __init__(
        self, folder: Path, upstream: int, *, checkout: Path = ROOT, objective: str = BANDIT
    ) -> None:
        self.folder = folder
        self.upstream = upstream
        self.objective = objective
        self.environment = {**os.environ, "PYTHONPATH": str(checkout)}
        [self.port] = free_ports(1)
        self.config = folder / "waggle.yaml"
        self.key = self.operator_key = ""
        self.ready_seconds = 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self._judging = threading.Event()
        self._judge: threading.Thread | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    model = "auto"

    @property
    def headers(self) -> Sequence[str]:
        return [f"authorization: Bearer {self.key}"]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.write_config()
        self.key = self.command("keys", "new", "app").split()[-1]
        self.operator_key = self.command("keys", "new", "operator", "--scope", "admin").split()[-1]
        if self.objective:
            (self.folder / "lessons.jsonl").write_text(lessons())
            self.command("warm", "lessons.jsonl")
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        begun = time.monotonic()
        with (self.folder / "serve.log").open("ab") as log:
            self._process = subprocess.Popen(
                [WAGGLE, "serve", "-c", self.config],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=self.environment,
            )
        deadline = begun + 240
        while True:
            with contextlib.suppress(OSError):
                self.ask(bodies()[0])
                break
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit((self.folder / "serve.log").read_text()[-3000:])
            time.sleep(0.05)
        self.ready_seconds = time.monotonic() - begun

    def stop(self) -> None:
        self.stop_judging()
        if self._process is not None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(60)
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()

    def write_config(self, *, price: float = 1, reuse: bool = False) -> None:
        sections = [self.objective, "reuse: {mode: exact, keep: all}" if reuse else ""]
        self.config.write_text(
            _CONFIG.format(
                port=self.port,
                data=self.folder / "w",
                sections="\n".join(sections),
                url=f"http://127.0.0.1:{self.upstream}/v1",
                price=price,
            )
        )

    def command(self, *words: str) -> str:
        done = subprocess.run(
            [WAGGLE, *words, "-c", self.config],
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=self.environment,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"waggle {' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    def ask(self, body: str) -> tuple[Mapping[str, str], dict[str, Any]]:
        """The headers and the answer."""
        with self._send(CHAT, body, self.key) as response:
            return response.headers, json.load(response)

    def learner(self) -> dict[str, Any]:
        with self._send("/v1/learner", None, self.operator_key) as response:
            report: dict[str, Any] = json.load(response)
        return report

    def judge(self, body: str, score: float) -> None:
        headers, _ = self.ask(body)
        judgement = json.dumps({"request_id": headers["x-waggle-request-id"], "score": score})
        self._send("/v1/feedback", judgement, self.key).close()

    def _judge_in_time(self, body: str, score: float, deadline: float) -> None:
        """Judge an answer; a service that still starts may refuse the first ones."""
        while True:
            try:
                self.judge(body, score)
                return
            except OSError as error:
                if time.monotonic() > deadline:
                    raise SystemExit(f"an answer cannot be judged: {error}") from error
            time.sleep(0.2)

    def judge_continually(self, every_seconds: float = 0.5) -> None:
        """Ask and judge a few requests a second, as an app does, until `stop_judging`."""
        chance = random.Random(3)
        prompts = bodies()

        def judging() -> None:
            while not self._judging.wait(every_seconds):
                with contextlib.suppress(OSError):
                    self.judge(chance.choice(prompts), round(chance.uniform(0.6, 1), 2))

        self._judging.clear()
        self._judge = threading.Thread(target=judging, daemon=True)
        self._judge.start()

    def stop_judging(self) -> None:
        self._judging.set()
        if self._judge is not None:
            self._judge.join()
            self._judge = None

    def learn(self, judged: int = 60) -> dict[str, Any]:
        """Judge some answers, and wait until the bandit decides by what it learned."""
        chance = random.Random(4)
        deadline = time.monotonic() + 90
        for body in chance.sample(bodies(), judged):
            self._judge_in_time(body, round(chance.uniform(0.6, 1), 2), deadline)
        while True:
            report = self.learner()
            if report["learned"] >= judged and report["guard"]["counts"] > 0:
                return report
            if time.monotonic() > deadline:
                raise SystemExit(f"the bandit has not learned: {json.dumps(report)[:2000]}")
            time.sleep(0.5)

    def _send(self, path: str, body: str | None, key: str) -> Any:
        request = urllib.request.Request(
            self.address + path,
            body.encode() if body else None,
            {"content-type": "application/json", "authorization": f"Bearer {key}"},
        )
        return urllib.request.urlopen(request, timeout=30)
