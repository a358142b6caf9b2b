"""The time that Waggle adds to a request of each dialect: its median, less the upstream's own.

One caller asks over one connection, and the doors take turns at each request, so that a noisy
moment disturbs all of them alike.
"""

import contextlib
import http.client
import json
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.served import WAGGLE, free_port, wait_until_ready

_KEPT = {"model": "plain", "store": True}
QUESTION = "What is the capital of France?"
CONFIG = """
server: {{port: {port}}}
dashboard: {{enabled: false}}
backends:
  plain: {{kind: openai, base_url: "http://127.0.0.1:{upstream}/v1",
           price: {{input: 1, output: 2}}}}
  both: {{kind: openai, base_url: "http://127.0.0.1:{upstream}/v1", price: {{input: 1, output: 2}},
          dialects: [chat, responses, messages]}}
plans: {{plain: {{ask: plain}}, both: {{ask: both}}}}
"""


@dataclass(frozen=True, eq=False)  # each door is itself, as a key too
class Door:
    """A way to ask: where, what, and where the upstream takes the same."""

    name: str
    path: str
    body: dict[str, Any]
    upstream: str
    stream: bool = False


def _bodies(stream: bool) -> dict[str, tuple[str, dict[str, Any]]]:
    user = [{"role": "user", "content": QUESTION}]
    more = {"stream": True} if stream else {}
    chat = {"messages": [{"role": "system", "content": "Be brief."}, *user]}
    return {
        "chat": ("/v1/chat/completions", chat | more),
        "responses": ("/v1/responses", {"instructions": "Be brief.", "input": user, "store": False}
                      | more),
        "messages": ("/v1/messages", {"system": "Be brief.", "messages": user, "max_tokens": 99}
                     | more),
    }  # fmt: skip


def doors(dialects: tuple[str, ...]) -> list[Door]:
    listed = []
    for stream in (False, True):
        bodies = _bodies(stream)
        chat = bodies["chat"][0]
        for dialect in ("chat", *dialects):
            path, body = bodies[dialect]
            listed.append(Door(dialect, path, body | {"model": "plain"}, chat, stream))
            if dialect == "responses":  # kept unless the caller says `store: false`
                listed.append(Door(f"{dialect}, kept", path, body | _KEPT, chat, stream))
            if dialect != "chat":
                passed = body | {"model": "both"}
                listed.append(Door(f"{dialect}, passed through", path, passed, path, stream))
    return listed


@contextlib.contextmanager
def running() -> Iterator[tuple[int, int]]:
    """A service and its upstream: their ports."""
    port, upstream = free_port(), free_port()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "waggle.yaml").write_text(CONFIG.format(port=port, upstream=upstream))
        model = subprocess.Popen(
            [sys.executable, "-m", "experiments.dialects.upstream", str(upstream)]
        )
        command = [str(WAGGLE), "serve", "--data", f"{folder}/var"]
        service = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
        try:
            wait_until_ready(f"http://127.0.0.1:{port}/health/ready")
            yield port, upstream
        finally:
            service.send_signal(signal.SIGINT)
            service.wait(180)
            model.kill()
            model.wait()


def _seconds(connection: http.client.HTTPConnection, path: str, body: bytes) -> float:
    began = time.perf_counter()
    connection.request("POST", path, body, {"content-type": "application/json"})
    answer = connection.getresponse()
    content = answer.read()
    seconds = time.perf_counter() - began
    if answer.status != 200:
        raise SystemExit(f"{path} answered {answer.status}: {content[:300]!r}")
    return seconds


def measure(dialects: tuple[str, ...], requests: int) -> list[dict[str, Any]]:
    listed = doors(dialects)
    seconds: dict[tuple[Door, str], list[float]] = {}
    with running() as (port, upstream), contextlib.ExitStack() as stack:
        targets = {
            name: stack.enter_context(
                contextlib.closing(http.client.HTTPConnection("127.0.0.1", number))
            )
            for name, number in (("waggle", port), ("upstream", upstream))
        }
        for turn in range(requests + requests // 5):
            for door in listed:
                body = json.dumps(door.body).encode()
                for target, connection in targets.items():
                    path = door.path if target == "waggle" else door.upstream
                    taken = _seconds(connection, path, body)
                    if turn >= requests // 5:  # the first requests only warm up
                        seconds.setdefault((door, target), []).append(taken)
    return [_row(door, listed, seconds) for door in listed]


def _row(
    door: Door, listed: list[Door], seconds: dict[tuple[Door, str], list[float]]
) -> dict[str, Any]:
    def added(of: Door) -> float:
        return statistics.median(seconds[of, "waggle"]) - statistics.median(seconds[of, "upstream"])

    chat = next(other for other in listed if other.name == "chat" and other.stream == door.stream)
    return {
        "door": door.name,
        "stream": door.stream,
        "added_ms": round(added(door) * 1000, 3),
        "times_chat": round(added(door) / added(chat), 3),
    }
