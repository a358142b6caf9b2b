"""How much work one request may cause, counted while the work is done.

A thread works for a request inside `Effort.counted`. There, `spend` ends the work soon after its
caller has left or its bound is reached. Outside of `counted`, `spend` bounds nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Abandoned(Exception):
    """Nobody waits for the result of this work any more."""


class Overspent(Exception):
    """The work has taken more steps than its bound."""

    def __init__(self, most: int) -> None:
        super().__init__(f"the work takes more than {most:,} steps")
        self.most = most


class Effort:
    """The steps that are left for a request. Another thread may set `abandoned` at any time."""

    __slots__ = ("_left", "abandoned", "most")

    def __init__(self, most: int) -> None:
        self.most = most
        self.abandoned = False
        self._left = most

    @property
    def steps(self) -> int:
        """The number of steps so far."""
        return self.most - self._left

    def spend(self, steps: int = 1) -> None:
        self._left -= steps
        if self.abandoned:
            raise Abandoned
        if self._left < 0:
            raise Overspent(self.most)

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count the steps of the block, which runs in one thread."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)


_current: ContextVar[Effort | None] = ContextVar("effort", default=None)


def spend(steps: int = 1) -> None:
    """Count steps of the request that this thread works for; this may raise and so end the work."""
    effort = _current.get()
    if effort is not None:
        effort.spend(steps)
