"""What steps bring, and what checks say of it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from router.calls.outcome import CallOutcome


@dataclass(frozen=True, slots=True)
class Result:
    """What a step brought. With `problem`, it is no good; with `partial`, it is not all of it."""

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
        """End what it streams from, where nobody will read it; whether there was such a stream."""
        stream = self.outcome.stream if self.outcome is not None else None
        if stream is not None:
            stream.connection.finish()
        return stream is not None

    def marked(self, why: str, reason: str) -> "Result":
        """The best there is, and what is not right with it."""
        if self.partial:
            return self
        return replace(self, problem="", partial=why, reason=reason)


@dataclass(frozen=True, slots=True)
class CheckVerdict:
    holds: bool
    problem: str = ""
    mended: str = ""  # the answer, where it could be put right without asking anyone
    step: int = 0


async def ended(tasks: Sequence["asyncio.Future[Any]"]) -> None:
    """Cancel what still runs, and wait until it has let go."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def abandoned(task: "asyncio.Task[Result]") -> None:
    """A result that nobody will read: what it streams from is let go."""
    if task.done() and not task.cancelled() and task.exception() is None:
        task.result().let_go()
