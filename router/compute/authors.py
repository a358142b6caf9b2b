"""The authors of programs. No author is trusted: a program runs in the sandbox, or not at all."""

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
        """The source of a program. After a run that failed, `problem` says why, and the source is a
        mended program. None: the author has nothing more to offer."""


class Synthesis:
    """An author that writes from the spec alone. It has one program; a second try gets another
    seed."""

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
    """A backend as an author: it gets the contract and the spec, and sees the error of its
    program."""

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
    """`example` is a program that solved a similar request, for the author to work from."""
    if name == SYNTHESIS:
        left_open = example is not None and "count" in spec.assumed
        count = Spec.from_json(example.spec).count if example is not None and left_open else 0
        return Synthesis(replace(spec, count=count) if count else spec)
    return ModelAuthor(name, text, spec, chat, example)
