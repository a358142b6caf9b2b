"""Keeps an untrusted function in a locked worker and calls it.

A call takes tens of microseconds, as routing functions need, and never blocks the caller for longer
than its deadline. A worker that is late by its own fault, sends nonsense, works or grows between
calls, or dies is replaced: at once the first time, later after pauses that grow, and never for the
last time. A worker that the machine made late stays, and answers again once it has caught up. A
function can return only JSON values. It may keep values from call to call.
"""

import asyncio
from typing import Any

import orjson

from sandbox.pool import Pool
from sandbox.runner import RunRefused
from sandbox.supervisor.function_worker import (
    CallHeldUp,
    CallTimedOut,
    FunctionFailed,
    FunctionWorker,
)
from sandbox.supervisor.parent import ZygoteLost
from sandbox.supervisor.terminal_text import terminal_text

__all__ = ["CallHeldUp", "CallTimedOut", "Function", "FunctionFailed", "FunctionUnavailable"]

_SETTINGS = {"kind": "function", "memory_bytes": 128 << 20, "cpu_seconds": None}
_WATCH_SECONDS = 1.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 60.0
_HEALTHY_SECONDS = 30.0  # a worker that served for so long is replaced without a pause again


class FunctionUnavailable(FunctionFailed):
    """There is no worker just now: it is being replaced."""


class Function:
    """An untrusted function: first `open` it, then `call` it. It replaces a failed worker."""

    def __init__(self, pool: Pool, source: str, name: str = "route", *, seed: int = 0) -> None:
        self._pool, self._source, self._name, self._seed = pool, source, name, seed
        self._worker: FunctionWorker | None = None
        self._calls = 0
        self._losses = 0  # workers lost, and attempts to open that failed, since all was well
        self._opened_at = 0.0
        self._trouble = ""
        self._late: CallTimedOut | None = None  # a fault that nobody who calls has heard of yet
        self._opening: asyncio.Task[None] | None = None
        self._watching: asyncio.TimerHandle | None = None

    async def open(self) -> None:
        """Load the function. Raises `FunctionFailed` if the source fails or lacks the function."""
        worker = FunctionWorker(await self._pool.order("stdlib", _SETTINGS))
        try:
            job = {"source": self._source, "name": self._name, "seed": self._seed}
            await worker.load(job)
        except OSError as error:
            worker.end()
            raise FunctionFailed(str(error)) from error
        except BaseException:  # a cancelled `open` too must leave no worker
            worker.end()
            raise
        loop = asyncio.get_running_loop()
        self._worker, self._opened_at = worker, loop.time()
        self._watching = loop.call_later(_WATCH_SECONDS, self._watch)

    def call(self, *arguments: Any, seconds: float, patience_seconds: float = 0.0) -> Any:
        """Call the function and return its value. Blocks for at most `seconds`, or, while the
        function is late only because of the machine, for `patience_seconds`."""
        worker, late, self._late = self._worker, self._late, None
        if late is not None:
            raise late
        if worker is None:
            trouble = f" because {self._trouble}" if self._trouble else ""
            raise FunctionUnavailable(
                f"functions unavailable: the function is being loaded again{trouble}"
            )
        self._calls += 1
        body = orjson.dumps({"arguments": arguments, "seed": self._seed + self._calls})
        try:
            answer = worker.call(body, seconds, patience_seconds)
        except CallHeldUp:
            raise
        except FunctionFailed as error:
            self._replace(str(error))
            raise
        except OSError as error:
            self._replace(str(error))
            raise FunctionFailed(str(error)) from error
        if answer.get("ok") is not True:
            error_text = terminal_text(str(answer.get("error"))[:500])
            if error_text.startswith("MemoryError"):  # its memory stays full
                self._replace(error_text)
            raise FunctionFailed(error_text)
        return answer.get("value")

    async def ready(self) -> None:
        """Wait until a worker is there, if one is being opened."""
        if self._opening is not None:
            await asyncio.shield(self._opening)

    def close(self) -> None:
        if self._opening is not None:
            self._opening.cancel()
        worker = self._let_go()
        if worker is not None:
            worker.end()

    def _watch(self) -> None:
        """Check the worker while nobody calls the function."""
        assert self._worker is not None
        try:
            self._worker.check()
            self._worker.check_memory()
        except CallHeldUp:
            pass
        except (FunctionFailed, OSError) as error:
            self._late = error if isinstance(error, CallTimedOut) else None
            self._replace(str(error))
            return
        self._watching = asyncio.get_running_loop().call_later(_WATCH_SECONDS, self._watch)

    def _let_go(self) -> FunctionWorker | None:
        if self._watching is not None:
            self._watching.cancel()
        worker, self._worker = self._worker, None
        return worker

    def _replace(self, trouble: str) -> None:
        loop = asyncio.get_running_loop()
        worker = self._let_go()
        if worker is not None:
            loop.call_soon(worker.end)  # after the call: the kernel may take milliseconds for it
        now = loop.time()
        self._losses = 0 if now - self._opened_at > _HEALTHY_SECONDS else self._losses + 1
        self._trouble = trouble
        self._opening = asyncio.ensure_future(self._reopen())

    async def _reopen(self) -> None:
        while self._worker is None:
            if self._losses > 1:
                await asyncio.sleep(min(_FIRST_PAUSE * 2 ** (self._losses - 2), _LONGEST_PAUSE))
            try:
                await self.open()
            except (FunctionFailed, ZygoteLost, RunRefused, OSError, TimeoutError) as error:
                self._trouble = str(error)
                self._losses += 1
