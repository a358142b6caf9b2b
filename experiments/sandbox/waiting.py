"""Measures how long a routing function can make a request wait, and whom a busy machine blames."""

import asyncio
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox.function import CallHeldUp, Function, FunctionFailed
from sandbox.pool import Pool

DEADLINE_SECONDS = 0.005
_HOGS_A_PROCESSOR = 4
_FORGED = (
    "    at = sys._getframe(1).f_locals['number']\n    os.write(3, struct.pack('<IQ', 60000, at))\n"
)
HOSTILE = {
    "sleeps": "    time.sleep(60)",
    "sleeps a little too long": "    time.sleep(0.0052)",
    "computes for ever": "    while True: pass",
    "sends its answer in drops": f"{_FORGED}    while os.write(3, b' '): time.sleep(0.0009)",
}


async def longest_waits(pool: Pool, count: int, advance: Callable[[], None]) -> dict[str, Any]:
    """The longest of `count` calls that hostile functions let wait. `queued`: without the time for
    which this process itself had no processor, which on a shared machine is not the function's."""
    waits, unqueued = [], []
    for n in range(count):
        body = list(HOSTILE.values())[n % len(HOSTILE)]
        function = Function(pool, f"import os, struct, sys, time\ndef route():\n{body}")
        await function.open()
        queued, begun = _queued_ms(), time.perf_counter()
        try:
            function.call(seconds=DEADLINE_SECONDS)
        except FunctionFailed:
            waits.append(1000 * (time.perf_counter() - begun))
            unqueued.append(waits[-1] - (_queued_ms() - queued))
        function.close()
        await asyncio.sleep(0)
        advance()
    return {
        "late_calls": len(waits),
        "deadline_ms": 1000 * DEADLINE_SECONDS,
        **_summary("", waits),
        **_summary("unqueued_", unqueued),
    }


async def blamed(
    pool: Pool, source: str, arguments: Sequence[Any], count: int, advance: Callable[[], None]
) -> dict[str, int]:
    """How calls of a good function end on a machine with four times too much work."""
    endings: Counter[str] = Counter()
    function = Function(pool, source)
    await function.open()
    with _busy():
        for _ in range(count):
            try:
                function.call(*arguments, seconds=DEADLINE_SECONDS)
                endings["answered"] += 1
            except CallHeldUp:
                endings["held_up"] += 1
                await asyncio.sleep(0.001)
            except FunctionFailed:
                endings["blamed"] += 1
                await function.ready()
            await asyncio.sleep(0)
            advance()
    function.close()
    return {ending: endings[ending] for ending in ("answered", "held_up", "blamed")}


@contextmanager
def _busy() -> Iterator[None]:
    count = _HOGS_A_PROCESSOR * (os.cpu_count() or 1)
    hogs = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()


def _queued_ms() -> float:
    """For how long this thread was ready to run and had no processor."""
    return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e6


def _summary(prefix: str, waits: list[float]) -> dict[str, float]:
    waits.sort()
    return {
        f"{prefix}p50_ms": waits[len(waits) // 2],
        f"{prefix}p999_ms": waits[int(0.999 * len(waits))],
        f"{prefix}longest_ms": waits[-1],
    }
