"""The authors of programs. No author is trusted, so programs run only in the sandbox."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from router.config.plans import SYNTHESIS
from router.request.statistical import program_in, to_author, to_mend
from router.reuse.solution import Solution
from sandbox.column_programs import CannotWrite
from sandbox.spec import Spec
from sandbox.synthesis import write_program

Chat = Callable[[str, Mapping[str, Any]], Awaitable[str | None]]


class ProgramAuthor(Protocol):
    name: str

    async def write(self, problem: str) -> str | None:
        """Write a program; if `problem` says why the last program failed, mend it. None: the author
        gives up."""


class Synthesis:
    """An author that writes by rule, from the spec alone. A second try only changes the seed."""

    name = SYNTHESIS

    def __init__(self, spec: Spec) -> None:
        self._spec = spec

    async def write(self, problem: str) -> str | None:
        del problem
        try:
            return write_program(self._spec, seed=0).source
        except CannotWrite:
            return None


class ModelAuthor:
    """A model as an author. Its prompt holds the contract, the spec and the last error."""

    def __init__(
        self, name: str, text: str, spec: Spec, chat: Chat, example: Solution | None
    ) -> None:
        self.name = name
        self._chat = chat
        beside = (example.request, example.program) if example is not None else None
        self._messages = to_author(text, spec, beside)
        self._last = ""

    async def write(self, problem: str) -> str | None:
        if problem:
            self._messages = to_mend(self._messages, self._last, problem)
        fields = {"model": "auto", "messages": self._messages, "temperature": 0}
        answer = await self._chat(self.name, fields)
        if answer is None:
            return None
        self._last = program_in(answer)
        return self._last


def author_of(
    name: str, text: str, spec: Spec, chat: Chat, example: Solution | None = None
) -> ProgramAuthor:
    """Make the author with this name. `example` is a program that solved a similar request."""
    if name == SYNTHESIS:
        left_open = example is not None and "count" in spec.assumed
        count = Spec.from_json(example.spec).count if example is not None and left_open else 0
        return Synthesis(replace(spec, count=count) if count else spec)
    return ModelAuthor(name, text, spec, chat, example)
