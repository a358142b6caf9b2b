"""Measures the first results after a start, what a program costs the processor, and the memory."""

import asyncio
import contextlib
import os
import resource
import statistics
import time
from pathlib import Path
from typing import Any

from router.deployment.processes import descendants
from sandbox.pool import Pool
from sandbox.runner import Program, Tier

_TICKS = os.sysconf("SC_CLK_TCK")
_FIRST: tuple[tuple[Tier, str], ...] = (
    ("stdlib", "result = 1"),
    ("numpy", "import numpy as np\nresult = np.ones(3)"),
    ("scipy", "from scipy import stats\nresult = stats.norm.cdf(1)"),
)


async def first_results(level: int) -> dict[str, Any]:
    """Time of the first program in each tier, with and without the start of the pool."""
    times: dict[str, Any] = {}
    for tier, source in _FIRST:
        from_nothing, from_ready = [], []
        for _ in range(5):
            pool = Pool(level)
            begun = time.perf_counter()
            await pool.start((tier,))
            ready = time.perf_counter()
            assert (await pool.run(Program(source))).ok
            from_nothing.append(1000 * (time.perf_counter() - begun))
            from_ready.append(1000 * (time.perf_counter() - ready))
            await pool.close()
        times[tier] = {
            "from_nothing_ms": statistics.median(from_nothing),
            "from_ready_ms": statistics.median(from_ready),
        }
    return times


async def in_a_service(level: int) -> dict[str, float]:
    """The first scipy program of a service, which starts with numpy: asked for at once, and once
    scipy was loaded in idle time. And the memory of all processes, before and after."""
    source = _FIRST[-1][1]
    at_once: list[float] = []
    later: list[float] = []
    with_numpy: list[float] = []
    with_scipy: list[float] = []
    for waits in (False, True) * 5:
        pool = Pool(level)
        await pool.start(("numpy",))
        if waits:
            await asyncio.sleep(0.5)  # the ready workers warm up
            with_numpy.append(_memory_mb())
            await pool.start(("scipy",))
            await asyncio.sleep(0.5)
            with_scipy.append(_memory_mb())
        begun = time.perf_counter()
        assert (await pool.run(Program(source))).ok
        (later if waits else at_once).append(1000 * (time.perf_counter() - begun))
        await pool.close()
    return {
        "scipy_at_once_ms": statistics.median(at_once),
        "scipy_later_ms": statistics.median(later),
        "numpy_memory_mb": statistics.median(with_numpy),
        "scipy_memory_mb": statistics.median(with_scipy),
    }


async def cpu_of_programs(pool: Pool, program: Program, count: int) -> dict[str, float]:
    """CPU milliseconds of a program when many wait: of the supervisor, and of all cells."""
    await asyncio.gather(*(pool.run(program) for _ in range(10)))
    before = _own_seconds(), _cells_seconds()
    await asyncio.gather(*(pool.run(program) for _ in range(count)))
    after = _own_seconds(), _cells_seconds()
    return {
        "supervisor_ms": 1000 * (after[0] - before[0]) / count,
        "cells_ms": 1000 * (after[1] - before[1]) / count,
    }


def _own_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _cells_seconds() -> float:
    """The CPU of the processes below this one, and of those that they have buried."""
    seconds = 0.0
    for pid in descendants(os.getpid()):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            seconds += sum(map(int, fields[11:15])) / _TICKS
    return seconds


def _memory_mb() -> float:
    """The memory (PSS) of the processes below this one."""
    total = 0.0
    for pid in descendants(os.getpid()):
        with contextlib.suppress(OSError):
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
    return total
