"""What the backends of foreign dialects share: reading a server's answers, streams and errors."""

from collections.abc import AsyncIterator, Iterator, Mapping
from functools import partial
from typing import Any, Protocol

import orjson

from router.backends.endpoints import Response
from router.dialects.completions import BadAnswer
from router.domain import Fault
from router.request.json_body import json_of
from router.wire.beside import beside
from router.wire.errors import error_body, kind_of
from router.wire.sse import Cutter, data_of

_PASSED_BACK = (b"retry-after", b"x-request-id", b"request-id")
_MOST_ANSWER_BYTES = 256 * 2**20  # the host bounds what it passes on; this bounds what is read


class Events(Protocol):
    """Turns events of a stream into chunks; `BadAnswer` reports what is not in the dialect."""

    def take(self, event: Any) -> Iterator[bytes]: ...

    def end(self) -> Iterator[bytes]:
        """The last chunks, once no event is left."""


async def whole(response: Response) -> Any:
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


async def chunks(response: Response, events: Events) -> AsyncIterator[bytes]:
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
