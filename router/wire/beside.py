"""Runs work on a long body in a thread beside the event loop, so that other requests need not wait.

Not covered: one long call into C that keeps the interpreter's lock; other requests wait for its
end. Whoever works on a huge body works in pieces, as `router.request.json_body` does.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

LONG_BYTES = 16_384  # a thread costs more time than work on a shorter body
HUGE_BYTES = 2**20

_Outcome = TypeVar("_Outcome")
# Two threads, because the event loop takes turns with all of them. Huge bodies have a thread of
# their own, so that many of them at once keep only each other waiting.
_threads = ThreadPoolExecutor(2, thread_name_prefix="long-bodies")
_huge = ThreadPoolExecutor(1, thread_name_prefix="huge-bodies")


async def beside(size_bytes: int, work: Callable[[], _Outcome]) -> _Outcome:
    """The outcome of some work; work on a long body runs in a thread."""
    if size_bytes <= LONG_BYTES:
        return work()
    threads = _threads if size_bytes <= HUGE_BYTES else _huge
    return await asyncio.get_running_loop().run_in_executor(threads, work)
