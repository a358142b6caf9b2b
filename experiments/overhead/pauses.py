"""Measures how long Python's garbage collector stops a router that answers requests.

    python -m experiments.overhead.pauses [--requests 6000]

A whole router answers in this process, with the bandit and the journal of the service, before a
backend that answers at once. Each conversation is new, so the router remembers all of them.
"""

import argparse
import asyncio
import gc
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from router.calls.attempts import Attempts
from router.calls.hop import Hops
from router.calls.outcome import CallOutcome
from router.deployment.replicas import garbage
from router.domain import Attempt, Call, Usage
from router.wire.asgi import Message
from tests.rig import Rig, rig

YAML = """
backends:
  quick: {kind: openai, base_url: "http://127.0.0.1:1/v1"}
  other: {kind: openai, base_url: "http://127.0.0.1:1/v1"}
plans: {fast: {ask: quick}, second: {ask: other}}
objective: {strategy: ladder}
"""
_ANSWER = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": "quick",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Paris."},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 12, "completion_tokens": 2, "total_tokens": 14},
    }
).encode()
_PYTHONS = (700, 10, 10)
_BEFORE = (50_000, 20, 50)  # what every replica had before, frozen before it had loaded its parts


class Instant(Attempts):
    """Answers every call at once."""

    async def try_once(self, backend: str, call: Call, *, patience: float) -> CallOutcome:  # noqa: ARG002
        attempt = Attempt(backend, 200, "", "answered", 1e-5, 1e-5)
        return CallOutcome(attempt, _ANSWER, usage=Usage(12, 2))


@contextmanager
def pauses() -> Iterator[list[tuple[int, float]]]:
    """The generation and the milliseconds of each run of the collector in this context."""
    seen: list[tuple[int, float]] = []
    begun = 0.0

    def watch(phase: str, info: dict[str, int]) -> None:
        nonlocal begun
        if phase == "start":
            begun = time.thread_time()
        else:
            seen.append((info["generation"], 1000 * (time.thread_time() - begun)))

    gc.callbacks.append(watch)
    try:
        yield seen
    finally:
        gc.callbacks.remove(watch)


async def answered(waggle: Rig, number: int) -> None:
    """One request, through the application alone."""
    content = f"Conversation {number}: what is the capital of France?"
    fields = {"model": "auto", "messages": [{"role": "user", "content": content}]}
    body = json.dumps(fields).encode()
    headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
    path = "/v1/chat/completions"
    scope = {"type": "http", "method": "POST", "path": path, "http_version": "1.1"}
    statuses: list[int] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        statuses.append(message.get("status", 0))

    headers.append((b"content-length", str(len(body)).encode()))
    await waggle.router.app({**scope, "headers": headers}, receive, send)
    assert statuses[0] == 200, statuses


def worst(seen: list[tuple[int, float]]) -> dict[str, Any]:
    return {
        "longest_ms": round(max((ms for _, ms in seen), default=0.0), 2),
        "total_ms": round(sum(ms for _, ms in seen), 1),
        "runs": [sum(generation == n for generation, _ in seen) for n in range(3)],
    }


async def measure(requests: int) -> dict[str, Any]:
    result: dict[str, Any] = {"requests": requests}
    async with rig(YAML) as waggle:
        waggle.engine.tries.attempts = Instant(waggle.backends, Hops("unused"))
        for name in ("python", "before", "now"):
            for number in range(200):  # the first requests load what later ones need
                await answered(waggle, -number)
            waggle.journal.traces.clear()
            gc.unfreeze()
            gc.collect()
            if name == "now":
                garbage.settle_garbage()
            else:
                gc.set_threshold(*(_PYTHONS if name == "python" else _BEFORE))
            with pauses() as seen:
                for number in range(requests):
                    await answered(waggle, number)
                    waggle.journal.traces.clear()  # the service's journal keeps no trace
            result[name] = worst(seen)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=6000)
    result = asyncio.run(measure(parser.parse_args().requests))
    text = json.dumps(result, indent=2)
    (Path(__file__).parent / "pauses.json").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
