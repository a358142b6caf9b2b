"""The gates that a routing function must pass before its trial: lint, and its contract."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Any

from router.engine.functions import Functions, Loadable
from router.routing.function_contract import (
    NOT_LOADED,
    AnsweredLate,
    MachineTrouble,
    Unanswered,
    lint,
    opinion,
)
from router.routing.node_contract import EXAMPLE
from router.routing.strategies import Strategy
from router.trials.book import Rejected
from router.trials.logged import LoggedDecision
from router.trials.replaying import AskFunction

_TRIES = 3  # for an answer in time: a hypervisor that hides its delays may make a function late
_PATIENCE_SECONDS = 60.0  # for a machine that is too busy to run the function
_SCORE = {
    "usd": 0.001, "quality": 0.7, "deviation": 0.1, "seconds": 0.5, "failure": 0.0, "utility": 0.6,
}  # fmt: skip


class Postponed(Rejected):
    """A proposal could not be checked because of the machine: nothing speaks against it."""


def check_function(
    source: str, ask_function: AskFunction | None, rows: Sequence[LoggedDecision]
) -> None:
    """Raise `Rejected` if the function fails lint, or breaks its contract on a logged request."""
    faults = lint(source)
    if faults:
        raise Rejected(f"lint: {'; '.join(faults)}")
    if ask_function is None:
        raise Rejected("routing functions cannot run on this machine: see `waggle sandbox check`")
    strategy = Strategy("tried", "function", source=source)
    for row in rows:
        eligible = list(row.odds)
        # A request in the log may lack words: then the function is asked about words of our own.
        view = {**EXAMPLE, **row.function_view}
        arguments: Sequence[Any] = (view, {str(arm): _SCORE for arm in eligible}, [])
        try:
            first, second = (ask_function(strategy, arguments) for _ in range(2))
            if first is not None:
                opinion(first, eligible, source)
        except MachineTrouble as error:
            raise Postponed(f"it is tried again later: {error}") from None
        except Unanswered as error:
            raise Rejected(f"contract: asked about kind {row.kind!r}: {error}") from None
        if first != second:
            raise Rejected(f"contract: asked twice about kind {row.kind!r} it chose differently")


class LoadedNode:
    """Loads a function or another written node for the length of a `with` block, on an event loop
    of its own. The block gets a callable that asks it.

    The deadline is the one that serving has, and only the node's own time counts: a busy machine
    vetoes nothing. A late answer is asked for again, twice.
    """

    def __init__(self, node: Loadable, deadline_seconds: float) -> None:
        self._node, self._deadline_seconds = node, deadline_seconds
        self._loop: asyncio.AbstractEventLoop | None = None
        self._functions: Functions | None = None
        self._refusal: Rejected | None = None

    def __enter__(self) -> Callable[[Sequence[Any]], Any]:
        self._loop = asyncio.new_event_loop()
        self._functions = Functions(
            self._deadline_seconds, lambda _key, state, reason: self._fail(state, reason)
        )
        self._loop.run_until_complete(self._functions.follow([self._node]))
        if self._refusal is not None:
            self.__exit__()
            raise self._refusal
        return self._ask

    def __exit__(self, *_: object) -> None:
        if self._loop is not None and self._functions is not None:
            self._loop.run_until_complete(self._functions.close())
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()
            self._loop = None

    def _ask(self, arguments: Sequence[Any]) -> Any:
        functions, node = self._functions, self._node
        assert functions is not None
        assert self._loop is not None

        async def ask() -> Any:  # must run on the loop, which replaces a dead worker
            for _ in range(_TRIES - 1):
                with contextlib.suppress(AnsweredLate):
                    return functions.ask(node, arguments, patience_seconds=_PATIENCE_SECONDS)
                await functions.ready(node)
            return functions.ask(node, arguments, patience_seconds=_PATIENCE_SECONDS)

        return self._loop.run_until_complete(ask())

    def _fail(self, state: str, reason: str) -> None:
        if state == NOT_LOADED:
            self._refusal = Postponed(f"it is tried again later: {NOT_LOADED}: {reason}")
        else:
            self._refusal = Rejected(f"contract: {reason}")


class LoadedFunction:
    """Loads a strategy's function for the length of a `with` block. The block gets a callable that
    asks the function, or None if the strategy has no function."""

    def __init__(self, strategy: Strategy, deadline_seconds: float) -> None:
        is_function = strategy.kind == "function"
        self._node = LoadedNode(strategy, deadline_seconds) if is_function else None

    def __enter__(self) -> AskFunction | None:
        if self._node is None:
            return None
        ask = self._node.__enter__()
        return lambda _, arguments: ask(arguments)

    def __exit__(self, *_: object) -> None:
        if self._node is not None:
            self._node.__exit__()
