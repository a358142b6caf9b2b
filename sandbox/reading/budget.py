"""A budget of CPU time for reading one request, so that no request keeps a process busy for long.

The readers call `spend` between their patterns. Every pattern is linear or runs over few characters,
so that a reading ends soon after its budget does. The time is the thread's CPU time: a machine that
is busy with other work does not make a request harder to read.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import thread_time

_deadline: ContextVar[float] = ContextVar("deadline", default=math.inf)


class OutOfTime(Exception):
    """Reading the request takes more CPU time than the reader may spend."""


@contextmanager
def budget(cpu_seconds: float) -> Iterator[None]:
    """Let the readers in this block spend this much CPU time; then `spend` raises `OutOfTime`."""
    token = _deadline.set(thread_time() + cpu_seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


def spend() -> None:
    """Go on if the budget lasts. Raises `OutOfTime`."""
    if thread_time() > _deadline.get():
        raise OutOfTime


@contextmanager
def unspent() -> Iterator[None]:
    """Do not count the CPU time of this block."""
    begun = thread_time()
    yield
    _deadline.set(_deadline.get() + thread_time() - begun)
