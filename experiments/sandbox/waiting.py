"""Measures how long a routing function can make a request wait, and whom a busy machine blames."""

import asyncio
import contextlib
import os
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox.function import CallHeldUp, Function, FunctionFailed
from sandbox.pool import Pool

DEADLINE_SECONDS = 0.005
_BOUND_SECONDS = 0.0055
_TICK_SECONDS = 0.004  # after which the kernel has counted what a hypervisor took
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
    """The longest of `count` calls that hostile functions let wait. `bare`: the same for waits of
    the same length for nobody, so that a delay of the machine is not taken for the function's."""
    waits, bare, stolen = [], [], 0
    with _served_first() as served_first:
        for n in range(count):
            body = list(HOSTILE.values())[n % len(HOSTILE)]
            function = Function(pool, f"import os, struct, sys, time\ndef route():\n{body}")
            await function.open()
            before, begun = _stolen(), time.perf_counter()
            with contextlib.suppress(FunctionFailed):
                function.call(seconds=DEADLINE_SECONDS)
            wait = time.perf_counter() - begun
            function.close()
            await asyncio.sleep(0)
            begun = time.perf_counter()
            time.sleep(DEADLINE_SECONDS)
            bare_wait = time.perf_counter() - begun
            time.sleep(_TICK_SECONDS)
            if _stolen() > before:
                stolen += 1
            else:
                waits.append(1000 * wait)
                bare.append(1000 * bare_wait)
            advance()
    machine = {"served_first": served_first, "stolen": stolen}
    return machine | _summary(waits) | {"bare": _summary(bare)}


def _summary(waits: list[float]) -> dict[str, float]:
    waits.sort()
    return {
        "calls": len(waits),
        "p50_ms": waits[len(waits) // 2],
        "p999_ms": waits[int(0.999 * len(waits))],
        "longest_ms": waits[-1],
        "beyond": sum(wait > 1000 * _BOUND_SECONDS for wait in waits),
    }


def _stolen() -> int:
    """How often a hypervisor took a processor away from this machine, in hundredths of a second."""
    with Path("/proc/stat").open() as counts:
        return int(counts.readline().split()[8])


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
    # Of a session each, because the kernel shares a processor out among sessions.
    endless = ["/bin/sh", "-c", "while :; do :; done"]
    hogs = [subprocess.Popen(endless, start_new_session=True) for _ in range(count)]
    try:
        yield
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()


@contextmanager
def _served_first() -> Iterator[bool]:
    """Give this thread a processor before all other programs of a busy machine, where we may: then
    a wait is the function's work and not the machine's. Workers run like everybody else."""
    try:
        first = os.SCHED_FIFO | os.SCHED_RESET_ON_FORK
        os.sched_setscheduler(0, first, os.sched_param(1))
    except PermissionError:
        yield False
        return
    try:
        yield True
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
