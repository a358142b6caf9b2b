"""One HTTP request and its answer, as an ASGI application sees them.

The exchange itself is the application's `receive`. Its head and its body are written together where
the length of the body is given. A head or a body that is no valid HTTP raises.
"""

import asyncio
import http
from functools import lru_cache
from typing import Protocol

from router.wire.asgi import HeaderList, Message, Scope, WatchedReceive

HIGH_WATER_BYTES = 65536  # of a body that nobody has received; beyond, reading stops

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_CONTROLS = bytes(set(range(32)) - {9} | {127})  # none may stand in a header but a tab
_SEPARATORS = _CONTROLS + b'()<>@,;:[]={} \t\\"'  # none may stand in a header's name
_LONG_BYTES = 65536  # a body that is not copied to join its head
_BODILESS = (204, 304)


def _status_line(status: int) -> bytes:
    try:
        phrase = http.HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    return f"HTTP/1.1 {status} {phrase}\r\n".encode()


STATUS_LINES = {status: _status_line(status) for status in range(100, 600)}


class Line(Protocol):
    """The connection of an exchange."""

    transport: asyncio.Transport
    writable: asyncio.Event

    def head(self) -> bytes:
        """The headers that the server gives each answer, as they go out."""

    def resume_reading(self) -> None: ...

    def answered(self, exchange: "Exchange") -> None: ...


class Exchange(WatchedReceive):
    __slots__ = (
        "_arrived",
        "_begun",
        "_chunked",
        "_head",
        "_left",
        "_line",
        "_news",
        "_pieces",
        "_received",
        "_taken",
        "_waits",
        "also",
        "complete",
        "keep_alive",
        "scope",
        "task",
        "unread_bytes",
    )

    def __init__(self, line: Line, scope: Scope, *, keep_alive: bool, waits: bool) -> None:
        super().__init__()
        self.scope = scope
        self.keep_alive = keep_alive
        self.task: asyncio.Task[None] | None = None  # that answers
        self.also: HeaderList = []  # headers that the server adds to this answer
        self.complete = False  # the whole answer was written
        self.unread_bytes = 0
        self._line = line
        self._waits = waits  # for a 100 Continue, before it sends its body
        self._pieces: list[bytes] = []
        self._arrived = self._received = False  # the whole body
        self._taken = False  # some of it
        self._news: asyncio.Event | None = None
        self._begun = False
        self._head = b""  # is written with the body
        self._chunked: bool | None = None
        self._left = 0  # bytes of the body that are still to come

    async def __call__(self) -> Message:
        line = self._line
        if self._waits and not line.transport.is_closing():
            self._waits = False
            line.transport.write(_CONTINUE)
        while not (self.lost or self.complete):
            if self._pieces or (self._arrived and not self._received):
                pieces, self._pieces, self.unread_bytes = self._pieces, [], 0
                self._received, self._taken = self._arrived, True
                body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
                return {"type": "http.request", "body": body, "more_body": not self._arrived}
            line.resume_reading()
            self._news = self._news or asyncio.Event()
            self._news.clear()
            await self._news.wait()
        return {"type": "http.disconnect"}

    def body(self) -> bytes | None:
        if not self._arrived or self._received or self._taken or self.lost:
            return None
        self._received = True
        pieces, self._pieces, self.unread_bytes = self._pieces, [], 0
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def send(self, message: Message) -> None:
        line = self._line
        while not (line.writable.is_set() or self.lost):
            await line.writable.wait()
        if self.lost:
            return
        kind = message["type"]
        if self.complete:
            raise RuntimeError(f"{kind!r} comes after the end of the answer")
        if kind != ("http.response.body" if self._begun else "http.response.start"):
            raise RuntimeError(f"{kind!r} may not come here")
        if self._begun:
            self._send_body(message.get("body", b""), more=message.get("more_body", False))
        else:
            self._send_head(message["status"], [*message.get("headers", ()), *self.also])

    def _send_head(self, status: int, headers: HeaderList) -> None:
        self._begun, self._waits = True, False
        parts = [STATUS_LINES[status], self._line.head()]
        closes = False
        for name, value in headers:
            begin = _begin_of(name)
            parts += (begin, value, b"\r\n")
            if begin == b"content-length: " and self._chunked is None:
                self._left, self._chunked = int(value), False
            elif begin == b"transfer-encoding: " and value.lower() == b"chunked":
                self._left, self._chunked = 0, True
            elif begin == b"connection: " and b"close" in _tokens(value):
                self.keep_alive, closes = False, True
        if not self.keep_alive and not closes:
            parts.append(b"connection: close\r\n")
        if self._chunked is None and self.scope["method"] != "HEAD" and status not in _BODILESS:
            self._chunked = True
            parts.append(b"transfer-encoding: chunked\r\n")
        parts.append(b"\r\n")
        values = b"".join(value for _, value in headers)
        if len(values.translate(None, _CONTROLS)) != len(values):
            raise RuntimeError("a header's value holds a control character")
        head = b"".join(parts)
        if self._chunked is False:
            self._head = head
        else:
            self._line.transport.write(head)

    def _send_body(self, body: bytes, *, more: bool) -> None:
        write, head = self._line.transport.write, self._head
        self._head = b""
        if self.scope["method"] == "HEAD":
            self._left = 0
            body = b""
        elif self._chunked:
            size = len(body)
            body = b"%x\r\n%b\r\n" % (size, body) if size else b""
            body += b"" if more else b"0\r\n\r\n"
        else:
            self._left -= len(body)
            if self._left < 0:
                raise RuntimeError("the body is longer than its content-length")
        if head and len(body) <= _LONG_BYTES:
            write(head + body)
        else:
            if head:
                write(head)
            if body:
                write(body)
        if not more:
            if self._left:
                raise RuntimeError("the body is shorter than its content-length")
            self._finish()

    def _finish(self) -> None:
        self.complete = True
        self._wake()
        if not self.keep_alive:
            self._line.transport.close()
        self._line.answered(self)

    async def fail(self) -> None:
        """Answer 500 if the application has not begun to answer; else close the connection."""
        if self.lost or self.complete:
            return
        if self._begun:
            if self._head:
                self._line.transport.write(self._head)
            self._line.transport.close()
            return
        body = b"Internal Server Error"
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
        headers.append((b"content-length", str(len(body)).encode()))
        await self.send({"type": "http.response.start", "status": 500, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})

    # The connection calls the methods below:
    def came(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self.unread_bytes += len(piece)
        self._wake()

    def all_came(self) -> None:
        self._arrived = True
        self._wake()

    def leave(self) -> None:
        """The caller is gone."""
        if not self.complete:
            self.lost = True
            if self.when_lost is not None:
                self.when_lost()
        self._wake()

    def _wake(self) -> None:
        if self._news is not None:
            self._news.set()


@lru_cache(512)
def _begin_of(name: bytes) -> bytes:
    """The beginning of a header's line."""
    if len(name.translate(None, _SEPARATORS)) != len(name):
        raise RuntimeError(f"{name!r} is no name of a header")
    return name.lower() + b": "


def _tokens(value: bytes) -> list[bytes]:
    return [token.strip() for token in value.lower().split(b",")]
