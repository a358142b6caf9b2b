"""Finds out how well this machine can isolate a program, by trying each level.

Level 3: namespaces, Landlock and the system call filter. Level 2: Landlock and the filter. Level 1:
the filter alone. A level holds if a zygote starts with these locks and every attempt of the
self-test ends as expected. If no level holds, no program runs.
"""

import contextlib
import platform
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sandbox.cell import lockdown, seccomp
from sandbox.pool import Pool
from sandbox.runner import LIMITS, Limits, Program, Run, RunRefused
from sandbox.supervisor.nursery import Nursery

LEVEL_NAMES = {
    3: "namespaces, Landlock and a system call filter",
    2: "Landlock and a system call filter",
    1: "a system call filter",
    0: "none: programs are refused",
}
_HELD: set[int] = set()  # levels whose self-test ended as expected in this process
_ENDLESS = "while True: pass"
_ENDLESS_LIMITS = Limits(wall_seconds=0.5)
_OTHER_LIMITS = Limits(wall_seconds=60.0)  # they end by themselves, late on a busy machine


@dataclass(frozen=True, slots=True)
class LevelVerdict:
    """Whether a level holds on this machine, and why or why not."""

    level: int
    holds: bool
    why: str


def _fails_with(*words: str) -> Callable[[Run], bool]:
    return lambda run: run.status == "error" and any(word in run.error for word in words)


# What the program does, its source, and whether its run ended as expected.
_SELF_TEST: tuple[tuple[str, str, Callable[[Run], bool]], ...] = (
    ("it computes", "result = sum(range(10))", lambda run: run.ok and run.result == 45),
    (
        "it opens a file",
        "import os; os.open('/etc/hostname', os.O_RDONLY)",
        _fails_with("PermissionError"),
    ),
    (
        "it lists a folder",
        "import posix; posix.listdir('/')",
        _fails_with("PermissionError"),
    ),
    (
        "it opens a socket",
        "import socket; socket.socket()",
        _fails_with("PermissionError"),
    ),
    ("it forks", "import os; os.fork()", _fails_with("BlockingIOError")),
    (
        "it signals its parent",
        "import os; os.kill(os.getppid(), 0)",
        _fails_with("PermissionError"),
    ),
    (
        "it maps code",
        "import mmap; mmap.mmap(-1, 4096, prot=mmap.PROT_EXEC | mmap.PROT_READ)",
        _fails_with("PermissionError"),
    ),
    (
        "it makes a system call that no computation makes",
        "import ctypes; ctypes.CDLL(None).unshare(0x10000000)",
        lambda run: run.status == "violation",
    ),
    ("it takes too much memory", "bytearray(1 << 40)", lambda run: run.status == "memory_limit"),
    ("it never ends", _ENDLESS, lambda run: run.status in ("timeout", "starved")),
)


async def try_level(level: int) -> LevelVerdict:
    """Start a pool at this level, and run the self-test in it."""
    nursery = Nursery()
    try:
        return await _tried(level, nursery)
    finally:
        await nursery.close()


async def _tried(level: int, nursery: Nursery) -> LevelVerdict:
    missing = _missing(level)
    if missing:
        return LevelVerdict(level, False, missing)
    pool = Pool(level, at_once=1, nursery=nursery)
    try:
        await pool.start(("stdlib",))
        for attempt, source, as_expected in _SELF_TEST:
            limits = _ENDLESS_LIMITS if source == _ENDLESS else _OTHER_LIMITS
            run = await pool.run(Program(source), limits)
            if not as_expected(run):
                ended = f"{run.status} {run.error}".strip()
                return LevelVerdict(level, False, f"the self-test failed where {attempt}: {ended}")
    except RunRefused as refused:
        return LevelVerdict(level, False, str(refused).partition(": ")[2])
    finally:
        with contextlib.suppress(ProcessLookupError):
            await pool.end_zygotes()
    return LevelVerdict(level, True, f"{len(_SELF_TEST)} attempts ended as they should")


def _missing(level: int) -> str:
    """What this machine lacks for the level, or "" if nothing is missing."""
    if sys.platform != "linux":
        return f"{platform.system()} cannot lock a process as Linux does"
    if not seccomp.SUPPORTED:
        return f"no system call table for {seccomp.MACHINE}"
    if not seccomp.available():
        return "the kernel accepts no system call filter here"
    if level >= 2 and not lockdown.landlock_version():
        return "the kernel has no Landlock, or it is not enabled (lsm=...,landlock)"
    return ""


async def best_level(*, at_least: int = 1, at_most: int = 3) -> tuple[int, list[LevelVerdict]]:
    """The highest level that holds (0 if none does), and a verdict on each level that was tried."""
    nursery = Nursery()
    try:
        return await _best_level(range(at_most, max(at_least, 1) - 1, -1), nursery)
    finally:
        await nursery.close()


async def _best_level(levels: Iterable[int], nursery: Nursery) -> tuple[int, list[LevelVerdict]]:
    verdicts = []
    for level in levels:
        verdicts.append(await _tried(level, nursery))
        if verdicts[-1].holds:
            return level, verdicts
    return 0, verdicts


async def open_pool(
    *, min_level: int, limits: Limits = LIMITS, at_once: int | None = None, queue: int = 64
) -> Pool:
    """Open a pool at the best level. Raises `RunRefused` if that level is below `min_level`.

    A self-test takes half a second of a core. Later pools of a process rely on the level that its
    first pool found: a zygote that cannot lock itself at this level is refused in any case.
    """
    nursery = Nursery()
    try:
        level = max(
            (level for level in _HELD if level >= min_level and not _missing(level)), default=0
        )
        if not level:
            level, verdicts = await _best_level(range(3, max(min_level, 1) - 1, -1), nursery)
            if not level:
                raise RunRefused(refusal(min_level, verdicts))
            _HELD.add(level)
    except BaseException:
        await nursery.close()
        raise
    return Pool(level, limits=limits, at_once=at_once, queue=queue, nursery=nursery)


def refusal(min_level: int, verdicts: list[LevelVerdict]) -> str:
    reasons = "; ".join(f"level {v.level}: {v.why}" for v in verdicts)
    return (
        f"programs are not run here: level {min_level} of isolation ({LEVEL_NAMES[min_level]}) is "
        f"required, and this machine cannot give it. {reasons}"
    )
