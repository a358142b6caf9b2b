"""The outcome of one call to a backend: an answer, a stream that has begun, or a failure."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from router.domain import CHAT_DIALECT, Attempt, Usage
from router.value import value
from router.wire.sse import Cutter


class Finishing(Protocol):
    """The connection behind a stream. `finish` tells the connection that nobody reads on."""

    def finish(self) -> None: ...


@dataclass(slots=True)
class Stream:
    """A stream that has begun: its first events, and the connection that brings the rest."""

    first: list[bytes]
    cutter: Cutter
    connection: "Finishing"
    pieces: AsyncIterator[bytes]


@value
class CallOutcome:
    """An answer, the caller's own fault, or a failure after which another backend may be tried."""

    attempt: Attempt
    body: bytes = b""
    stream: Stream | None = None
    usage: Usage | None = None
    callers_fault: bool = False
    retry_after: float | None = None
    upstream_seconds: float = 0.0
    content_type: str = "application/json"
    dialect: str = CHAT_DIALECT  # of the body or the stream
    settled: bool = False  # whether `attempt` already holds its tokens and its cost

    @property
    def answered(self) -> bool:
        return not self.attempt.fault
