"""What a backend is: it answers a call with a reply whose bytes already have OpenAI's form.

A backend knows nothing of retries, prices or health: its host and the engine do. The checks in
`router.backends.contract` say in full what a backend promises.
"""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from router.domain import Call, Reply


class SecretReader(Protocol):
    def __call__(self, reference: str) -> str:
        """The value behind `${NAME}`."""


class Backend(Protocol):
    def send(self, call: Call) -> AbstractAsyncContextManager[Reply]:
        """Answer a call. Leaving the context before the body has ended cancels the work."""

    async def close(self) -> None: ...
