"""Runs work on a long body in a thread beside the event loop, so that other requests need not wait.

Not covered: one long call into C that keeps the interpreter's lock, such as parsing 8 MB of JSON;
other requests wait for its end.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

LONG_BYTES = 16_384  # a thread costs more time than work on a shorter body

_Outcome = TypeVar("_Outcome")
# Two threads, because the event loop takes turns with all of them.
_threads = ThreadPoolExecutor(2, thread_name_prefix="long-bodies")


async def beside(size_bytes: int, work: Callable[[], _Outcome]) -> _Outcome:
    """The outcome of some work; work on a long body runs in a thread."""
    if size_bytes <= LONG_BYTES:
        return work()
    return await asyncio.get_running_loop().run_in_executor(_threads, work)
