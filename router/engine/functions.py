"""Keeps routing functions ready for calls, each in a sandboxed worker of its own.

A call takes tens of microseconds and never more than the deadline. Routing functions answer at
once; other written nodes answer in threads, so that no request waits for another one's node. If a
function fails, the serving strategy decides. A function that keeps failing rests for a while, so
that requests do not wait for the deadline each time. Only a function's own errors and its own CPU
time speak against a strategy. The machine's troubles do not: it was busy, it loads a function
again, or a function rests.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from router.routing.function_contract import (
    HELD_UP,
    LOADING,
    NOT_LOADED,
    OVERSLEPT,
    RELOADING,
    RESTING,
    AnsweredLate,
    MachineTrouble,
    Unanswered,
    without_values,
)
from sandbox.function import (
    CallHeldUp,
    CallOverslept,
    CallTimedOut,
    Function,
    FunctionFailed,
    FunctionUnavailable,
)
from sandbox.levels import open_pool
from sandbox.pool import Pool
from sandbox.runner import RunRefused
from sandbox.supervisor.parent import ZygoteLost

_IN_A_ROW = 3  # failures in a row after which a function rests
_REST_SECONDS = 30.0
_LONGEST_REST = 1800.0
_LEAST_LEVEL = 1  # the isolation level that a function needs to run
_AGAIN_SECONDS = 30.0  # the wait after a function failed to open
_THREADS = 4  # that wait for the answers of written nodes


class Loadable(Protocol):
    """A routing function, or another written node."""

    @property
    def key(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def entry(self) -> str: ...


@dataclass(slots=True)
class _KeptFunction:
    function: Function
    failures: int = 0
    rests: int = 0
    until: float = 0.0


class Functions:
    """`follow` keeps the functions of these strategies ready; `ask` calls one function."""

    def __init__(
        self,
        deadline_seconds: float,
        tell: Callable[[str, str, str], None] = lambda *_: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.deadline_seconds = deadline_seconds
        self._tell = tell  # called with the strategy, its state and the reason
        self._clock = clock
        self._pool: Pool | None = None
        self._kept: dict[str, _KeptFunction] = {}
        self._refused: dict[str, str] = {}
        self._following = asyncio.Lock()
        self._threads = ThreadPoolExecutor(_THREADS, "waggle-node")  # begins none before a call
        self._again: dict[str, float] = {}  # when to open a function that could not be opened

    async def follow(self, strategies: Sequence[Loadable]) -> None:
        async with self._following:
            # Keyed by source, because several strategies may hold the same function.
            wanted = {strategy.source: strategy for strategy in strategies}
            for source in self._kept.keys() - wanted.keys():
                self._kept.pop(source).function.close()
            for source, strategy in wanted.items():
                if source not in self._kept and self._clock() >= self._again.get(source, 0.0):
                    await self._open(strategy)

    async def _open(self, strategy: Loadable) -> None:
        key, source = strategy.key, strategy.source
        try:
            if self._pool is None:
                self._pool = await open_pool(min_level=_LEAST_LEVEL)
            function = Function(self._pool, source, strategy.entry)
            await function.open()
        except (FunctionFailed, RunRefused, ZygoteLost, OSError, TimeoutError) as error:
            own = isinstance(error, FunctionFailed) and not isinstance(error, FunctionUnavailable)
            reason = str(error) if own else NOT_LOADED
            self._again[source] = self._clock() + _AGAIN_SECONDS
            if self._refused.get(source) != reason:
                self._refused[source] = reason
                self._tell(key, NOT_LOADED if not own else "not loaded", str(error))
            return
        self._refused.pop(source, None)
        self._kept[source] = _KeptFunction(function)

    def ask(
        self, strategy: Loadable, arguments: Sequence[Any], *, patience_seconds: float = 0.0
    ) -> Any:
        """The function's answer; raises `Unanswered` if none came in time. With patience, only the
        function's own time counts, and not the time for which the machine was busy elsewhere."""
        kept = self._usable(strategy)
        with self._noting(strategy, kept):
            return kept.function.call(
                *arguments, seconds=self.deadline_seconds, patience_seconds=patience_seconds
            )

    async def ask_apart(self, node: Loadable, arguments: Sequence[Any]) -> Any:
        """The function's answer, as `ask` gives it, from a thread: other requests are served
        meanwhile."""
        kept = self._usable(node)
        with self._noting(node, kept):
            return await kept.function.call_apart(
                self._threads, *arguments, seconds=self.deadline_seconds
            )

    def _usable(self, strategy: Loadable) -> _KeptFunction:
        kept = self._kept.get(strategy.source)
        if kept is None:
            reason = self._refused.get(strategy.source, LOADING)
            raise (MachineTrouble if reason in (LOADING, NOT_LOADED) else Unanswered)(reason)
        if self._clock() < kept.until:
            raise MachineTrouble(RESTING)
        return kept

    @contextlib.contextmanager
    def _noting(self, strategy: Loadable, kept: _KeptFunction) -> Iterator[None]:
        """Note whether the function answers a call, and raise `Unanswered` if it does not."""
        now = self._clock()
        try:
            yield
        except CallHeldUp:
            raise MachineTrouble(HELD_UP) from None
        except FunctionUnavailable:  # its last call has been counted already
            raise MachineTrouble(RELOADING) from None
        except FunctionFailed as error:
            why = without_values(str(error), strategy.source)
            self._failed(strategy.key, kept, now, why)
            if isinstance(error, CallOverslept):
                raise MachineTrouble(OVERSLEPT) from None
            late = isinstance(error, CallTimedOut)
            raise (AnsweredLate if late else Unanswered)(why[:200]) from None
        kept.failures = 0

    async def ready(self, strategy: Loadable) -> None:
        """Wait until a function whose worker is being replaced can be asked again."""
        kept = self._kept.get(strategy.source)
        if kept is not None:
            await kept.function.ready()

    def _failed(self, key: str, kept: _KeptFunction, now: float, reason: str) -> None:
        kept.failures += 1
        if kept.failures < _IN_A_ROW:
            return
        kept.failures = 0
        kept.rests += 1
        kept.until = now + min(_REST_SECONDS * 2 ** (kept.rests - 1), _LONGEST_REST)
        self._tell(key, "left alone", reason)

    async def close(self) -> None:
        for kept in self._kept.values():
            kept.function.close()
        self._kept.clear()
        self._threads.shutdown(wait=False)
        if self._pool is not None:
            with contextlib.suppress(ZygoteLost, OSError):
                await self._pool.close()
            self._pool = None
