"""The two ends of the hop, as two programs: a replica, and a router that calls it.

    ends.py replica UPSTREAM_PORT          prints the replica's address, and serves until killed
    ends.py router ADDRESS REPLICA_PID     for each line `CALLS_AT_ONCE SECONDS STREAM` that it
                                           reads, prints what the calls took, as JSON

Both programs import `router` from PYTHONPATH, so that one script measures two versions.
"""

import asyncio
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import uvloop

from router.api.assemble import hosted_backends
from router.calls.attempts import Attempts
from router.calls.hop import Hops
from router.config.config import Config
from router.domain import CHAT, Call

TOKEN = "t" * 43
BODY: dict[str, Any] = {
    "model": "auto",
    "messages": [
        {"role": "system", "content": "You are a helpful assistant that answers briefly."},
        {"role": "user", "content": "What is the capital of France? Answer in one word."},
    ],
    "temperature": 0.7,
    "max_tokens": 100,
}


class Fixed:
    """A directory of one replica."""

    def __init__(self, address: str) -> None:
        self._addresses = (address,)

    def addresses(self, backend: str) -> tuple[str, ...]:  # noqa: ARG002
        return self._addresses


async def replica(port: int) -> None:
    backend = {"kind": "openai", "base_url": f"http://127.0.0.1:{port}/v1", "concurrency": 256}
    config = Config.model_validate({"backends": {"a": backend}, "plans": {"p": {"ask": "a"}}})
    async with hosted_backends(config, token=TOKEN, read_secret=_no_secret) as hosted:
        print(hosted.addresses("a")[0], flush=True)
        await asyncio.Event().wait()


async def router(address: str, replica_pid: int) -> None:
    attempts = Attempts(Fixed(address), Hops(TOKEN))
    while line := (await asyncio.to_thread(sys.stdin.readline)).split():
        at_once, seconds, streams = int(line[0]), float(line[1]), line[2] == "1"
        load = Load(attempts, streams=streams)
        await load.run(at_once, 0.1)  # connects, and warms up
        load = Load(attempts, streams=streams)
        spent, replica_spent = time.process_time(), _cpu(replica_pid)
        lasted = await load.run(at_once, seconds)
        spent, replica_spent = time.process_time() - spent, _cpu(replica_pid) - replica_spent
        calls = len(load.times)
        measured = {
            "calls_per_second": calls / lasted,
            "p50_us": 1e6 * statistics.median(load.times),
            "p99_us": 1e6 * statistics.quantiles(load.times, n=100)[98],
            "router_us": 1e6 * spent / calls,
            "replica_us": 1e6 * replica_spent / calls,
        }
        print(json.dumps(measured), flush=True)


class Load:
    """Calls, so many at once, and how long each took."""

    def __init__(self, attempts: Attempts, *, streams: bool) -> None:
        self.times: list[float] = []
        self._attempts, self._streams = attempts, streams
        self._body = json.dumps(BODY | ({"stream": True} if streams else {})).encode()

    async def run(self, at_once: int, seconds: float) -> float:
        begun = time.perf_counter()
        await asyncio.gather(*(self._calls(begun + seconds) for _ in range(at_once)))
        return time.perf_counter() - begun

    async def _calls(self, until: float) -> None:
        while time.perf_counter() < until:
            begun = time.perf_counter()
            call = Call(CHAT, self._body, self._streams, "0193a000-0000-7000-8000-000000000000")
            outcome = await self._attempts.try_once("a", call, patience=1)
            assert outcome.answered, outcome
            if outcome.stream is not None:
                async for _ in outcome.stream.pieces:
                    pass
                outcome.stream.connection.finish()
            self.times.append(time.perf_counter() - begun)


def _no_secret(reference: str) -> str:
    raise KeyError(reference)


def _cpu(pid: int) -> float:
    """The seconds of CPU that a process has spent, from the scheduler's own nanoseconds."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


if __name__ == "__main__":
    if sys.argv[1] == "replica":
        uvloop.run(replica(int(sys.argv[2])))
    else:
        uvloop.run(router(sys.argv[2], int(sys.argv[3])))
