"""The parts of ASGI that our servers share: read a body, respond, notice a caller who leaves."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
HeaderList = list[tuple[bytes, bytes]]

_MOST_DRAINED = 64 * 2**20


class WatchedReceive:
    """A `receive` that calls `when_lost` once if the caller hangs up before the answer's end."""

    __slots__ = ("lost", "when_lost")

    def __init__(self) -> None:
        self.lost = False
        self.when_lost: Callable[[], object] | None = None

    async def __call__(self) -> Message:
        raise NotImplementedError

    def body(self) -> bytes | None:
        """The whole body, if it has arrived and nobody received a part of it."""
        raise NotImplementedError


class BodyTooLarge(Exception):
    """The request's body is too large. Most of the body was read and discarded."""


class CallerLeft(ConnectionError):
    """The caller hung up before sending the whole body, so nobody waits for an answer."""


class BodyTooSlow(Exception):
    """The request's body did not arrive in time; `arrived` bytes of it did."""

    def __init__(self, arrived: int) -> None:
        super().__init__(f"only {arrived} bytes arrived")
        self.arrived = arrived


@dataclass(frozen=True, slots=True)
class Patience:
    """How slowly a body may arrive: after the first seconds, at this rate from the beginning on."""

    first_seconds: float = 15.0
    bytes_per_second: int = 64 * 2**10


async def read_body(
    receive: Receive, *, most: int | None = None, patience: Patience = Patience()
) -> bytes:
    """Read the whole body. Raises `BodyTooLarge`, `BodyTooSlow` or `CallerLeft`.

    A body that is too large is drained first: a client that is cut off while it still sends sees a
    broken connection instead of our answer.
    """
    body = receive.body() if isinstance(receive, WatchedReceive) else None
    if body is not None:
        if most is not None and len(body) > most:
            raise BodyTooLarge
        return body
    pieces: list[bytes] = []
    size, more = 0, True
    until = asyncio.get_running_loop().time() + patience.first_seconds
    try:
        async with asyncio.timeout_at(until) as deadline:
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise CallerLeft
                piece = message.get("body", b"")
                size, more = size + len(piece), message.get("more_body", False)
                if most is None or size <= most:
                    pieces.append(piece)
                elif size > _MOST_DRAINED:
                    break
                if more:
                    deadline.reschedule(until + size / patience.bytes_per_second)
    except TimeoutError:
        raise BodyTooSlow(size) from None
    if most is not None and size > most:
        raise BodyTooLarge
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


class WhileConnected:
    """Cancel the block when the caller hangs up, and leave the block without an error.

    With a server other than ours, we must listen for that. We begin after some milliseconds: most
    answers are ready by then, and a task costs more than a timer.
    """

    def __init__(self, receive: Receive, *, after: float = 0.02) -> None:
        self._receive = receive
        self._after = after
        self._gone: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._left = False

    async def __aenter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None  # an ASGI server runs every request in a task
        self._task, receive = task, self._receive
        if isinstance(receive, WatchedReceive):
            self._before, receive.when_lost = receive.when_lost, self._leave
            if receive.lost:
                self._leave()
        else:
            self._timer = asyncio.get_running_loop().call_later(self._after, self._listen)

    def _leave(self) -> None:
        self._left = True
        self._task.cancel()

    def _listen(self) -> None:
        self._gone = asyncio.ensure_future(self._hung_up())
        self._gone.add_done_callback(lambda f: None if f.cancelled() else self._leave())

    async def _hung_up(self) -> None:
        # The body of a request, which may be empty, comes first if nobody has read it.
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        if isinstance(self._receive, WatchedReceive):
            self._receive.when_lost = self._before
        if self._timer is not None:
            self._timer.cancel()
        if self._gone is not None:
            self._gone.cancel()
        if kind is asyncio.CancelledError and self._left:
            self._task.uncancel()
            return True
        return False


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
