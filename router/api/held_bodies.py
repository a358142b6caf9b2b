"""Bounds the bytes of large bodies that one router holds at once.

A request keeps its body until it is answered. Where the bodies would need more than the bound, the
next one waits for its turn, unread, and after a while gets a 503. Small bodies never wait, so
whoever sends large ones takes nothing from anybody else.
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field

from router.wire.errors import Unavailable

SMALL = 64 * 2**10  # a body of this size needs no turn
WAIT_SECONDS = 30.0
_RETRY_SECONDS = 5.0


@dataclass
class HeldBodies:
    """Lets bodies hold `most` bytes together. A body that is larger waits until it is alone."""

    most: int
    wait_seconds: float = WAIT_SECONDS
    held: int = field(default=0, init=False)
    _waiting: deque[tuple[int, asyncio.Future[None]]] = field(default_factory=deque, init=False)

    async def take(self, size: int) -> int:
        """Wait for the turn of a body of this size. Returns the bytes to `give_back` later."""
        if size <= SMALL:
            return 0
        share = min(size, self.most)
        if self._waiting or self.held + share > self.most:
            await self._turn(share)
        else:
            self.held += share
        return share

    def give_back(self, share: int) -> None:
        self.held -= share
        self._call_next()

    async def _turn(self, share: int) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((share, turn))
        try:
            async with asyncio.timeout(self.wait_seconds):
                await turn
        except (TimeoutError, asyncio.CancelledError) as ended:
            if turn.done() and not turn.cancelled():  # the turn came in the same moment
                self.held -= share
            turn.cancel()
            self._call_next()
            if isinstance(ended, asyncio.CancelledError):
                raise
            message = (
                f"This router holds server.max_held_bytes = {self.most} of requests that are being "
                "answered: send this large request again later."
            )
            raise Unavailable("too_many_large_requests", message, _RETRY_SECONDS) from None

    def _call_next(self) -> None:
        while self._waiting:
            share, turn = self._waiting[0]
            if turn.done():  # it waited too long, or its caller left
                self._waiting.popleft()
            elif self.held + share <= self.most:
                self._waiting.popleft()
                self.held += share
                turn.set_result(None)
            else:
                return
