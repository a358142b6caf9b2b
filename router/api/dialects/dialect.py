"""What the door of a dialect does: it reads requests into the inner form, and writes answers back.

The inner form is a chat request of OpenAI's dialect, and the inner answer is a chat completion, or
the stream of one. A backend that speaks the caller's dialect itself gets the caller's own bytes
(`Request.native`), and its answer goes back as it came.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Protocol

from router.domain import Request
from router.wire.asgi import HeaderList


class ErrorForm(Protocol):
    """How a dialect says that a request failed. `body` is the error in OpenAI's form."""

    def error(self, status: int, body: bytes, request_id: str) -> bytes:
        """The body of an error."""

    def broken(self, body: bytes) -> bytes:
        """The error as the last event of a stream that has begun."""

    def headers(self, request_id: str) -> HeaderList:
        """Headers of every reply, by which the dialect's clients know the request."""


class Dialect(ErrorForm, Protocol):
    @property
    def name(self) -> str: ...

    def parse(
        self, body: bytes, headers: Mapping[bytes, bytes], *, request_id: str, key_id: str
    ) -> Request:
        """The request; `Refused` names the field that is wrong, or that nothing here can do."""

    def whole(self, request: Request, completion: bytes) -> bytes:
        """A chat completion as an answer of this dialect."""

    def events(self, request: Request, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """A chat stream, in pieces of one or more whole events, as a stream of this dialect."""


class OpenAIErrors:
    """OpenAI's form of an error, which the inner form has already."""

    def error(self, status: int, body: bytes, request_id: str) -> bytes:  # noqa: ARG002
        return body

    def broken(self, body: bytes) -> bytes:
        return b"data: " + body + b"\n\n"

    def headers(self, request_id: str) -> HeaderList:  # noqa: ARG002
        return []


OPENAI_ERRORS = OpenAIErrors()
