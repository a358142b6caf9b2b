"""A scripted model server, which can also misbehave byte by byte."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

Script = Callable[["Wire"], Awaitable[None]]


@dataclass
class Wire:
    """One request at the upstream, and the connection to answer it on."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def fields(self) -> dict[str, Any]:
        return json.loads(self.body)

    def raw(self, data: bytes) -> None:
        self.writer.write(data)

    def head(self, status: int = 200, **headers: str) -> None:
        lines = [f"HTTP/1.1 {status} X"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.raw("\r\n".join([*lines, "", ""]).encode())

    async def json(self, value: Any, status: int = 200, **headers: str) -> None:
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        length = {"content_type": "application/json", "content_length": str(len(body))}
        self.head(status, **(length | headers))
        self.raw(body)
        await self.writer.drain()

    def events(self) -> None:
        self.head(content_type="text/event-stream", transfer_encoding="chunked")

    async def chunk(self, data: bytes) -> None:
        self.raw(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        await self.writer.drain()

    async def event(self, value: Any) -> None:
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        await self.chunk(b"data: " + data + b"\n\n")

    def close(self) -> None:
        self.writer.transport.abort()


def completion(text: str = "hello", **extra: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    usage = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}
    base = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "up-1"}
    return base | {"choices": [choice], "usage": usage} | extra


def delta(content: str | None = None, finish: str | None = None, **extra: Any) -> dict[str, Any]:
    inner = {} if content is None else {"content": content}
    choice = {"index": 0, "delta": inner, "finish_reason": finish}
    base = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "up-1"}
    return base | {"choices": [choice]} | extra


async def answer_well(wire: Wire) -> None:
    """Answer like a healthy model server, with a stream or usage if the request asks for them."""
    if not wire.fields.get("stream"):
        await wire.json(completion())
        return
    wire.events()
    for word in ("one ", "two ", "three"):
        await wire.event(delta(word))
    await wire.event(delta(finish="stop"))
    if (wire.fields.get("stream_options") or {}).get("include_usage"):
        usage = completion()["usage"]
        await wire.event(delta() | {"choices": [], "usage": usage})
    await wire.event(b"[DONE]")
    await wire.chunk(b"")


@dataclass
class Upstream:
    script: Script = answer_well
    seen: list[Wire] = field(default_factory=list)
    running: int = 0
    most: int = 0
    url: str = ""
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                pairs = (line.split(": ", 1) for line in head[1:] if line)
                headers = {name.lower(): value for name, value in pairs}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                wire = Wire(reader, writer, head[0].split(" ")[1], headers, body)
                self.seen.append(wire)
                self.running += 1
                self.most = max(self.most, self.running)
                try:
                    await self.script(wire)
                    await writer.drain()
                finally:
                    self.running -= 1
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["Upstream"]:
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        try:
            yield self
        finally:
            server.close()
            for writer in list(self._open):
                writer.transport.abort()
