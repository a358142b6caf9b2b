"""What a step brought, and what a check made of it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from router.calls.outcome import CallOutcome


@dataclass(frozen=True, slots=True)
class Result:
    """What a step brought. With `problem` it is no good; with `partial` something is missing."""

    text: str = ""
    outcome: CallOutcome | None = None
    step: int = 0
    problem: str = ""
    stopped: str = ""  # one word, where a bound ended it: `cost`, `latency`
    partial: str = ""  # one word: what is missing
    reason: str = ""

    @property
    def ok(self) -> bool:
        return not self.problem

    def let_go(self) -> bool:
        """Close the stream of a result that nobody will read, and return whether there was a
        stream."""
        stream = self.outcome.stream if self.outcome is not None else None
        if stream is not None:
            stream.connection.finish()
        return stream is not None

    def rewritten(self, text: str) -> "Result":
        """The same result with a text of our own in place of the bytes that came."""
        outcome = None if self.outcome is None else replace(self.outcome, body=b"")
        return replace(self, text=text, outcome=outcome)

    def marked(self, why: str, reason: str) -> "Result":
        """The best answer there is, marked with what is wrong with it."""
        if self.partial:
            return self
        return replace(self, problem="", partial=why, reason=reason)


@dataclass(frozen=True, slots=True)
class CheckVerdict:
    holds: bool
    problem: str = ""
    mended: str = ""  # the answer, where a rule could repair it
    step: int = 0


async def ended(tasks: Sequence["asyncio.Future[Any]"]) -> None:
    """Cancel the tasks that still run, and wait until each has ended."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def abandoned(task: "asyncio.Task[Result]") -> None:
    """Close the stream of a result that nobody will read."""
    if task.done() and not task.cancelled() and task.exception() is None:
        task.result().let_go()
