"""A request in progress, and the answer that goes back to its caller."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from router.domain import CHAT_DIALECT, Trace
from router.engine.recall import Lookup
from router.plans.compiled import Plans


@dataclass(slots=True)
class InProgress:
    """A request with its trace so far, and the plans that it began with and keeps."""

    plans: Plans
    trace: Trace
    begun: float  # the start, on the performance counter
    lookup: Lookup | None = None  # what the memory held before the decision

    def leave(self) -> None:
        """Note that the caller left before the end."""
        self.trace.fail(499, "the caller left", "cancelled")


@dataclass(slots=True)
class Answer:
    """A reply to the caller: a body, or a stream of SSE bytes that records itself at its end."""

    status: int
    body: bytes
    trace: Trace
    stream: AsyncIterator[bytes] | None = None
    retry_after: float | None = None
    pending: bool = False  # whether the plan still runs: backend and cost are unknown
    dialect: str = CHAT_DIALECT  # the dialect of `body` and `stream`
    content_type: str = ""  # of an answer that passes as it comes; empty: by its form
