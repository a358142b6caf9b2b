"""The little of ASGI that both of our servers need."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
HeaderList = list[tuple[bytes, bytes]]

_DRAINED = 64 * 2**20


class TooLarge(Exception):
    """The body is larger than it may be. Most of it was read and thrown away."""


async def read_body(receive: Receive, *, most: int | None = None) -> bytes:
    """The whole body. One that is too large is drained first: a client that is cut off while it
    still sends sees a broken connection, not our answer."""
    message = await receive()
    body: bytes = message.get("body", b"")
    pieces, size = [body], len(body)
    while message.get("more_body"):
        message = await receive()
        piece = message.get("body", b"")
        size += len(piece)
        if most is None or size <= most:
            pieces.append(piece)
        elif size > _DRAINED:
            break
    if most is not None and size > most:
        raise TooLarge
    return body if len(pieces) == 1 else b"".join(pieces)


@asynccontextmanager
async def while_connected(receive: Receive) -> AsyncIterator[None]:
    """Cancel what runs inside when the other end hangs up; then leave quietly."""
    task = asyncio.current_task()
    assert task is not None  # an ASGI server runs us in one
    gone = asyncio.ensure_future(receive())
    gone.add_done_callback(lambda future: None if future.cancelled() else task.cancel())
    try:
        yield
    except asyncio.CancelledError:
        if not gone.done() or gone.cancelled():
            raise
        task.uncancel()
    finally:
        gone.cancel()


async def respond(send: Send, status: int, body: bytes, headers: HeaderList) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})


async def lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return
