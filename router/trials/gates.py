"""What a routing function must pass before it is even shadowed: lint, and its contract."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from router.engine.functions import Functions
from router.routing.function_contract import Unanswered, lint, opinion
from router.routing.strategies import Strategy
from router.trials.book import Rejected
from router.trials.logged import Logged


def gate(source: str, asks: Callable[..., Any] | None, rows: Sequence[Logged]) -> None:
    """Lint and contract: `Rejected` where a function may not even be shadowed."""
    wrong = lint(source)
    if wrong:
        raise Rejected(f"lint: {'; '.join(wrong)}")
    if asks is None:
        raise Rejected("routing functions cannot run on this machine: see `waggle sandbox check`")
    strategy = Strategy("tried", "function", source=source)
    for one in rows:
        eligible = list(one.odds)
        scores: dict[str, dict[str, float]] = {
            str(arm): {"usd": 0.001, "quality": 0.7, "deviation": 0.1, "seconds": 0.5,
                       "failure": 0.0, "utility": 0.6}
            for arm in eligible
        }  # fmt: skip
        arguments: Sequence[Any] = (one.told, scores, [])
        try:
            told = [asks(strategy, arguments) for _ in range(2)]
            if told[0] is not None:
                opinion(told[0], eligible)
        except Unanswered as error:
            raise Rejected(f"contract: asked about kind {one.kind!r}: {error}") from None
        if told[0] != told[1]:
            raise Rejected(f"contract: asked twice about kind {one.kind!r} it chose differently")


class Asking:
    """A function at hand for as long as it takes to look at it; on a loop of its own."""

    def __init__(self, strategy: Strategy) -> None:
        self._strategy = strategy
        self._loop: asyncio.AbstractEventLoop | None = None
        self._functions: Functions | None = None
        self._trouble = ""

    def __enter__(self) -> Callable[..., Any] | None:
        if self._strategy.kind != "function":
            return None
        self._loop = asyncio.new_event_loop()
        self._functions = Functions(0.05, lambda _key, _state, reason: self._failed(reason))
        self._loop.run_until_complete(self._functions.follow([self._strategy]))
        if self._trouble:
            self.__exit__()
            raise Rejected(f"contract: {self._trouble}")
        return self._ask

    def __exit__(self, *_: object) -> None:
        if self._loop is not None and self._functions is not None:
            self._loop.run_until_complete(self._functions.close())
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()
            self._loop = None

    def _ask(self, strategy: Strategy, arguments: Sequence[Any]) -> Any:
        functions = self._functions
        assert functions is not None
        assert self._loop is not None
        own = replace(strategy, name=self._strategy.name, version=self._strategy.version)

        async def ask() -> Any:  # on the loop: a worker that dies is replaced there
            return functions.ask(own, arguments)

        return self._loop.run_until_complete(ask())

    def _failed(self, reason: str) -> None:
        self._trouble = reason
