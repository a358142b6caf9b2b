"""The hop from a router to a backend replica: pooled HTTP/1.1 on httptools, and nothing else.

Both ends are ours and speak plain HTTP over short distances, so this leaves out what a general
client carries (redirects, TLS, cookies, encodings) and costs a fifth of its CPU.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator

import httptools

from router.backends.base import Call, Fault
from router.backends.host import REQUEST_ID, STREAM, TOKEN

_PAUSE_AT = 64  # pieces of a stream that its reader has not taken yet


class Connection(asyncio.Protocol):
    """One connection, one call at a time. Also the answer to that call: head, then pieces."""

    def __init__(self, pool: "list[Connection]") -> None:
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.used_before = False
        self._pool = pool
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._pieces: deque[bytes] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._headed = self._ended = False
        self._lost: Fault | None = None

    @property
    def usable(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def start(self, head: bytes, body: bytes) -> None:
        assert self._transport is not None
        self._parser = httptools.HttpResponseParser(self)
        self.headers, self.status = {}, 0
        self._pieces.clear()
        self._headed = self._ended = False
        self._transport.write(head + body)

    async def head(self) -> None:
        while not self._headed:
            await self._news()

    async def pieces(self) -> AsyncIterator[bytes]:
        while True:
            while self._pieces:
                yield self._pieces.popleft()
            if self._ended:
                return
            if self._transport is not None:
                self._transport.resume_reading()
            await self._news()

    async def whole(self) -> bytes:
        while not self._ended:
            if self._transport is not None:
                self._transport.resume_reading()
            await self._news()
        return self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)

    def finish(self) -> None:
        """The caller is done: keep the connection if the answer is complete, cut it if not."""
        if self._ended and self.usable and self._parser.should_keep_alive():
            self.used_before = True
            self._pieces.clear()
            self._pool.append(self)
        elif self._transport is not None:
            self._transport.abort()

    async def _news(self) -> None:
        if self._lost is not None:
            raise self._lost
        self._waiter = asyncio.get_running_loop().create_future()
        await self._waiter
        if self._lost is not None and not self._pieces and not self._ended:
            raise self._lost

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # What asyncio calls
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self._transport = transport  # type: ignore[assignment]  # uvloop's is one in all but type

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._lost = Fault("replica_lost", f"not HTTP: {error}")
            if self._transport is not None:
                self._transport.abort()
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._lost is None:
            self._lost = Fault("replica_lost", f"the replica closed the connection: {exc or 'EOF'}")
        self._wake()

    # What httptools calls
    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        self._headed = True

    def on_body(self, body: bytes) -> None:
        self._pieces.append(body)
        if len(self._pieces) > _PAUSE_AT and self._transport is not None:
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        self._ended = True


class Hops:
    """Connections to every replica this router talks to."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()
        self._pools: dict[str, list[Connection]] = {}

    async def send(self, address: str, call: Call, *, connect_seconds: float = 2.0) -> Connection:
        """A connection on which the head of the answer has arrived. `finish` it at the end."""
        while True:
            connection = await self._connected(address, connect_seconds)
            fresh = not connection.used_before
            try:
                connection.start(self._head(address, call), call.body)
                await connection.head()
            except Fault:
                connection.finish()
                if fresh:
                    raise
                continue  # a kept connection that the replica closed as we took it
            except BaseException:
                connection.finish()
                raise
            return connection

    def forget(self, keep: frozenset[str]) -> None:
        """Close what is kept open to replicas that are gone."""
        for address in self._pools.keys() - keep:
            for connection in self._pools.pop(address):
                connection._ended = False
                connection.finish()

    async def _connected(self, address: str, seconds: float) -> Connection:
        pool = self._pools.setdefault(address, [])
        while pool:
            connection = pool.pop()
            if connection.usable:
                return connection
        host, _, port = address.rpartition(":")
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(seconds):
                _, connection = await loop.create_connection(
                    lambda: Connection(pool), host, int(port)
                )
        except (OSError, TimeoutError) as error:
            raise Fault("replica_lost", f"no connection to the replica: {error}") from error
        return connection

    def _head(self, address: str, call: Call) -> bytes:
        return b"".join(
            (
                b"POST /v1", call.path.encode(), b" HTTP/1.1\r\nhost: ", address.encode(),
                b"\r\n", TOKEN, b": ", self._token,
                b"\r\n", REQUEST_ID, b": ", call.request_id.encode(),
                b"\r\n", STREAM, b": 1" if call.stream else b": 0",
                b"\r\ncontent-length: ", str(len(call.body)).encode(), b"\r\n\r\n",
            )
        )  # fmt: skip
