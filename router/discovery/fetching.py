"""Fetches one JSON document from a server that may be slow, wrong or hostile.

Time and size are bounded, a redirect is reported and not followed, and no error repeats what the
server wrote, because a server may repeat the key that was sent to it.
"""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson

from router.domain import Fault
from router.wire.http_client import Connection, ConnectionPool, NoConnection, proxy_at

MOST_BYTES = 16 * 2**20
_REFUSED = (401, 403)
_KEY_WORDS = ("api key", "api_key", "apikey")


class NoAnswer(Exception):
    """A server gave no list of models; the message says why, for the user."""

    def __init__(self, reason: str, *, status: int = 0, absent: bool = False) -> None:
        super().__init__(reason)
        self.status = status
        self.absent = absent  # nothing listens there


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Fetches from one server."""

    base_url: str
    headers: Mapping[str, str]
    seconds: float
    key: str = ""  # the variable of the key, for errors
    proxy: str = ""  # the address of the HTTP proxy on the way; empty for none

    async def get(self, path: str, *, most_bytes: int = MOST_BYTES) -> Any:
        return await self._json("GET", path, b"", most_bytes)

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        return await self._json("POST", path, orjson.dumps(body), MOST_BYTES)

    async def _json(self, method: str, path: str, body: bytes, most_bytes: int) -> Any:
        try:
            async with asyncio.timeout(self.seconds):
                return await self._exchange(method, path, body, most_bytes)
        except TimeoutError:
            raise NoAnswer(f"did not answer within {self.seconds:g} s") from None
        except NoConnection as fault:
            unreached = f"cannot be reached: {_cause(fault)}"
            raise NoAnswer(unreached, absent=fault.kind == "connect") from None
        except Fault as fault:
            raise NoAnswer(f"ended the connection: {fault.detail}") from None

    async def _exchange(self, method: str, path: str, body: bytes, most_bytes: int) -> Any:
        url = urlsplit(self.base_url)
        tls = url.scheme == "https"
        try:
            proxy = proxy_at(self.proxy)
        except ValueError as error:
            raise NoAnswer(f"cannot be reached: {error}") from None
        pool = ConnectionPool(
            url.hostname or "",
            url.port or (443 if tls else 80),
            context=ssl.create_default_context() if tls else None,
            seconds=self.seconds,
            proxy=proxy,
        )
        target, further = f"{url.path}{path}", b""
        if (
            proxy is not None and not tls
        ):  # such a proxy reads the whole address, and its own header
            target, further = f"http://{url.netloc}{target}", proxy.lines()
        connection = await pool.send(self._head(method, target, further, len(body)), body)
        try:
            text = await _body(connection, most_bytes)
            if connection.status != 200:
                raise NoAnswer(self._refusal(connection, text), status=connection.status)
            return _document(connection, text)
        finally:
            connection.abort()

    def _head(self, method: str, target: str, further: bytes, size: int) -> bytes:
        lines = [f"{method} {target} HTTP/1.1", f"host: {urlsplit(self.base_url).netloc}"]
        lines += ["accept: application/json", "user-agent: waggle", "connection: close"]
        lines += [f"{name}: {text}" for name, text in self.headers.items()]
        if size:
            lines += ["content-type: application/json", f"content-length: {size}"]
        return "\r\n".join([*lines, ""]).encode("latin-1") + further + b"\r\n"

    def _refusal(self, connection: Connection, text: bytes) -> str:
        status = connection.status
        words = text[:4096].decode("utf-8", "replace").lower()
        if status in _REFUSED or (status == 400 and any(word in words for word in _KEY_WORDS)):
            if self.key:
                return f"refused the key in {self.key} ({status}): set {self.key} to a valid key"
            return f"wants a key ({status})"
        if 300 <= status < 400:
            target = urlsplit(connection.headers.get(b"location", b"").decode("latin-1")).hostname
            return f"points elsewhere ({status}), to {target or 'another path'}: give that address"
        if status == 402:
            return "wants to be paid first (402): add credit there"
        if status == 404:
            return f"has no list of models at {urlsplit(self.base_url).path or '/'} (404)"
        if status == 429:
            return "had too many requests, or no credit is left (429): try again later"
        return f"is out of order ({status})" if status >= 500 else f"refused to answer ({status})"


async def _body(connection: Connection, most_bytes: int) -> bytes:
    pieces, size = [], 0
    async for piece in connection.pieces():
        size += len(piece)
        if size > most_bytes:
            raise NoAnswer(f"answered more than {most_bytes >> 20} MiB, which is no list of models")
        pieces.append(piece)
    return b"".join(pieces)


def _document(connection: Connection, text: bytes) -> Any:
    kind = connection.headers.get(b"content-type", b"").lower()
    if b"html" in kind or text[:64].lstrip()[:1] == b"<":
        raise NoAnswer("answered with a web page, and no list of models")
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise NoAnswer("answered with something that is not JSON") from None


def _cause(fault: Fault) -> str:
    cause = fault.__cause__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate does not hold ({cause.verify_message})"
    if isinstance(cause, ConnectionRefusedError):
        return "nothing listens there"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return fault.detail
