"""Gives free memory back to the system after large calls; the C library otherwise keeps it."""

import asyncio
import ctypes
from contextlib import suppress

_AFTER_SECONDS = 1.0  # by then, the call's own values are gone
_LARGE_BYTES = 2**20
_LONG_SECONDS = 0.5


class GiveBack:
    """One for each process; several large calls in a short time cause one return of memory."""

    def __init__(self) -> None:
        self._due: asyncio.TimerHandle | None = None

    def after_call(self, size: int, seconds: float) -> None:
        """Note a call that moved so many bytes in its body and its answer."""
        if self._due is None and (size >= _LARGE_BYTES or seconds >= _LONG_SECONDS):
            self._due = asyncio.get_running_loop().call_later(_AFTER_SECONDS, self._now)

    def _now(self) -> None:
        self._due = None
        asyncio.get_running_loop().run_in_executor(None, trim)


def trim() -> None:
    with suppress(OSError, AttributeError):  # a system without glibc
        ctypes.CDLL(None).malloc_trim(0)
