"""Runs the work of a backend in threads, within bounds, and ends it when its caller leaves.

A replica's event loop stays free for other calls. Small work does not wait for large work: work
begins in the quick threads, and moves to the slow threads if it turns out to be large. What is
computed in one call of a C library is not interrupted.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

import orjson

from router.domain import Fault
from router.records.effort import Effort, Overspent

T = TypeVar("T")

QUICK_STEPS = 2_000  # about a fifth of a second
_AT_ONCE = 2  # more threads would only share the interpreter's lock
_SLICE_SECONDS = 0.05


class Work:
    """The threads of one backend."""

    def __init__(self, *, mend: str) -> None:
        self._mend = mend  # what a caller can do whose work has too many steps
        self._quick = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="quick")
        self._slow = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="slow")
        self._running: set[Effort] = set()

    def close(self) -> None:
        for effort in self._running:
            effort.abandoned = True
        self._quick.shutdown(wait=False, cancel_futures=True)
        self._slow.shutdown(wait=False, cancel_futures=True)

    async def result(self, work: Callable[[], T], *, most: int, quick: bool = True) -> T:
        """The result of a function. It may run twice, so it must change nothing."""
        if quick:
            with suppress(Overspent):
                return await self._in(self._quick, work, Effort(min(most, QUICK_STEPS)))
        return await self._last(self._slow, work, Effort(most))

    async def pieces(
        self, pieces: Iterator[str], *, most: int, quick: bool = True
    ) -> AsyncIterator[str]:
        """The pieces of a text, as they are made; nothing is made while the reader is slow."""
        effort, end = Effort(most), False

        def part() -> list[str]:
            nonlocal end
            made: list[str] = []
            until = time.monotonic() + _SLICE_SECONDS
            for piece in pieces:
                made.append(piece)
                if time.monotonic() > until:
                    return made
            end = True
            return made

        executor: Executor = self._quick if quick else self._slow
        while not end:
            for piece in await self._last(executor, part, effort):
                yield piece
            executor = self._slow

    async def _last(self, executor: Executor, work: Callable[[], T], effort: Effort) -> T:
        """Do the work where its bound is the bound of the request."""
        try:
            return await self._in(executor, work, effort)
        except Overspent as much:
            detail = f"This request is too large: {much}. {self._mend}"
            raise Fault("bad_request", detail) from None

    async def _in(self, executor: Executor, work: Callable[[], T], effort: Effort) -> T:
        def counted() -> T:
            with effort.counted():
                effort.spend(0)  # the caller may have left while the work waited
                return work()

        self._running.add(effort)
        try:
            return await asyncio.get_running_loop().run_in_executor(executor, counted)
        except asyncio.CancelledError:
            effort.abandoned = True
            raise
        except RecursionError:
            raise Fault("bad_request", "The request is nested too deeply: flatten it") from None
        except (ArithmeticError, orjson.JSONEncodeError) as error:
            detail = f"The request holds a value that cannot be worked with ({error})"
            raise Fault("bad_request", f"{detail}: use smaller numbers, less nested") from None
        finally:
            self._running.discard(effort)
