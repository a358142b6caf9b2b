"""Bounds what silent and slow callers can hold of a server: time, connections, memory.

A request's head must arrive within some seconds and has a bounded size. Where all connections are
taken, a new one takes the place of the oldest that has no request; if all have requests, some more
connections are kept for the paths that must always be answered, and the others get a 503.

A connection whose request is being answered is never closed here: bodies and answers have limits of
their own, and only the application knows them.
"""

import asyncio
import resource
from dataclasses import dataclass, field
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from router.wire.asgi import Receive, Scope, Send, respond
from router.wire.errors import error_body

_KEPT = 16  # connections for paths that must always be answered
_OTHER_FILES = 200  # that a process opens beside its connections
_MOST_UNREAD = 64 * 2**20  # bytes of a body that may still come after its answer


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

    def remove(self, connection: "_BoundedProtocol") -> None:
        self.silent.pop(connection, None)
        self.idle.pop(connection, None)


def bounded(bounds: ConnectionBounds) -> type[HttpToolsProtocol]:
    """The protocol for the `http` setting of one uvicorn server."""

    class Bounded(_BoundedProtocol):
        own = _Server(bounds)

    return Bounded


class _BoundedProtocol(HttpToolsProtocol):
    own: _Server  # the same for all connections of a server

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._deadline: asyncio.TimerHandle | None = None
        self._in_head = False
        self._unread_bytes = 0

    # asyncio calls the next three methods:
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        own, most = self.own, self.own.bounds.connections
        if len(self.connections) > most and (own.silent or own.idle):
            next(iter(own.silent or own.idle)).leave()
        if len(self.connections) > most + _KEPT:
            self.leave()
            return
        if len(self.connections) > most:
            self.app = self._only_always
        own.silent[self] = None
        self._await_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._answering or self.transport.is_closing():
            return
        most = self.own.bounds.head_bytes if self._in_head else _MOST_UNREAD
        self._unread_bytes += len(data)
        if self._unread_bytes <= most:
            self._await_head()  # uvicorn gives no time limit to an idle connection that sends
        elif self._in_head:
            self._refuse_head(431, f"The header is longer than {most} bytes.")
        else:
            self.leave()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._head_came()
        self.own.remove(self)

    # httptools calls the next three methods:
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # nobody reads fields that follow a body, and they have no end
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head_came()
        self.own.remove(self)
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._answering or self.transport.is_closing():
            return
        if self._in_head:
            self._await_head()
        else:
            self.own.idle[self] = None

    def leave(self) -> None:
        self.own.remove(self)
        self.connections.discard(self)
        self.transport.close()

    @property
    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _await_head(self) -> None:
        if self._deadline is None:
            seconds = self.own.bounds.head_seconds
            self._deadline = self.loop.call_later(seconds, self._too_late)

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
            self.leave()

    def _refuse_head(self, status: int, message: str) -> None:
        body = error_body(message, "invalid_request_error")
        self.transport.write(
            b"%bcontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%b"
            % (STATUS_LINE[status], len(body), body)
        )
        self.leave()

    async def _only_always(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in self.own.bounds.always:
            await self.config.loaded_app(scope, receive, send)
            return
        message = "All connections of this server are taken: try again in a second."
        body = error_body(message, "server_error", code="too_many_connections")
        headers = [(b"content-type", b"application/json"), (b"retry-after", b"1")]
        await respond(send, 503, body, [*headers, (b"connection", b"close")])
