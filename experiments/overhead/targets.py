"""The programs that are measured beside Waggle: a bare Serve app, and three gateways by others.

Each gateway is installed once, at a pinned version, into a folder of its own below var/bench, from
PyPI or npm. Each runs as its command starts it, with no cache and no log of requests.
"""

import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from experiments.overhead.service import BUILD

HERE = Path(__file__).parent
_LITELLM = "litellm[proxy]==1.108.7"
_FERRO = "ferrogw==1.5.10"
# With the newest server of Hono that it allows, this gateway answers every stream by an error.
_PORTKEY = {
    "private": True,
    "dependencies": {"@portkey-ai/gateway": "1.15.2"},
    "overrides": {"@hono/node-server": "1.13.8"},
}


@dataclass(frozen=True, slots=True)
class Launch:
    """How a program is started, and what a request to it needs."""

    command: Sequence[object]
    environment: Mapping[str, str] = field(default_factory=dict)
    headers: Sequence[str] = ()
    model: str = "auto"


def bare(port: int, upstream: int, folder: Path) -> Launch:
    return Launch([sys.executable, HERE / "bare.py", port, upstream, folder])


def litellm(port: int, upstream: int, folder: Path) -> Launch:
    """Python; one worker, as the command starts it."""
    model = {
        "model": "openai/mock",
        "api_base": f"http://127.0.0.1:{upstream}/v1",
        "api_key": "x",
    }
    config = folder / "litellm.yaml"
    config.write_text(json.dumps({"model_list": [{"model_name": "auto", "litellm_params": model}]}))
    key = "sk-" + secrets.token_hex(32)
    program = _installed_by_pip("litellm", _LITELLM) / "litellm"
    command = [program, "--config", config, "--port", port, "--host", "127.0.0.1"]
    return Launch(
        [*command, "--num_workers", 1, "--telemetry", "False"],
        {"HOME": str(folder), "LITELLM_MASTER_KEY": key},
        [f"authorization: Bearer {key}"],
    )


def ferro(port: int, upstream: int, folder: Path) -> Launch:
    """Go. By default it lets twenty requests a second through; here, as many as come."""
    config = folder / "ferro.yaml"
    config.write_text("strategy: {mode: single}\ntargets: [{virtual_key: openai}]\n")
    key = "fgw_" + secrets.token_hex(16)
    return Launch(
        [_installed_by_pip("ferro", _FERRO) / "ferrogw", "serve"],
        {
            "PORT": str(port),
            "GATEWAY_CONFIG": str(config),
            "MASTER_KEY": key,
            "OPENAI_API_KEY": "x",
            "OPENAI_BASE_URL": f"http://127.0.0.1:{upstream}",
            "RATE_LIMIT_RPS": "1000000",
            "RATE_LIMIT_BURST": "1000000",
            "LOG_LEVEL": "error",
        },
        [f"authorization: Bearer {key}"],
        "gpt-4o-mini",
    )


def portkey(port: int, upstream: int, folder: Path) -> Launch:
    """JavaScript. A module that is loaded before keeps its server to loopback."""
    home = BUILD / "portkey"
    program = home / "node_modules" / "@portkey-ai" / "gateway" / "build" / "start-server.js"
    wanted = json.dumps(_PORTKEY)
    if not program.exists() or (home / "package.json").read_text() != wanted:
        home.mkdir(parents=True, exist_ok=True)
        (home / "package.json").write_text(wanted)
        install = ["npm", "install", "--prefix", str(home), "--ignore-scripts", "--silent"]
        subprocess.run([*install, "--no-audit", "--no-fund"], check=True)
    loopback = folder / "loopback.cjs"
    loopback.write_text(
        "const {Server} = require('node:net');\n"
        "const listen = Server.prototype.listen;\n"
        "Server.prototype.listen = function (port, ...rest) {\n"
        "  const after = rest.filter((it) => typeof it === 'function');\n"
        "  return listen.call(this, port, '127.0.0.1', ...after);\n};\n"
    )
    return Launch(
        ["node", "--require", loopback, program, f"--port={port}", "--headless"],
        {},
        [
            "authorization: Bearer x",
            "x-portkey-provider: openai",
            f"x-portkey-custom-host: http://127.0.0.1:{upstream}/v1",
        ],
    )


def _installed_by_pip(name: str, requirement: str) -> Path:
    """The folder of the programs of a package, in an environment of its own."""
    home = BUILD / name
    stamp = home / "installed"
    if not stamp.exists() or stamp.read_text() != requirement:
        shutil.rmtree(home, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        pip = str(home / "bin" / "pip")
        subprocess.run([pip, "install", "--quiet", requirement], check=True)
        stamp.write_text(requirement)
    return home / "bin"


Launcher = Callable[[int, int, Path], Launch]
PEERS: dict[str, Launcher] = {"ferro": ferro, "portkey": portkey, "litellm": litellm}


class Program:
    """A started program that is no Waggle."""

    def __init__(self, name: str, launch: Launch, port: int, folder: Path) -> None:
        self.name = name
        self.port = port
        self.headers = list(launch.headers)
        self.model = launch.model
        self.log = folder / f"{name}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                list(map(str, launch.command)),
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd=folder,
                env={**os.environ, **launch.environment},
            )

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
