"""What one call of a backend brought: an answer, a stream that has begun, or a failure."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from router.domain import Attempt, Usage
from router.wire.sse import Cutter


class Finishing(Protocol):
    """The connection behind a stream. `finish` tells it that nobody reads on."""

    def finish(self) -> None: ...


@dataclass(slots=True)
class Stream:
    """A stream that has begun: its first events, and the connection the rest will come from."""

    first: list[bytes]
    cutter: Cutter
    connection: "Finishing"
    pieces: AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
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
    settled: bool = False  # whether the attempt has its tokens and its cost already

    @property
    def answered(self) -> bool:
        return not self.attempt.fault
