"""Queues calls at a backend: some may run at once, some may wait, all others are refused."""

import asyncio

from router.config.values import BackendSettings
from router.domain import Fault


class Turns:
    def __init__(self, settings: BackendSettings) -> None:
        self._settings = settings
        self._waiting: list[asyncio.Future[None]] = []
        self.running = 0

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def reconfigure(self, settings: BackendSettings) -> None:
        self._settings = settings
        self._admit()

    async def enter(self) -> None:
        """Wait for a turn; raise a `Fault` if the queue is full or the wait is too long."""
        if self.running < self._settings.concurrency:
            self.running += 1
            return
        if self.waiting >= self._settings.queue:
            detail = f"{self.running} calls run and {self.waiting} wait: both limits are reached"
            raise Fault("queue_full", detail)
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await asyncio.wait_for(asyncio.shield(turn), self._settings.queue_seconds)
        except TimeoutError:
            detail = f"the call found no free place within {self._settings.queue_seconds} s"
            raise Fault("queue_full", detail) from None
        except asyncio.CancelledError:
            if turn.done():  # the caller left, so the next call gets the turn
                self.leave()
            raise
        finally:
            if not turn.done():
                self._waiting.remove(turn)

    def leave(self) -> None:
        self.running -= 1
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self.running < self._settings.concurrency:
            self.running += 1
            self._waiting.pop(0).set_result(None)
