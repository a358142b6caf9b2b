"""Starts Waggle, a bare Serve app and LiteLLM's proxy side by side before one fake model server.

Each program logs to its own file in the folder of the bench. LiteLLM is installed into its own
virtual environment.
"""

import argparse
import json
import os
import secrets
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from experiments.served import WAGGLE
from router.deployment.ray_environment import free_ports

HERE = Path(__file__).parent
BUILD = HERE.parent.parent / "var" / "bench"
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
    """The programs under test, with their ports and keys."""

    def __init__(self, arguments: argparse.Namespace, folder: Path) -> None:
        self.arguments = arguments
        self.folder = folder
        self.up0, self.up50, self.bare, self.waggle, self.litellm = free_ports(5)
        self.key = ""
        self.litellm_key = "sk-" + secrets.token_hex(32)
        self.started: dict[str, subprocess.Popen[bytes]] = {}

    def start(
        self, name: str, command: list[object], env: dict[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("wb") as log:
            self.started[name] = subprocess.Popen(
                list(map(str, command)), stdout=log, stderr=log, cwd=self.folder, env=env
            )
        return self.started[name]

    def build(self) -> None:
        BUILD.mkdir(parents=True, exist_ok=True)
        for name in ("upstream", "loader"):
            source = HERE / f"{name}.c"
            subprocess.run(["cc", "-O2", "-o", str(BUILD / name), str(source)], check=True)

    def start_all(self) -> None:
        self.start("upstream", [BUILD / "upstream", f"{self.up0}:0", f"{self.up50}:50"])
        self.write_config(price=1)
        command = [str(WAGGLE), "keys", "new", "bench", "-c", str(self.config)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        self.key = done.stdout.strip()
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
            pip = str(home / "bin" / "pip")
            subprocess.run([pip, "install", "--quiet", "litellm[proxy]"], check=True)
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
        deadline = time.monotonic() + seconds
        while True:
            try:
                self.ask(port)
                return
            except OSError:
                if time.monotonic() > deadline:
                    logs = {n: (self.folder / f"{n}.log").read_text()[-1500:] for n in self.started}
                    raise SystemExit(f"nothing answers on {port}: {logs}") from None
                time.sleep(0.2)

    def ask(self, port: int, model: str = "auto") -> dict[str, Any]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}{CHAT}",
            json.dumps({**BODY, "model": model}).encode(),
            {
                "content-type": "application/json",
                "authorization": f"Bearer {self.key_for(port)}",
            },
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            answer: dict[str, Any] = json.loads(response.read())
        return answer

    def key_for(self, port: int) -> str:
        return self.litellm_key if port == self.litellm else self.key

    def load(self, target: str, kind: str, seconds: float) -> subprocess.Popen[str]:
        delay, streaming, connections = KINDS[kind]
        direct = self.up50 if delay else self.up0
        port = direct if target == "direct" else getattr(self, target)
        body = BODY | {"model": "slow-plan" if delay else "auto", "stream": streaming}
        if not streaming:
            del body["stream"]
        path = self.folder / f"body-{delay}-{streaming}.json"
        path.write_text(json.dumps(body))
        header = f"authorization: Bearer {self.key_for(port)}"
        command = [BUILD / "loader", port, CHAT, connections, seconds, path, header]
        return subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)

    def measure(self, target: str, kind: str) -> dict[str, Any]:
        with self.load(target, kind, self.arguments.seconds) as loader:
            measured: dict[str, Any] = json.loads(loader.communicate()[0])
        return measured
