"""Sends bytes as they are over a connection of its own, and reads the answer to its end."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Exchange:
    """Status 0: the service closed the connection without an answer, or did not answer in time."""

    status: int
    body: bytes
    seconds: float


def written(
    method: str, path: str, headers: Mapping[str, str], body: bytes, *, version: str = "1.1"
) -> bytes:
    """A request. Text is written as latin-1, so that it may hold any byte."""
    lines = [f"{method} {path} HTTP/{version}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    given = {name.lower() for name in headers}
    if "content-length" not in given and "transfer-encoding" not in given:
        lines.append(f"Content-Length: {len(body)}")
    if "connection" not in given:
        lines.append("Connection: close")
    return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + body


async def exchange(port: int, request: bytes, *, seconds: float = 30) -> Exchange:
    begun = time.monotonic()
    answer = b""
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
            try:
                writer.write(request)
                await writer.drain()
                answer = await reader.read(-1)
            finally:
                writer.transport.abort()
    except (OSError, TimeoutError):
        pass
    head, _, body = answer.partition(b"\r\n\r\n")
    words = head.split(b" ", 2)
    status = int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
    return Exchange(status, body, time.monotonic() - begun)
