"""Holds thousands of connections open, and measures what an honest client notices.

    python -m experiments.attack.connections [URL] [--count 5000] [--seconds 20]

Without a URL, it starts a service of its own. The holders run in a process of their own and open
each connection again as soon as the service closes it. The honest client opens a new connection for
each request, because a connection from before the attack would prove little.
"""

import argparse
import asyncio
import json
import multiprocessing
import resource
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from urllib.parse import urlsplit

import aiohttp
import numpy as np

from experiments.served import service

CHAT = (
    b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
)
LIVE = b"GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n"
# What each kind of holder sends first, and then once a second.
KINDS: dict[str, tuple[bytes, bytes]] = {
    "silent": (b"", b""),
    "half a header": (CHAT, b"x-a: b\r\n"),
    "slow body": (CHAT + b"content-length: 50000\r\n\r\n{", b" "),
    "slow large body": (CHAT + b"content-length: 500000\r\n\r\n{" + b" " * 100_000, b" "),
    "idle after an answer": (LIVE, b""),
}
# A holder that opens connections faster than this is a flood of requests, which is another attack.
_MOST_AT_ONCE = 100
_PAUSE_SECONDS = 0.1
PROMPT = 'One customer: {"name": "string", "age": "int 18..90"}'


@dataclass(frozen=True, slots=True)
class Honest:
    """What the honest client measured."""

    requests: int
    failed: int
    p50_ms: float
    p99_ms: float
    health_failed: int
    health_worst_ms: float


@dataclass(frozen=True, slots=True)
class Held:
    """What became of the connections that were held."""

    most_at_once: int
    closed: int
    longest_seconds: float  # of those that the service closed; of the open ones if it closed none


@dataclass(frozen=True, slots=True)
class Outcome:
    kind: str
    before: Honest
    during: Honest
    held: Held

    @property
    def ratio(self) -> float:
        return self.during.p99_ms / self.before.p99_ms


class _Holder(asyncio.Protocol):
    """One connection that is never finished."""

    def __init__(self, hold: "_Hold") -> None:
        self._hold = hold

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport, self._opened = transport, time.monotonic()
        self._hold.open[self] = self._opened
        transport.write(self._hold.first)

    def drip(self) -> None:
        self._transport.write(self._hold.then)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        del self._hold.open[self]
        self._hold.lifetimes.append(time.monotonic() - self._opened)


class _Hold:
    """Keeps `count` connections of one kind open, until told to report."""

    def __init__(self, host: str, port: int, kind: str, count: int) -> None:
        self._place = (host, port)
        self._count = count
        self.first, self.then = KINDS[kind]
        self.open: dict[_Holder, float] = {}
        self.lifetimes: list[float] = []
        self._most = 0

    async def until_asked(self, parent: Connection) -> Held:
        loop = asyncio.get_running_loop()
        ready = False
        while not parent.poll():
            begun = time.monotonic()
            missing = min(self._count - len(self.open), _MOST_AT_ONCE)
            opening = [
                loop.create_connection(lambda: _Holder(self), *self._place) for _ in range(missing)
            ]
            await asyncio.wait_for(asyncio.gather(*opening, return_exceptions=True), 30)
            self._most = max(self._most, len(self.open))
            if not ready and (missing == 0 or self.lifetimes):
                parent.send("ready")
                ready = True
            if missing == 0 and self.then:
                for holder in list(self.open):
                    holder.drip()
            await asyncio.sleep(
                max(0.0, (1.0 if missing == 0 else 0.05) - time.monotonic() + begun)
            )
        now = time.monotonic()
        lasted = self.lifetimes or [now - opened for opened in self.open.values()]
        return Held(self._most, len(self.lifetimes), round(max(lasted, default=0.0), 1))


def _hold(parent: Connection, host: str, port: int, kind: str, count: int) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    parent.send(asyncio.run(_Hold(host, port, kind, count).until_asked(parent)))


@contextmanager
def held(url: str, kind: str, count: int) -> Iterator[Connection]:
    """Hold connections in another process; yield the pipe on which it reports when asked."""
    place = urlsplit(url)
    ours, theirs = multiprocessing.Pipe()
    arguments = (theirs, place.hostname, place.port, kind, count)
    process = multiprocessing.get_context("spawn").Process(target=_hold, args=arguments)
    process.start()
    try:
        ours.poll(60)
        yield ours
    finally:
        process.kill()
        process.join()


async def honest(url: str, seconds: float) -> Honest:
    """Send request after request, each over a new connection, and a health check with each."""
    body = {"model": "auto", "messages": [{"role": "user", "content": PROMPT}]}
    millis: list[float] = []
    health: list[float] = []
    failed = health_failed = 0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for path, times in (("/v1/chat/completions", millis), ("/health/live", health)):
            begun = time.monotonic()
            try:
                async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(15)) as session:
                    sent = body if times is millis else None
                    async with session.request(
                        "POST" if sent else "GET", url + path, json=sent
                    ) as answer:
                        await answer.read()
                        good = answer.status == 200
            except (aiohttp.ClientError, TimeoutError):
                good = False
            times.append((time.monotonic() - begun) * 1000)
            failed += times is millis and not good
            health_failed += times is health and not good
    p50, p99 = np.percentile(millis, (50, 99))
    rounded = (round(float(value), 1) for value in (p50, p99, max(health)))
    p50_ms, p99_ms, worst = rounded
    return Honest(len(millis), failed, p50_ms, p99_ms, health_failed, worst)


def attack(url: str, kind: str, count: int, seconds: float) -> Outcome:
    """Measure an honest client before the attack and during it."""
    before = asyncio.run(honest(url, seconds))
    with held(url, kind, count) as holders:
        during = asyncio.run(honest(url, seconds))
        while holders.poll():
            holders.recv()  # that it is ready
        holders.send("report")
        report: Held = holders.recv()
    return Outcome(kind, before, during, report)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", nargs="?")
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--kind", choices=KINDS, action="append")
    options = parser.parse_args()
    with ExitStack() as stack:
        url = options.url or stack.enter_context(service())[0]
        for kind in options.kind or KINDS:
            outcome = attack(url, kind, options.count, options.seconds)
            print(f"{kind}: p99 x{outcome.ratio:.2f}", json.dumps(asdict(outcome)), flush=True)


if __name__ == "__main__":
    main()
