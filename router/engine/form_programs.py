"""Runs the programs of forms, each space's in a locked worker of its own.

A program is `solve(text)`, which reads its values from the request. A call takes some tens of
microseconds. The programs of one space share a worker, because they came from the requests of one
owner; no other space's requests meet them.
"""

import logging
from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.function import CallHeldUp, Function, FunctionFailed, FunctionUnavailable
from sandbox.levels import open_pool
from sandbox.pool import Pool
from sandbox.runner import RunRefused
from sandbox.supervisor.parent import ZygoteLost

_log = logging.getLogger("waggle")
_SECONDS, _PATIENCE_SECONDS = 0.05, 0.2  # of one call
_MOST_SPACES = 4
_MOST_FAILURES = 2  # in a row, after which a program is not called again
_MOST_CHARACTERS = 2_000  # of an answer
_LEAST_LEVEL = 1
_HOST = """
_loaded = {}

def solved(name, text):
    if name not in _loaded:
        space = {}
        exec(_SOURCES[name], space)
        _loaded[name] = space["solve"]
    answer = _loaded[name](text)
    return answer if isinstance(answer, str) else None
"""


@dataclass
class FormPrograms:
    """`keep` loads the programs of a space; `answer` calls one of them."""

    _pool: Pool | None = None
    _functions: OrderedDict[bytes, tuple[frozenset[int], Function]] = field(
        default_factory=OrderedDict
    )
    _failures: Counter[tuple[bytes, int]] = field(default_factory=Counter)
    _refused: bool = False  # this machine cannot isolate programs, so none runs

    async def keep(self, space: bytes, sources: Mapping[int, str]) -> None:
        """Have exactly these programs ready for the requests of this space."""
        names = frozenset(sources)
        kept = self._functions.get(space)
        if self._refused or (kept is not None and kept[0] == names):
            return
        function = await self._opened(sources)
        if function is None:
            return
        if kept is not None:
            kept[1].close()
        self._functions[space] = names, function
        self._functions.move_to_end(space)
        while len(self._functions) > _MOST_SPACES:
            self._functions.popitem(last=False)[1][1].close()

    def holds(self, space: bytes, sources: Mapping[int, str]) -> bool:
        kept = self._functions.get(space)
        return kept is not None and kept[0] == frozenset(sources)

    def answer(self, space: bytes, program: int, text: str) -> str | None:
        """What a program answers to a request; None if it does not answer."""
        kept = self._functions.get(space)
        if kept is None or program not in kept[0]:
            return None
        if self._failures[space, program] >= _MOST_FAILURES:
            return None
        return self._called(kept[1], space, program, text)

    async def trial(self, source: str, texts: list[str]) -> list[str | None]:
        """The answers of a new program, before it is kept."""
        function = await self._opened({0: source})
        if function is None:
            return [None] * len(texts)
        try:
            return [self._called(function, b"", 0, text) for text in texts]
        finally:
            function.close()

    def _called(self, function: Function, space: bytes, program: int, text: str) -> str | None:
        try:
            answer = function.call(
                str(program), text, seconds=_SECONDS, patience_seconds=_PATIENCE_SECONDS
            )
        except (CallHeldUp, FunctionUnavailable):
            return None  # the machine was late: that says nothing about the program
        except FunctionFailed as error:
            if "Error" not in str(error):  # it was too slow, or it killed its worker
                self._failures[space, program] += 1
            return None
        del self._failures[space, program]
        return answer if isinstance(answer, str) and len(answer) <= _MOST_CHARACTERS else None

    async def _opened(self, sources: Mapping[int, str]) -> Function | None:
        named = {str(name): source for name, source in sources.items()}
        try:
            if self._pool is None:
                self._pool = await open_pool(min_level=_LEAST_LEVEL)
            function = Function(self._pool, f"_SOURCES = {named!r}\n{_HOST}", "solved")
            await function.open()
        except RunRefused as error:
            self._refused = True
            _log.warning("no program answers from memory: %s", error)
            return None
        except (FunctionFailed, ZygoteLost, OSError, TimeoutError) as error:
            _log.warning("the programs of a space could not be loaded: %s", error)
            return None
        return function

    async def close(self) -> None:
        for _, function in self._functions.values():
            function.close()
        self._functions.clear()
        if self._pool is not None:
            await self._pool.close()
            self._pool = None
