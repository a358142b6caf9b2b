"""A backend replica's side of the frames: it answers routers on a Unix socket and on TCP.

The socket stands in a folder that only its owner may enter, and is for routers on this machine. TCP
is for those on other nodes. Both want the token: until it came, a connection may send no more than
the token's bytes, gets ten seconds for them, and gives way to newer connections.
"""

import asyncio
import contextlib
import hmac
import os
import shutil
import socket
import struct
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import orjson

from router.domain import Call
from router.wire.frame_client import UNIX
from router.wire.frames import (
    CALL,
    CANCEL,
    CREDIT,
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
    credit_in,
    frame,
    head_and_body,
    parts_of,
    with_body,
)

_TURNS_TO_ACCEPT = 4  # of the event loop
_MOST_STRANGERS = 64  # connections without a token
_FOLDER = "hop-"  # begins the name of a socket's folder
_LONGEST = 80  # of the folder around it: the path of a Unix socket has at most 107 bytes
_NO_HEADERS: Mapping[str, str] = {}
_STRANGER = "this port belongs to Waggle's router"
_IN_HTTP = (
    b"HTTP/1.1 403 Forbidden\r\ncontent-type: application/json\r\nconnection: close\r\n"
    b"content-length: %d\r\n\r\n%b"
)


class Answers(Protocol):
    async def __call__(self, backend: str, call: Call, out: "CallOutput") -> None:
        """Answer a call of a backend; the task is cancelled if the router cancels the call."""


class CallOutput:
    """Where the answer to one call goes: one whole answer, or a head, pieces and an end."""

    __slots__ = ("_connection", "_number", "_room", "_waiter")

    def __init__(self, connection: "_ReplicaConnection", number: int) -> None:
        self._connection = connection
        self._number = number
        self._room = WINDOW_BYTES
        self._waiter: asyncio.Future[None] | None = None

    async def whole(
        self,
        status: int,
        body: bytes,
        *,
        content_type: str = "application/json",
        seconds: float = 0.0,
        headers: Mapping[str, str] = _NO_HEADERS,
        fault: str = "",
    ) -> None:
        head = orjson.dumps((status, fault, content_type, seconds, headers))
        data, rest = with_body(WHOLE, self._number, head, body)
        self._connection.write(data)
        if rest:
            for part in parts_of(rest):
                await self._connection.writable.wait()
                self._connection.write(frame(PIECE, self._number, part))
            self._connection.write(frame(END, self._number))

    def begin(
        self, status: int, *, content_type: str, seconds: float, headers: Mapping[str, str]
    ) -> None:
        head = orjson.dumps((status, "", content_type, seconds, headers))
        self._connection.write(frame(HEAD, self._number, head))

    async def more(self, piece: bytes) -> None:
        """Send a piece; wait while the router takes nothing."""
        if len(piece) <= WINDOW_BYTES:
            self._connection.write(frame(PIECE, self._number, piece))
        else:
            for part in parts_of(piece):
                self._connection.write(frame(PIECE, self._number, part))
        self._room -= len(piece)
        if self._room < 0:
            await self._taken()

    def end(self) -> None:
        self._connection.write(frame(END, self._number))

    def tear(self) -> None:
        """End an answer too early, so that nobody takes it for whole."""
        self._connection.write(frame(TORN, self._number))

    async def _taken(self) -> None:
        while self._room < 0:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter

    def credited(self, size: int) -> None:
        self._room += size
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class _Incoming:
    """A call whose body has not come whole."""

    def __init__(self, head: Any, size: int) -> None:
        self.head, self.missing = head, size
        self.parts: list[bytes] = []

    def take(self, part: bytes) -> bool:
        """Take a part; return whether the body is whole."""
        self.parts.append(part)
        self.missing -= len(part)
        if self.missing < 0:
            raise BadFrame("a body is longer than its call says")
        return self.missing == 0


class _ReplicaConnection(asyncio.Protocol):
    """One connection from a router: its token, then its calls."""

    def __init__(self, server: "FrameServer") -> None:
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._splitter = Splitter()
        self._hello = bytearray()
        self._deadline: asyncio.TimerHandle | None = None
        self._trusted = False
        self._incoming: dict[int, _Incoming] = {}
        self._running: dict[int, tuple[asyncio.Task[None], CallOutput]] = {}
        self.writable = asyncio.Event()
        self.writable.set()

    def write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # asyncio calls the methods below:
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # uvloop's has the methods, not the type
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(self._server.hello_seconds, self.close)
        self._server.came(self)

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()

    def data_received(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if not self._trusted:
            self._hello += data
            data = self._greeted()
            if not self._trusted:
                return
        try:
            for kind, number, content in self._splitter.split(data):
                self._received(kind, number, content)
        except (BadFrame, ValueError, TypeError, struct.error) as error:
            self.write(frame(REFUSED, 0, f"this is no frame: {error}".encode()))
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._transport = None
        self.writable.set()
        self._server.left(self)
        if self._deadline is not None:
            self._deadline.cancel()
        self._incoming.clear()
        for task, _ in self._running.values():
            task.cancel()

    def _greeted(self) -> bytes:
        """Trust whoever greets with the token, and return what came after the greeting."""
        came = bytes(self._hello)
        wanted = frame(HELLO, 0, VERSION + self._server.token)
        if len(came) < len(wanted) and came[:4] == wanted[: len(came[:4])]:
            return b""  # it may be the right one, by its length
        if not hmac.compare_digest(came[: len(wanted)], wanted):
            self._refuse(came)
            return b""
        self._trusted = True
        self._hello.clear()
        if self._deadline is not None:
            self._deadline.cancel()
        self._server.trusted(self)
        return came[len(wanted) :]

    def _refuse(self, data: bytes) -> None:
        """Refuse a stranger, who may also have come by HTTP."""
        if data[:1].isalpha() and data[1:3].isalpha():
            body = orjson.dumps({"fault": "forbidden", "detail": _STRANGER, "retry_after": None})
            self.write(_IN_HTTP % (len(body), body))
        else:
            self.write(frame(REFUSED, 0, _STRANGER.encode()))
        self.close()

    def _received(self, kind: int, number: int, content: bytes) -> None:
        if kind == CALL:
            if number in self._running or number in self._incoming:
                raise BadFrame(f"call {number} is under way already")
            head, body, size = head_and_body(content)
            if len(body) == size:
                self._start(number, head, body)
                return
            incoming = self._incoming[number] = _Incoming(head, size)
            incoming.take(body)
        elif kind == MORE:
            waiting = self._incoming.get(number)
            if waiting is not None and waiting.take(content):
                del self._incoming[number]
                self._start(number, waiting.head, b"".join(waiting.parts))
        elif kind == CREDIT:
            running = self._running.get(number)
            if running is not None:
                running[1].credited(credit_in(content))
        elif kind == CANCEL:
            self._incoming.pop(number, None)
            running = self._running.get(number)
            if running is not None:
                running[0].cancel()
        else:
            raise BadFrame(f"its kind is {kind}")

    def _start(self, number: int, head: Any, body: bytes) -> None:
        backend, path, request_id, stream, raw, headers, key_id = head
        call = Call(path, body, stream, request_id, headers=headers, raw=raw, key_id=key_id)
        out = CallOutput(self, number)
        work = self._server.answers(backend, call, out)
        task = asyncio.get_running_loop().create_task(work)
        self._running[number] = task, out
        task.add_done_callback(partial(self._ended, number))

    def _ended(self, number: int, task: "asyncio.Task[None]") -> None:
        _, out = self._running.pop(number)
        if task.cancelled() or task.exception() is not None:
            out.tear()  # else a router that did not cancel it would wait for ever


class FrameServer:
    """Listens at `address`, a Unix socket, and with a host also at `tcp`."""

    def __init__(self, answers: Answers, token: str, *, hello_seconds: float = 10.0) -> None:
        self.address = self.tcp = ""
        self.answers, self.token, self.hello_seconds = answers, token.encode(), hello_seconds
        self._folder: Path | None = None
        self._servers: list[asyncio.Server] = []
        self._strangers: dict[_ReplicaConnection, None] = {}
        self._routers: set[_ReplicaConnection] = set()

    async def open(self, *, host: str = "") -> None:
        loop = asyncio.get_running_loop()

        def made() -> _ReplicaConnection:
            return _ReplicaConnection(self)

        self._folder, listening = _unix_socket()
        self.address = f"{UNIX}{self._folder / 's'}"
        self._servers.append(await loop.create_unix_server(made, sock=listening))
        if host:
            server = await loop.create_server(made, host, 0)
            self._servers.append(server)
            self.tcp = f"{host}:{server.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        """Stop; the caller has already waited for the calls to end."""
        loop = asyncio.get_running_loop()
        for listening in (each for server in self._servers for each in server.sockets):
            loop.remove_reader(listening.fileno())
        for _ in range(_TURNS_TO_ACCEPT):  # asyncio would lose a connection that it is accepting
            await asyncio.sleep(0)
        for server in self._servers:
            server.close()
        for connection in (*self._strangers, *self._routers):
            connection.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def came(self, connection: _ReplicaConnection) -> None:
        if len(self._strangers) >= _MOST_STRANGERS:
            oldest = next(iter(self._strangers))
            del self._strangers[oldest]
            oldest.abort()
        self._strangers[connection] = None

    def trusted(self, connection: _ReplicaConnection) -> None:
        self._strangers.pop(connection, None)
        self._routers.add(connection)

    def left(self, connection: _ReplicaConnection) -> None:
        self._strangers.pop(connection, None)
        self._routers.discard(connection)


def _unix_socket() -> tuple[Path, socket.socket]:
    """A folder of our own that nobody else may enter, and a socket `s` in it that listens."""
    temporary = Path(tempfile.gettempdir())
    if len(str(temporary)) > _LONGEST:
        temporary = Path("/tmp")
    for old in temporary.glob(f"{_FOLDER}*/s"):
        if _is_dead(old):
            shutil.rmtree(old.parent, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=_FOLDER, dir=temporary))
    listening = socket.socket(socket.AF_UNIX)
    try:
        # Under its name, the socket appears only when it listens: see `_is_dead`.
        listening.bind(str(folder / "n"))
        listening.listen(128)
        (folder / "n").rename(folder / "s")
    except OSError:
        listening.close()
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder, listening


def _is_dead(path: Path) -> bool:
    """Whether a socket of ours was left behind by a process that was killed."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
        if path.parent.stat().st_uid != os.geteuid():
            return False
        probe.setblocking(False)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            return True
    return False
