"""The base of backends whose servers speak a dialect of their own, for callers of OpenAI's.

A request that the API cannot express is refused with the field's name. A stream that ends before
its last event is a failure, never a short answer.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Protocol

import orjson

from router.backends.endpoints import Endpoints, Response
from router.dialects.completions import BadAnswer
from router.dialects.fields import Untranslatable
from router.domain import CHAT, Call, Fault, Reply
from router.request.json_body import json_of
from router.wire.beside import beside
from router.wire.chat_replies import in_one_piece
from router.wire.errors import error_body, kind_of
from router.wire.sse import Cutter, data_of

JSON = "application/json"
_PASSED_BACK = (b"retry-after", b"x-request-id", b"request-id")
_MOST_ANSWER_BYTES = 256 * 2**20  # the host bounds what it passes on; this bounds what is read


class Events(Protocol):
    """Turns events of a stream into chunks; `BadAnswer` reports what is not in the dialect."""

    def take(self, event: Any) -> Iterator[bytes]: ...

    def end(self) -> Iterator[bytes]:
        """The last chunks, once no event is left."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request in the server's dialect, and how to read what comes back."""

    path: str
    body: bytes
    events: Events
    completion: Callable[[Any], bytes]  # OpenAI's form of a whole answer; may raise `BadAnswer`
    query: str = ""


class ForeignBackend(ABC):
    api: ClassVar[str]  # the name of the API, for errors

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints

    @abstractmethod
    def exchange(self, call: Call, created: int) -> Exchange:
        """The exchange for a call; `Untranslatable` if the API cannot express it."""

    @abstractmethod
    def refusal(self, response: Response, body: bytes) -> Reply:
        """A server's refusal in OpenAI's form."""

    @asynccontextmanager
    async def send(self, call: Call) -> AsyncIterator[Reply]:
        if call.path != CHAT:
            raise Fault("bad_request", f"{self.api} answers {CHAT}, not {call.path}")
        exchange = await beside(len(call.body), partial(self._exchange, call, int(time.time())))
        post = self._endpoints.post(exchange.path, exchange.body, exchange.query)
        async with post as response:
            if response.status >= 300:
                yield self.refusal(response, await response.error())
            elif call.stream:
                stream = _chunks(response, exchange.events)
                yield Reply(200, "text/event-stream", stream, passed_back(response))
            else:
                answer = await _whole(response)
                try:
                    written = exchange.completion(answer)
                except BadAnswer as bad:
                    raise Fault(bad.kind, bad.detail) from None
                yield Reply(200, JSON, in_one_piece(written), passed_back(response))

    async def close(self) -> None:
        self._endpoints.close()

    def _exchange(self, call: Call, created: int) -> Exchange:
        try:
            return self.exchange(call, created)
        except Untranslatable as reason:
            raise Fault("bad_request", f"{self.api} cannot express this: {reason}") from None


async def _whole(response: Response) -> Any:
    """The JSON of an answer."""
    pieces, size = [], 0
    async for piece in response.pieces():
        size += len(piece)
        if size > _MOST_ANSWER_BYTES:
            raise Fault("too_large", f"the answer is larger than {_MOST_ANSWER_BYTES} bytes")
        pieces.append(piece)
    body = b"".join(pieces)
    try:
        return await beside(len(body), partial(json_of, body))
    except orjson.JSONDecodeError as error:
        raise Fault("malformed", f"the answer is not JSON: {error}") from None


async def _chunks(response: Response, events: Events) -> AsyncIterator[bytes]:
    """The chunks of a stream; a `Fault` if the stream is torn, or is not in its dialect."""
    cutter = Cutter()
    async for piece in response.pieces():
        written = [chunk for event in cutter.cut(piece) for chunk in _taken(events, event)]
        if written:
            yield b"".join(written)
    if cutter.rest:
        last = b"".join(_taken(events, cutter.rest))
        if last:
            yield last
    try:
        ending = b"".join(events.end())
    except BadAnswer as bad:
        raise Fault(bad.kind, bad.detail) from None
    if ending:
        yield ending


def _taken(events: Events, event: bytes) -> list[bytes]:
    data = data_of(event)
    if not data:
        return []
    try:
        return list(events.take(orjson.loads(data)))
    except orjson.JSONDecodeError as error:
        raise Fault("protocol", f"an event of the stream is not JSON: {error}") from None
    except BadAnswer as bad:
        raise Fault(bad.kind, bad.detail) from None


def error_of_openai(status: int, body: bytes, message: str, code: str) -> bytes:
    """An error in OpenAI's form; `message` is empty if the server's body has none to read."""
    shown = message or body[:200].decode("utf-8", "replace") or "the server said nothing more"
    return error_body(shown, kind_of(status), code=code or None)


def passed_back(response: Response) -> Mapping[str, str]:
    headers = response.headers
    return {
        name.decode(): headers[name].decode("latin-1") for name in _PASSED_BACK if name in headers
    }


def json_or_none(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
