"""The result of a step, and the verdict of a check."""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from router.calls.outcome import CallOutcome

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a step: why it failed (`problem`), or why it is incomplete (`partial`)."""

    text: str = ""
    outcome: CallOutcome | None = None
    step: int = 0
    problem: str = ""
    flaw: str = "gate"  # the word that marks its text if it is given in spite of the problem
    stopped: str = ""  # the bound that ended the step: `cost`, `latency` or `limit`
    partial: str = ""  # one word, e.g. `quorum`
    reason: str = ""

    @property
    def ok(self) -> bool:
        return not self.problem

    def let_go(self) -> bool:
        """Close the stream of a result that nobody will read; True if there was a stream."""
        stream = self.outcome.stream if self.outcome is not None else None
        if stream is not None:
            stream.connection.finish()
        return stream is not None

    def rewritten(self, text: str) -> "Result":
        """The same result with another text in place of the backend's bytes."""
        outcome = None if self.outcome is None else replace(self.outcome, body=b"")
        return replace(self, text=text, outcome=outcome)

    def marked(self, why: str, reason: str) -> "Result":
        """The same result as a partial answer, with the reason."""
        if self.partial:
            return self
        return replace(self, problem="", partial=why, reason=reason)


@dataclass(frozen=True, slots=True)
class CheckVerdict:
    holds: bool
    problem: str = ""
    mended: str = ""  # the answer after a repair by rule
    step: int = 0
    unchecked: str = ""  # why a check had no opinion: the answer did not pass it


async def ended(tasks: Sequence["asyncio.Future[Any]"]) -> None:
    """Cancel the tasks that still run, and wait until all tasks have ended."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def together(jobs: Sequence[Awaitable[T]]) -> list[T]:
    """Await all jobs at once; if one fails or this is cancelled, end the other jobs first."""
    tasks = [asyncio.ensure_future(job) for job in jobs]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        await ended(tasks)


def abandoned(task: "asyncio.Task[Result]") -> None:
    """If the task ended with a result, close the stream of the result."""
    if task.done() and not task.cancelled() and task.exception() is None:
        task.result().let_go()
