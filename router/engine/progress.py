"""A request in progress, and the answer that goes back to its caller."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

from router.domain import Trace
from router.engine.recall import Lookup
from router.plans.compiled import Plans

LEFT: dict[str, Any] = {"status": 499, "error": "the caller left", "error_type": "cancelled"}


@dataclass(frozen=True, slots=True)
class InProgress:
    """What a request began with, and its trace so far. A newer configuration does not touch it."""

    plans: Plans
    trace: Trace
    begun: float  # by the performance counter
    lookup: Lookup | None = None  # what the memory held, before anything was decided

    def noting(self, **changes: Any) -> "InProgress":
        """The same request with changes to its trace."""
        return replace(self, trace=replace(self.trace, **changes))


@dataclass(slots=True)
class Answer:
    """What goes back: either a body, or a stream of SSE bytes that accounts for itself."""

    status: int
    body: bytes
    trace: Trace
    stream: AsyncIterator[bytes] | None = None
    retry_after: float | None = None
    pending: bool = False  # whether its plan goes on: backend and cost are not known yet
