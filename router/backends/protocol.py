"""What a backend is: an object that answers a call with a reply in OpenAI's format.

A backend knows nothing of retries, prices or health; its host and the engine do.
`router.backends.contract` checks everything that a backend promises.
"""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from router.domain import Call, Reply


class SecretReader(Protocol):
    def __call__(self, reference: str) -> str:
        """The value of the variable in `${NAME}`."""


class Backend(Protocol):
    def send(self, call: Call) -> AbstractAsyncContextManager[Reply]:
        """Answer a call; leaving the context before the end of the body cancels the work."""

    async def close(self) -> None: ...
