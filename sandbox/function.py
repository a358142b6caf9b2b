"""Keeps an untrusted function in a locked worker and calls it.

A call takes tens of microseconds, as routing functions need, and never blocks the caller for longer
than its deadline; a call in a thread blocks nobody, and others wait for their turn. A worker that
is late by its own fault, sends nonsense, works or grows between calls, or dies is replaced by a
spare worker that stands ready, so the next call is answered. The next spare is loaded at once the
first time, later after pauses that grow, and never for the last time. A worker that the machine
made late stays, and answers again once it has caught up. A function can return only JSON values. It
may keep values from call to call, but not when it is replaced.
"""

import asyncio
import contextlib
from collections.abc import Iterator
from concurrent.futures import Executor
from typing import Any

import orjson

from sandbox.pool import Pool
from sandbox.runner import RunRefused
from sandbox.supervisor.function_worker import (
    CallHeldUp,
    CallOverslept,
    CallTimedOut,
    FunctionFailed,
    FunctionWorker,
)
from sandbox.supervisor.parent import ZygoteLost
from sandbox.supervisor.terminal_text import terminal_text

__all__ = [
    "CallHeldUp",
    "CallOverslept",
    "CallTimedOut",
    "Function",
    "FunctionFailed",
    "FunctionUnavailable",
]

_SETTINGS = {"kind": "function", "memory_bytes": 128 << 20, "cpu_seconds": None}
_WATCH_SECONDS = 1.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 60.0
_TURNS = 4  # deadlines that a call in a thread may wait for its turn
_HEALTHY_SECONDS = 30.0  # a worker that served for so long is replaced without a pause again


_MACHINE = (ZygoteLost, RunRefused, OSError, TimeoutError, CallHeldUp)


class FunctionUnavailable(FunctionFailed):
    """There is no worker, through no fault of the function's: it is loaded, or cannot be."""


class Function:
    """An untrusted function: first `open` it, then `call` it. It replaces a failed worker."""

    def __init__(self, pool: Pool, source: str, name: str = "route", *, seed: int = 0) -> None:
        self._pool, self._source, self._name, self._seed = pool, source, name, seed
        self._worker: FunctionWorker | None = None
        self._spare: FunctionWorker | None = None
        self._calls = 0
        self._losses = 0  # workers lost, and attempts to load that failed, since all was well
        self._began_at = 0.0  # when the present worker began to answer
        self._trouble = ""
        self._late: CallTimedOut | None = None  # a fault that nobody who calls has heard of yet
        self._loading: asyncio.Task[None] | None = None
        self._closed = False
        self._watching: asyncio.TimerHandle | None = None
        self._turn = asyncio.Lock()  # of the calls in threads
        self._called: FunctionWorker | None = None  # the worker that a thread waits for

    async def open(self) -> None:
        """Load the function and its spare. Raises `FunctionFailed` if the source fails or lacks the
        function, and `FunctionUnavailable` if this machine could not load it."""
        self._closed = False
        try:
            self._begin(await self._loaded())
        except _MACHINE as error:
            raise FunctionUnavailable(f"functions unavailable: {error}") from error
        await self._load_missing_once()
        if self._spare is None:
            self._load_missing()

    async def _loaded(self) -> FunctionWorker:
        """A new worker that has loaded the function."""
        worker = FunctionWorker(await self._pool.order("stdlib", _SETTINGS))
        try:
            await worker.load({"source": self._source, "name": self._name, "seed": self._seed})
        except BaseException:  # a cancelled load too must leave no worker
            worker.end()
            raise
        if self._closed:  # `wait_for` forgets a cancel that comes together with its result
            worker.end()
            raise asyncio.CancelledError
        return worker

    def _begin(self, worker: FunctionWorker) -> None:
        """Let this worker answer calls from now on."""
        loop = asyncio.get_running_loop()
        self._worker, self._began_at = worker, loop.time()
        self._watching = loop.call_later(_WATCH_SECONDS, self._watch)

    def call(self, *arguments: Any, seconds: float, patience_seconds: float = 0.0) -> Any:
        """Call the function and return its value. Blocks for at most `seconds`, or, while the
        function is late only because of the machine, for `patience_seconds`."""
        if self._called is not None:
            raise CallHeldUp("a call in a thread is under way")
        worker, body = self._ready_worker(), self._body(arguments)
        with self._replacing():
            answer = worker.call(body, seconds, patience_seconds)
        return self._value(answer)

    async def call_apart(self, threads: Executor, *arguments: Any, seconds: float) -> Any:
        """Call the function in a thread, in turn, and return its value. A caller that leaves ends
        no call. Raises `CallHeldUp` if its turn does not come in time."""
        call = asyncio.ensure_future(self._call_apart(threads, arguments, seconds))
        call.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(call)

    async def _call_apart(
        self, threads: Executor, arguments: tuple[Any, ...], seconds: float
    ) -> Any:
        try:
            async with asyncio.timeout(_TURNS * seconds):
                await self._turn.acquire()
        except TimeoutError:
            raise CallHeldUp("other calls of the function took the time") from None
        try:
            worker, body = self._ready_worker(), self._body(arguments)
            self._called, loop = worker, asyncio.get_running_loop()
            with self._replacing():
                try:
                    answer = await loop.run_in_executor(threads, worker.call, body, seconds)
                finally:
                    self._called = None
                    if self._closed:
                        worker.end()
            return self._value(answer)
        finally:
            self._turn.release()

    def _ready_worker(self) -> FunctionWorker:
        """The worker that answers now. Raises the lateness of its last call, if nobody has heard of
        it, or that there is no worker."""
        worker, late, self._late = self._worker, self._late, None
        if late is not None:
            raise late
        if worker is None:
            trouble = f" because {self._trouble}" if self._trouble else ""
            raise FunctionUnavailable(
                f"functions unavailable: the function is being loaded again{trouble}"
            )
        return worker

    def _body(self, arguments: tuple[Any, ...]) -> bytes:
        self._calls += 1
        return orjson.dumps({"arguments": arguments, "seed": self._seed + self._calls})

    @contextlib.contextmanager
    def _replacing(self) -> Iterator[None]:
        """Replace the worker if its exchange fails by its own fault."""
        try:
            yield
        except CallHeldUp:
            raise
        except FunctionFailed as error:
            self._replace(str(error))
            raise
        except OSError as error:
            self._replace(str(error))
            raise FunctionUnavailable(f"functions unavailable: {error}") from error

    def _value(self, answer: dict[str, Any]) -> Any:
        if answer.get("ok") is not True:
            error_text = terminal_text(str(answer.get("error"))[:500])
            if error_text.startswith("MemoryError"):  # its memory stays full
                self._replace(error_text)
            raise FunctionFailed(error_text)
        return answer.get("value")

    @property
    def stands_by(self) -> bool:
        """Whether a spare worker has loaded the function."""
        return self._spare is not None

    async def ready(self) -> None:
        """Wait until a worker is there, if none is."""
        if self._worker is None and self._loading is not None:
            await asyncio.shield(self._loading)

    def close(self) -> None:
        self._closed = True
        if self._loading is not None:
            self._loading.cancel()
        for worker in (self._let_go(), self._spare):
            if worker is not None and worker is not self._called:  # its thread ends it
                worker.end()
        self._spare = None

    def _watch(self) -> None:
        """Check the workers while nobody calls the function."""
        assert self._worker is not None
        if self._called is not None:
            self._watching = asyncio.get_running_loop().call_later(_WATCH_SECONDS, self._watch)
            return
        if self._spare is not None and (trouble := _trouble_of(self._spare)) is not None:
            self._end_later(self._spare)
            self._spare = None
            self._lose(str(trouble))
        trouble = _trouble_of(self._worker)
        if trouble is not None:
            self._late = trouble if isinstance(trouble, CallTimedOut) else None
            self._replace(str(trouble))
            return
        self._watching = asyncio.get_running_loop().call_later(_WATCH_SECONDS, self._watch)

    def _let_go(self) -> FunctionWorker | None:
        if self._watching is not None:
            self._watching.cancel()
        worker, self._worker = self._worker, None
        return worker

    def _replace(self, trouble: str) -> None:
        """Let the spare answer from now on, and load another."""
        worker, spare = self._let_go(), self._spare
        if worker is not None:
            self._end_later(worker)
        self._lose(trouble)
        if spare is not None:
            self._spare = None
            self._begin(spare)

    def _end_later(self, worker: FunctionWorker) -> None:
        """End the worker after the call, since the kernel may take milliseconds for it."""
        asyncio.get_running_loop().call_soon(worker.end)

    def _lose(self, trouble: str) -> None:
        healthy = asyncio.get_running_loop().time() - self._began_at > _HEALTHY_SECONDS
        self._losses = 0 if healthy else self._losses + 1
        self._trouble = trouble
        self._load_missing()

    def _load_missing(self) -> None:
        if self._loading is None or self._loading.done():
            self._loading = asyncio.ensure_future(self._keep_loading())

    async def _keep_loading(self) -> None:
        """Load workers until one answers calls and a spare stands ready."""
        while not self._closed and (self._worker is None or self._spare is None):
            if self._losses > 1:
                await asyncio.sleep(min(_FIRST_PAUSE * 2 ** (self._losses - 2), _LONGEST_PAUSE))
            await self._load_missing_once()

    async def _load_missing_once(self) -> None:
        try:
            worker = await self._loaded()
        except (FunctionFailed, *_MACHINE) as error:
            self._trouble = str(error)
            self._losses += 1
            return
        if self._worker is None:
            self._begin(worker)
        else:
            self._spare = worker


def _trouble_of(worker: FunctionWorker) -> FunctionFailed | OSError | None:
    """The fault of a worker that nobody calls; None if it has none."""
    try:
        worker.check()
        worker.check_memory()
    except CallHeldUp:
        return None
    except (FunctionFailed, OSError) as error:
        return error
    return None
