"""The collector looks at all of a router's objects only while the router answers nobody."""

import asyncio
import contextlib
import gc

from router.deployment.replicas.garbage import keep_collecting
from tests.waiting import until


def whole_looks() -> int:
    return gc.get_stats()[2]["collections"]


async def test_all_objects_are_looked_at_only_while_no_request_runs():
    running, asks = 1, 0

    def now() -> int:
        nonlocal asks
        asks += 1
        return running

    gc.disable()  # so that nothing but the loop collects
    before = whole_looks()
    task = asyncio.ensure_future(keep_collecting(now, seconds=0.0))
    try:
        await until(lambda: asks > 2)
        assert whole_looks() == before
        running = 0
        await until(lambda: whole_looks() > before)
    finally:
        gc.enable()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
