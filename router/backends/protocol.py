"""What every kind of backend promises, and the settings they share.

A backend answers a call with a reply whose bytes are already in OpenAI's shape. It decides nothing
about retries, prices or health: its host and the engine do.
"""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from router.domain import Call, Reply


class SecretReader(Protocol):
    def __call__(self, reference: str) -> str:
        """The value behind `${NAME}`."""


class Backend(Protocol):
    def send(self, call: Call) -> AbstractAsyncContextManager[Reply]:
        """Leaving the context before the body has ended cancels the work behind it."""

    async def close(self) -> None: ...
