"""A minimal HTTP/1.1 client: pooled connections and the parser of httptools.

The client knows no redirects, cookies or encodings, and only proxies that speak HTTP without TLS;
through such a proxy it reaches a server with TLS by a tunnel. With aiohttp's client, a router and a
backend replica together need about 150 µs more CPU for each request, a fifth of all that a request
costs.
"""

import asyncio
import ssl
from base64 import b64encode
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import httptools

from router.domain import Fault

_PAUSE_AT = 64  # unread pieces of a stream after which the connection pauses


class NoConnection(Fault):
    """No connection could be made, so nothing was sent."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy. `authorization` is the value of its header, or empty."""

    host: str
    port: int
    authorization: bytes = b""

    def lines(self) -> bytes:
        if not self.authorization:
            return b""
        return b"proxy-authorization: %b\r\n" % self.authorization


def proxy_at(address: str) -> Proxy | None:
    """The proxy at an address of the environment; None if the address is empty."""
    if not address:
        return None
    url = urlsplit(address)
    if url.scheme != "http" or not url.hostname:
        rule = "only a proxy with http:// can be used"
        raise ValueError(f"the proxy of the environment is {url.scheme}://…: {rule}")
    authorization = b""
    if url.username is not None:
        pair = f"{unquote(url.username)}:{unquote(url.password or '')}"
        authorization = b"Basic " + b64encode(pair.encode())
    return Proxy(url.hostname, url.port or 80, authorization)


class Connection(asyncio.Protocol):
    """One connection, and the answer to its current call: first the head, then the pieces."""

    def __init__(self, pool: "list[Connection]") -> None:
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.used_before = False
        self._pool = pool
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._pieces: deque[bytes] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._headed = self._ended = self._keep = False
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
        """The pieces as they come: the first alone, and then those that came together as one."""
        pieces, alone = self._pieces, True
        while True:
            while pieces:
                if alone or len(pieces) == 1:
                    piece, alone = pieces.popleft(), False
                else:
                    piece = b"".join(pieces)
                    pieces.clear()
                yield piece
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

    async def secure(self, context: ssl.SSLContext, host: str) -> None:
        """Go on with TLS, for a server behind a tunnel."""
        assert self._transport is not None
        loop = asyncio.get_running_loop()
        secured = await loop.start_tls(self._transport, self, context, server_hostname=host)
        if secured is None:
            raise OSError("the connection was lost during the handshake")
        self._transport = secured

    @property
    def untouched(self) -> bool:
        """Whether no byte of an answer has come."""
        return not self._headed and not self.headers

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def finish(self) -> None:
        """End the call: keep the connection if the answer is complete, else cut the connection."""
        if self._ended and self._keep and self.usable:
            self.used_before = True
            self._pieces.clear()
            self._pool.append(self)
        else:
            self.abort()

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

    # asyncio calls the next three methods:
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self._transport = transport  # type: ignore[assignment]  # uvloop's has the methods, not the type

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._lost = Fault("protocol", f"the answer is not HTTP: {error}")
            self.abort()
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._lost is None:
            how = "in the middle of its answer" if self._headed else "without an answer"
            kind = "protocol" if self._headed else "connect"
            self._lost = Fault(kind, f"the connection was closed {how}: {exc or 'end of file'}")
        self._wake()

    # httptools calls the methods below:
    def on_message_begin(self) -> None:
        self.headers = {}

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        self._headed = self.status >= 200  # a 1xx status only announces the answer

    def on_body(self, body: bytes) -> None:
        self._pieces.append(body)
        if len(self._pieces) > _PAUSE_AT and self._transport is not None:
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        self._ended = self._headed
        self._keep = self._parser.should_keep_alive()  # the parser forgets the flag later


class ConnectionPool:
    """Idle connections to one server, for the next calls. `context` is for a server with TLS."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        context: ssl.SSLContext | None = None,
        seconds: float = 2.0,
        proxy: Proxy | None = None,
    ) -> None:
        self._host, self._port = host, port
        self._context = context
        self._seconds = seconds
        self._proxy = proxy
        self._kept: list[Connection] = []

    async def send(self, head: bytes, body: bytes) -> Connection:
        """Send a request, and return the connection when the head of the answer has come.

        The caller must `finish` the connection. Raises `NoConnection` if nothing was sent.
        """
        sent = False
        while True:
            try:
                connection = await self._connected()
            except NoConnection as fault:
                if sent:
                    raise Fault(fault.kind, fault.detail) from fault
                raise
            fresh = not connection.used_before
            try:
                sent = True
                connection.start(head, body)
                await connection.head()
            except Fault:
                untouched = connection.untouched
                connection.finish()
                if fresh or not untouched:
                    raise
                continue  # the server closed the idle connection just as we took it
            except BaseException:
                connection.finish()
                raise
            return connection

    def close(self) -> None:
        while self._kept:
            self._kept.pop().abort()

    async def _connected(self) -> Connection:
        while self._kept:
            connection = self._kept.pop()
            if connection.usable:
                return connection
        where = f"{self._host}:{self._port}"
        if self._proxy is not None:
            where += f" through the proxy {self._proxy.host}:{self._proxy.port}"
        try:
            async with asyncio.timeout(self._seconds):
                return await (self._direct() if self._proxy is None else self._through(self._proxy))
        except TimeoutError as error:
            detail = f"no connection to {where} within {self._seconds} s"
            raise NoConnection("timeout", detail) from error
        except (OSError, ssl.SSLError) as error:
            raise NoConnection("connect", f"no connection to {where}: {error}") from error

    async def _direct(self) -> Connection:
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: Connection(self._kept), self._host, self._port, ssl=self._context
        )
        return connection

    async def _through(self, proxy: Proxy) -> Connection:
        """A connection to the proxy, or for a server with TLS a tunnel through the proxy."""
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: Connection(self._kept), proxy.host, proxy.port
        )
        if self._context is None:
            return connection
        try:
            where = b"%b:%d" % (self._host.encode("idna"), self._port)
            head = b"CONNECT %b HTTP/1.1\r\nhost: %b\r\n%b\r\n" % (where, where, proxy.lines())
            connection.start(head, b"")
            await connection.head()
            if connection.status != 200:
                needs = ": it wants other credentials" if connection.status == 407 else ""
                raise OSError(f"the proxy answered {connection.status}{needs}")
            await connection.secure(self._context, self._host)
        except Fault as fault:
            connection.abort()
            raise OSError(fault.detail) from fault
        except BaseException:
            connection.abort()
            raise
        return connection
