"""Keeps the Python functions of guards ready, each in a sandboxed worker of its own.

A function is opened at its first call, and lives as long as the configuration names it. It gets at
most 64 KiB of JSON and its deadline in milliseconds; whatever it does beyond that is a failure of
the guard.
"""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

from router.config.guardrails import Guard
from router.guardrails.functions import NAME
from router.guardrails.refusals import GuardFailed
from sandbox.function import Function, FunctionFailed
from sandbox.levels import open_pool
from sandbox.pool import Pool
from sandbox.runner import RunRefused
from sandbox.supervisor.parent import ZygoteLost

_LEAST_LEVEL = 1  # the isolation level that a function needs to run
_PATIENCE = 0.2  # seconds, for a function that only a busy machine makes late
_TROUBLES = (FunctionFailed, RunRefused, ZygoteLost, OSError, TimeoutError)


class GuardFunctions:
    """`call` asks the function of a guard; `keep` closes those that are configured no more."""

    def __init__(self) -> None:
        self._pool: Pool | None = None
        self._open: dict[str, Function] = {}
        self._opening = asyncio.Lock()

    async def call(self, guard: Guard, argument: Any) -> Any:
        """The function's answer. `GuardFailed` says why there is none."""
        try:
            function = await self._function(guard)
            await function.ready()
            seconds = guard.timeout_ms / 1000
            return function.call(argument, seconds=seconds, patience_seconds=_PATIENCE)
        except _TROUBLES as error:
            raise GuardFailed(f"its function failed: {str(error)[:200]}") from None

    async def _function(self, guard: Guard) -> Function:
        source = source_of(guard)
        async with self._opening:
            function = self._open.get(source)
            if function is None:
                if self._pool is None:
                    self._pool = await open_pool(min_level=_LEAST_LEVEL)
                function = Function(self._pool, source, NAME)
                await function.open()
                self._open[source] = function
        return function

    def keep(self, guards: tuple[Guard, ...]) -> None:
        wanted = {guard.source or guard.file for guard in guards if guard.kind == "function"}
        if not wanted:
            for function in self._open.values():
                function.close()
            self._open.clear()

    async def close(self) -> None:
        self.keep(())
        if self._pool is not None:
            with contextlib.suppress(ZygoteLost, OSError):
                await self._pool.close()
            self._pool = None


def source_of(guard: Guard) -> str:
    """The source of a guard's function. `GuardFailed` if its file cannot be read."""
    if guard.source is not None:
        return guard.source
    try:
        return Path(str(guard.file)).read_text()
    except (OSError, ValueError) as error:
        raise GuardFailed(f"its file cannot be read: {error}") from None
