"""How tests wait: until a condition holds, with one generous limit."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
_PAUSE_SECONDS = 0.02


async def until(condition: Callable[[], T | Awaitable[T]], seconds: float = 120.0) -> T:
    """Wait until the condition (a function, async or not) gives a true value; return the value."""
    give_up_at = time.monotonic() + seconds
    while True:
        result = condition()
        value = await result if inspect.isawaitable(result) else result
        if value:
            return value
        assert time.monotonic() < give_up_at, _complaint(condition, value, seconds)
        await asyncio.sleep(_PAUSE_SECONDS)


def blocking_until(condition: Callable[[], T], seconds: float = 120.0) -> T:
    """`until`, for tests without an event loop."""
    give_up_at = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < give_up_at, _complaint(condition, value, seconds)
        time.sleep(_PAUSE_SECONDS)
    return value


def _complaint(condition: Callable[[], object], value: object, seconds: float) -> str:
    line = inspect.getsource(condition).strip() if inspect.isfunction(condition) else condition
    return f"still {value!r} after {seconds:g} s: {line}"
