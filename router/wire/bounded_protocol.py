"""HTTP/1.1 for uvicorn's server, with bounds on what silent and slow callers can hold of it.

A request's head must arrive within some seconds and has a bounded size. Where all connections are
taken, a new one takes the place of the oldest that has no request; if all have requests, some more
connections are kept for the paths that must always be answered, and the others get a 503.

A connection whose request is being answered is never closed here: bodies and answers have limits of
their own, and only the application knows them. Not covered: WebSocket and HTTP/2; a request to
upgrade is answered as any other.
"""

import asyncio
import logging
import resource
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import httptools
from uvicorn.config import Config
from uvicorn.server import ServerState

from router.wire.asgi import HeaderList, Receive, Scope, Send, respond
from router.wire.errors import error_body
from router.wire.exchange import HIGH_WATER_BYTES, STATUS_LINES, Exchange

_KEPT = 16  # connections for paths that must always be answered
_OTHER_FILES = 200  # that a process opens beside its connections
_MOST_UNREAD = 64 * 2**20  # bytes of a body that may still come after its answer
_INVALID = b"Invalid HTTP request received."
_log = logging.getLogger("waggle")

_App = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class ConnectionBounds:
    """What callers can hold. The paths of `always` are answered even if all connections are."""

    connections: int
    always: frozenset[str] = frozenset()
    head_seconds: float = 10.0
    head_bytes: int = 64 * 2**10


def connections_within(most: int) -> int:
    """At most this many connections, and no more than this process may open files."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return most if soft == resource.RLIM_INFINITY else max(_KEPT, min(most, soft - _OTHER_FILES))


@dataclass
class _Server:
    """The connections of one server that have no request: the oldest one first."""

    bounds: ConnectionBounds
    silent: dict["_BoundedProtocol", None] = field(default_factory=dict)  # never had a request
    idle: dict["_BoundedProtocol", None] = field(default_factory=dict)
    headers: HeaderList = field(default_factory=list)  # of each answer, as uvicorn has them
    head: bytes = b""  # the same, as they go out

    def remove(self, connection: "_BoundedProtocol") -> None:
        self.silent.pop(connection, None)
        self.idle.pop(connection, None)


def bounded(bounds: ConnectionBounds) -> type[asyncio.Protocol]:
    """The protocol for the `http` setting of one uvicorn server."""

    class Bounded(_BoundedProtocol):
        own = _Server(bounds)

    return Bounded


class _BoundedProtocol(asyncio.Protocol):
    own: _Server  # the same for all connections of a server
    transport: asyncio.Transport

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self.app: _App = config.loaded_app
        self.writable = asyncio.Event()
        self.writable.set()
        self._config, self._state, self._app_state = config, server_state, app_state
        self._loop = _loop or asyncio.get_running_loop()
        self._parser: Any = httptools.HttpRequestParser(self)
        # A caller may send more after a request that it called its last: the answer still goes out.
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._reading: Exchange | None = None  # whose request came last
        self._waiting: deque[Exchange] = deque()  # behind another, for their turn
        self._paused = False
        self._url, self._headers, self._expects = b"", HeaderList(), False
        self._deadline: asyncio.TimerHandle | None = None
        self._ending: asyncio.TimerHandle | None = None
        self._idle_since: float | None = None
        self._in_head = False
        self._unread_bytes = 0

    # asyncio calls the next methods:
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # uvloop's has the methods, not the type
        self._place = {
            "server": _address(transport.get_extra_info("sockname")),
            "client": _address(transport.get_extra_info("peername")),
            "scheme": "https" if transport.get_extra_info("sslcontext") else "http",
            "root_path": self._config.root_path,
        }
        connections = self._state.connections
        connections.add(self)  # type: ignore[arg-type]  # uvicorn names its own protocols
        own, most = self.own, self.own.bounds.connections
        if len(connections) > most and (own.silent or own.idle):
            next(iter(own.silent or own.idle)).close()
        if len(connections) > most + _KEPT:
            self.close()
            return
        if len(connections) > most:
            self.app = self._only_always
        own.silent[self] = None
        self._await_head()

    def data_received(self, data: bytes) -> None:
        self._idle_since = None
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # the answer to that request is the last of its connection
        except httptools.HttpParserError:
            self._refuse(400, b"text/plain; charset=utf-8", _INVALID)
            return
        if self._answering or self.transport.is_closing():
            return
        most = self.own.bounds.head_bytes if self._in_head else _MOST_UNREAD
        self._unread_bytes += len(data)
        if self._unread_bytes <= most:
            self._await_head()
        elif self._in_head:
            self._refuse_head(431, f"The header is longer than {most} bytes.")
        else:
            self.close()

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio passes it
        self._state.connections.discard(self)
        self._head_came()
        self.own.remove(self)
        if self._ending is not None:
            self._ending.cancel()
        if self._reading is not None:
            self._reading.leave()
        for exchange in self._waiting:
            exchange.leave()
        self._waiting.clear()
        self.writable.set()
        # Without these circles, a closed connection is freed at once.
        self._reading, self._parser, self.app = None, None, self._config.loaded_app

    # httptools calls the next methods:
    def on_message_begin(self) -> None:
        self._in_head = True
        self._url, self._headers, self._expects = b"", [], False

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_head:
            return  # nobody reads fields that follow a body, and they have no end
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self._expects = True
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head_came()
        self.own.remove(self)
        parser = self._parser
        version = parser.get_http_version()
        url = httptools.parse_url(self._url)
        path, root = url.path.decode("ascii"), self._config.root_path
        scope = {
            "type": "http",
            "asgi": {"version": self._config.asgi_version, "spec_version": "2.3"},
            "http_version": version,
            "method": parser.get_method().decode("ascii"),
            "path": root + (unquote(path) if "%" in path else path),
            "raw_path": root.encode("ascii") + url.path,
            "query_string": url.query or b"",
            "headers": self._headers,
            "state": self._app_state.copy(),
            **self._place,
        }
        lasts = version != "1.0" and parser.should_keep_alive() and not parser.should_upgrade()
        exchange = Exchange(self, scope, keep_alive=lasts, waits=self._expects)
        behind, self._reading = self._answering, exchange
        if behind:
            self._waiting.append(exchange)
            self._pause_reading()
        else:
            self._answer(exchange)

    def on_body(self, body: bytes) -> None:
        exchange = self._reading
        if exchange is not None and not exchange.complete:
            exchange.came(body)
            if exchange.unread_bytes > HIGH_WATER_BYTES:
                self._pause_reading()

    def on_message_complete(self) -> None:
        if self._reading is not None:
            self._reading.all_came()

    # Uvicorn calls this at its end:
    def shutdown(self) -> None:
        if not self._answering:
            self.transport.close()
        elif self._reading is not None:
            self._reading.keep_alive = False

    # An exchange calls the next three methods:
    def head(self) -> bytes:
        own = self.own
        if own.headers is not self._state.default_headers:  # uvicorn renews them each second
            own.headers = self._state.default_headers
            own.head = b"".join(b"%b: %b\r\n" % header for header in own.headers)
        return own.head

    def resume_reading(self) -> None:
        if self._paused:
            self._paused = False
            self.transport.resume_reading()

    def answered(self, exchange: Exchange) -> None:  # noqa: ARG002 - there is but one at a time
        self._state.total_requests += 1
        if self.transport.is_closing():
            return
        self.resume_reading()
        if self._waiting:
            self._answer(self._waiting.popleft())
        elif self._in_head:
            self._await_head()
        else:
            self.own.idle[self] = None
            self._idle_since = self._loop.time()
            if self._ending is None:
                seconds = self._config.timeout_keep_alive
                self._ending = self._loop.call_later(seconds, self._end_if_idle)

    def close(self) -> None:
        self.own.remove(self)
        self._state.connections.discard(self)
        self.transport.close()

    @property
    def _answering(self) -> bool:
        return self._reading is not None and not self._reading.complete

    def _answer(self, exchange: Exchange) -> None:
        task = exchange.task = self._loop.create_task(self._run(exchange))
        self._state.tasks.add(task)
        task.add_done_callback(self._state.tasks.discard)

    async def _run(self, exchange: Exchange) -> None:
        try:
            await self.app(exchange.scope, exchange, exchange.send)
        except (Exception, asyncio.CancelledError) as error:
            if not exchange.lost:
                _log.error("a request failed: %r", error, exc_info=error)
        if not (exchange.complete or exchange.lost):
            await exchange.fail()
        exchange.task = None  # which holds this coroutine

    def _pause_reading(self) -> None:
        if not self._paused:
            self._paused = True
            self.transport.pause_reading()

    def _end_if_idle(self) -> None:
        """Close the connection if it was idle for long; looked at once in a while, as a timer for
        each request costs more."""
        self._ending = None
        if self._idle_since is not None:
            left = self._idle_since + self._config.timeout_keep_alive - self._loop.time()
            if left > 0:
                self._ending = self._loop.call_later(left, self._end_if_idle)
            else:
                self.transport.close()

    def _await_head(self) -> None:
        if self._deadline is None:
            seconds = self.own.bounds.head_seconds
            self._deadline = self._loop.call_later(seconds, self._too_late)

    def _head_came(self) -> None:
        self._unread_bytes = 0
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_late(self) -> None:
        seconds = self.own.bounds.head_seconds
        if self._in_head:
            self._refuse_head(408, f"The header did not arrive within {seconds:g} seconds.")
        else:
            self.close()

    def _refuse_head(self, status: int, message: str) -> None:
        body = error_body(message, "invalid_request_error")
        self._refuse(status, b"application/json", body)

    def _refuse(self, status: int, kind: bytes, body: bytes) -> None:
        self.transport.write(
            b"%bcontent-type: %b\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%b"
            % (STATUS_LINES[status], kind, len(body), body)
        )
        self.close()

    async def _only_always(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in self.own.bounds.always:
            await self._config.loaded_app(scope, receive, send)
            return
        message = "All connections of this server are taken: try again in a second."
        body = error_body(message, "server_error", code="too_many_connections")
        headers = [(b"content-type", b"application/json"), (b"retry-after", b"1")]
        await respond(send, 503, body, [*headers, (b"connection", b"close")])


def _address(name: Any) -> tuple[str, int | None] | None:
    """An address as ASGI has it: of a Unix socket without a port."""
    if isinstance(name, tuple):
        return (str(name[0]), int(name[1]))
    return (name, None) if name else None
