"""When Python's garbage collector runs in a router: never for long while somebody waits.

Among new objects it runs often, and each time briefly. Among all objects it would run for tens of
milliseconds, so it does that only in a moment in which the router answers nobody. Requests leave no
cycles behind, so such a moment may be long in coming.
"""

import asyncio
import gc
from collections.abc import Callable

YOUNG = 1_000  # new objects after which the collector looks at them
OLDER = 2  # such looks after which it looks at those that stayed, too
NEVER = 1_000_000_000
_EVERY_SECONDS = 60.0
_LOOKS_AGAIN = 0.05


def settle_garbage() -> None:
    """Leave out what was loaded by now from every later look, and take the router's own rhythm."""
    gc.freeze()
    gc.set_threshold(YOUNG, OLDER, NEVER)


async def keep_collecting(running: Callable[[], int], seconds: float = _EVERY_SECONDS) -> None:
    """Look at all objects once in a while, when no request is `running`."""
    pause = seconds
    while True:
        await asyncio.sleep(pause)
        pause = _LOOKS_AGAIN
        if not running():
            gc.collect()
            pause = seconds
