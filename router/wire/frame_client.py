"""A router's side of the frames: calls of one backend replica, all over one connection.

The connection is a Unix socket if the replica runs on this machine, else TCP. A call whose caller
leaves is cancelled at the replica; the others go on. A stream whose caller reads slowly stops the
replica, which may be only a window ahead.
"""

import asyncio
import struct
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import orjson

from router.domain import Fault
from router.wire.frames import (
    CALL,
    CANCEL,
    END,
    HEAD,
    HELLO,
    MORE,
    PIECE,
    REFUSED,
    TORN,
    VERSION,
    WHOLE,
    WINDOW_BYTES,
    BadFrame,
    Splitter,
    credit,
    frame,
    head_and_body,
    parts_of,
    with_body,
)
from router.wire.http_client import NoConnection

UNIX = "unix:"  # begins the address of a Unix socket
_CONNECT_SECONDS = 2.0
_NUMBERS = 2**32 - 1
_NO_HEADERS: Mapping[str, str] = {}


class ReplicaAnswer:
    """The answer to one call: first its head, then its pieces. The caller must `finish` it."""

    __slots__ = (
        "_connection",
        "_ended",
        "_headed",
        "_lost",
        "_pieces",
        "_taken",
        "_waiter",
        "content_type",
        "fault",
        "headers",
        "number",
        "seconds",
        "status",
    )

    def __init__(self, connection: "_Connection", number: int) -> None:
        self.status = 0
        self.fault = ""  # the kind of the failure of which the body tells
        self.content_type = ""
        self.seconds = 0.0  # how long the backend took; for a stream, until the first byte
        self.headers: Mapping[str, str] = _NO_HEADERS
        self._connection = connection
        self.number = number
        self._pieces: deque[bytes] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._headed = self._ended = False
        self._lost: Fault | None = None
        self._taken = 0

    async def head(self) -> None:
        while not self._headed:
            await self._news()

    async def pieces(self) -> AsyncIterator[bytes]:
        """The pieces as they come: the first alone, and then those that came together as one."""
        alone = True
        while True:
            if self._pieces:
                yield self._take(alone=alone)
                alone = False
            elif self._ended:
                return
            else:
                await self._news()

    async def whole(self) -> bytes:
        pieces = []
        while True:
            if self._pieces:
                pieces.append(self._take())
            elif self._ended:
                return pieces[0] if len(pieces) == 1 else b"".join(pieces)
            else:
                await self._news()

    def finish(self) -> None:
        """End the call; at the replica too, unless the answer is complete."""
        if not self._ended:
            self._ended = True
            self._connection.cancel(self.number)

    def _take(self, *, alone: bool = False) -> bytes:
        pieces = self._pieces
        if alone or len(pieces) == 1:
            piece = pieces.popleft()
        else:
            piece = b"".join(pieces)
            pieces.clear()
        self._taken += len(piece)
        if self._taken > WINDOW_BYTES // 2 and not self._ended:
            self._connection.write(credit(self.number, self._taken))
            self._taken = 0
        return piece

    async def _news(self) -> None:
        if self._lost is not None:
            raise self._lost
        self._waiter = asyncio.get_running_loop().create_future()
        await self._waiter

    # The connection calls the methods below:
    def began(self, head: Sequence[Any]) -> None:
        self.status, self.fault, self.content_type, self.seconds, self.headers = head
        self._headed = True
        self.wake()

    def came(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self.wake()

    def ended(self) -> None:
        self._ended = True
        self.wake()

    def lost(self, why: str) -> None:
        if not self._ended:
            how = "in the middle of its answer" if self._headed else "without an answer"
            kind = "protocol" if self._headed else "connect"
            self._lost = Fault(kind, f"the connection was closed {how}: {why}")
            self.wake()

    def wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class _Connection(asyncio.Protocol):
    """One connection to a replica, and the answers that are under way on it."""

    def __init__(self, token: bytes) -> None:
        self._token = token
        self._transport: asyncio.Transport | None = None
        self._splitter = Splitter()
        self._answers: dict[int, ReplicaAnswer] = {}
        self._number = 0
        self._writable = asyncio.Event()
        self._writable.set()
        self._leaving = False
        self._why = ""

    @property
    def usable(self) -> bool:
        transport = self._transport
        return transport is not None and not self._leaving and not transport.is_closing()

    def write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def call(self, head: bytes, body: bytes) -> tuple[ReplicaAnswer, bytes]:
        """Begin a call, and return what of the body `send_rest` must send."""
        number = self._number = self._number % _NUMBERS + 1
        answer = self._answers[number] = ReplicaAnswer(self, number)
        data, rest = with_body(CALL, number, head, body)
        self.write(data)
        return answer, rest

    async def send_rest(self, answer: ReplicaAnswer, body: bytes) -> None:
        for part in parts_of(body):
            await self._writable.wait()
            if answer.status or answer.number not in self._answers:
                return  # it is answered already, or lost
            self.write(frame(MORE, answer.number, part))

    def cancel(self, number: int) -> None:
        if self._answers.pop(number, None) is not None:
            self.write(frame(CANCEL, number))
            self._leave_if_done()

    def leave(self) -> None:
        """Close the connection after its last answer."""
        self._leaving = True
        self._leave_if_done()

    def _leave_if_done(self) -> None:
        if self._leaving and not self._answers and self._transport is not None:
            self._transport.close()

    # asyncio calls the methods below:
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # uvloop's has the methods, not the type
        self.write(frame(HELLO, 0, VERSION + self._token))

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        try:
            for kind, number, content in self._splitter.split(data):
                self._received(kind, number, content)
        except (BadFrame, ValueError, struct.error) as error:
            self._why = f"what it sent is no frame: {error}"
            if self._transport is not None:
                self._transport.abort()

    def _received(self, kind: int, number: int, content: bytes) -> None:
        if kind == REFUSED:
            self._why = content.decode("utf-8", "replace")
            return
        answer = self._answers.get(number)
        if answer is None:
            return  # nobody waits for it any more
        if kind == WHOLE:
            head, body, size = head_and_body(content)
            answer.began(head)
            answer.came(body)
            if len(body) == size:
                self._ended(number, answer)
        elif kind == PIECE:
            answer.came(content)
        elif kind == HEAD:
            answer.began(orjson.loads(content))
        elif kind == END:
            self._ended(number, answer)
        elif kind == TORN:
            del self._answers[number]
            answer.lost("the backend's own answer ended so")
        else:
            raise BadFrame(f"its kind is {kind}")

    def _ended(self, number: int, answer: ReplicaAnswer) -> None:
        del self._answers[number]
        answer.ended()
        self._leave_if_done()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._writable.set()
        answers, self._answers = self._answers, {}
        for answer in answers.values():
            answer.lost(self._why or str(exc or "end of file"))


class FrameClient:
    """Calls one replica over a connection that is opened when it is needed."""

    def __init__(self, address: str, token: bytes) -> None:
        self._address, self._token = address, token
        self._connection: _Connection | None = None
        self._opening: asyncio.Future[_Connection] | None = None
        self._closed = False

    async def send(self, head: bytes, body: bytes) -> ReplicaAnswer:
        """Send a call, and return the answer when its head has come.

        Raises `NoConnection` if nothing was sent, and another `Fault` if no answer came.
        """
        connection = self._connection
        if connection is None or not connection.usable:
            connection = await self._opened()
            if not connection.usable:
                raise NoConnection("connect", f"{self._address} closed the connection at once")
        answer, rest = connection.call(head, body)
        try:
            if rest:
                await connection.send_rest(answer, rest)
            await answer.head()
        except BaseException:
            answer.finish()
            raise
        return answer

    def close(self) -> None:
        """Close the connection after the calls that are under way."""
        self._closed = True
        if self._connection is not None:
            self._connection.leave()

    async def _opened(self) -> _Connection:
        """The connection; calls that come while it is opened wait for the same."""
        if self._opening is None:
            self._opening = asyncio.ensure_future(self._open())
            self._opening.add_done_callback(self._was_opened)
        return await asyncio.shield(self._opening)

    def _was_opened(self, opening: "asyncio.Future[_Connection]") -> None:
        self._opening = None
        if not opening.cancelled() and opening.exception() is None:
            self._connection = opening.result()
            if self._closed:
                self._connection.leave()

    async def _open(self) -> _Connection:
        loop = asyncio.get_running_loop()

        def made() -> _Connection:
            return _Connection(self._token)

        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                if self._address.startswith(UNIX):
                    path = self._address.removeprefix(UNIX)
                    _, connection = await loop.create_unix_connection(made, path)
                else:
                    host, _, port = self._address.rpartition(":")
                    _, connection = await loop.create_connection(made, host, int(port))
        except TimeoutError as error:
            detail = f"no connection to {self._address} within {_CONNECT_SECONDS} s"
            raise NoConnection("timeout", detail) from error
        except OSError as error:
            raise NoConnection("connect", f"no connection to {self._address}: {error}") from error
        return connection
