"""The servers and keys of one network backend, and which of them takes the next call.

The least busy one that does not rest takes a call. One that refuses its key, has too many calls or
fails rests alone, and the call goes to the next at once, as long as no byte of an answer has come.
A backend with a single server and key has no breaker here: that of its host suffices.
"""

import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from types import MappingProxyType
from urllib.parse import quote, urlencode, urlsplit

from router.backends.breaker import CircuitBreaker, failed
from router.backends.protocol import SecretReader
from router.config.network import NetworkSettings
from router.config.references import with_secrets
from router.domain import Fault
from router.wire.chat_replies import in_one_piece
from router.wire.http_client import Connection, ConnectionPool, NoConnection, proxy_at
from router.wire.replica_headers import retry_after_seconds

ProxyFinder = Callable[[str], str]
Judge = Callable[[int, bytes], int]  # the status that an error's body means
_MOST_ERROR_BYTES = 65_536
_JSON = {"content-type": "application/json"}  # what a body is, unless its call says otherwise


@dataclass(frozen=True, slots=True)
class Response:
    """The head of an answer, and its body: as it arrives, or already read if it is an error."""

    status: int
    headers: Mapping[bytes, bytes]
    connection: Connection
    read: bytes | None = None

    def pieces(self) -> AsyncIterator[bytes]:
        return self.connection.pieces() if self.read is None else in_one_piece(self.read)

    async def error(self) -> bytes:
        """The beginning of an error's body; nobody needs more of an error."""
        if self.read is not None:
            return self.read
        body = b""
        async for piece in self.connection.pieces():
            body += piece
            if len(body) > _MOST_ERROR_BYTES:
                break
        return body[:_MOST_ERROR_BYTES]


@dataclass(slots=True)
class _Endpoint:
    """One server with one key, and the calls that it is at."""

    target: bytes  # what stands before the path in the first line of a request
    headers: bytes
    plain: bytes  # the same, without what a request without headers of its own replaces
    pool: ConnectionPool
    breaker: CircuitBreaker
    running: int = 0
    calls: int = 0  # since the start; of two that are as busy, the one with fewer is next

    def headers_beside(self, own: bytes) -> bytes:
        """The lines of its headers that a request's own do not replace."""
        return self.plain if own is _JSON_LINES else _without(self.headers, own)


class Endpoints:
    def __init__(
        self,
        settings: NetworkSettings,
        read_secret: SecretReader,
        proxy_for: ProxyFinder,
        *,
        headers: Mapping[str, str] | None = None,
        root: str = "",
        judge: Judge | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`headers` are those that the kind of backend adds to each request; `root` is the path
        that follows an address which does not end with it already, such as /v1. `judge` is for a
        server whose status does not tell a bad key from a bad request."""
        further = dict(headers or {}) | {
            name: with_secrets(value, read_secret) for name, value in settings.headers.items()
        }
        if settings.organization:
            further["openai-organization"] = settings.organization
        query = {n: with_secrets(value, read_secret) for n, value in settings.query.items()}
        self._query = urlencode(query, quote_via=quote)
        self._judge = judge
        self._clock = clock
        self._all: Sequence[_Endpoint] = tuple(
            _endpoint(
                settings,
                _rooted(address, root),
                read_secret(key).strip() if key else "",
                further,
                proxy_for,
            )
            for address, key in settings.endpoints
        )

    @asynccontextmanager
    async def post(
        self,
        path: str,
        body: bytes,
        query: str = "",
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> AsyncIterator[Response]:
        """Send a request, and yield the response once the head of an answer has come. `headers`
        are those of this request alone, and take the place of others of their names."""
        own = _lines({**_JSON, **headers}) if headers else _JSON_LINES
        endpoint, response = await self._answered(path, body, query, own)
        try:
            yield response
        except Fault:
            self._failed(endpoint, 0, None)
            raise
        finally:
            self._left(endpoint, response)

    def close(self) -> None:
        for endpoint in self._all:
            endpoint.pool.close()

    async def _answered(
        self, path: str, body: bytes, query: str, own: bytes
    ) -> tuple[_Endpoint, Response]:
        """The endpoint that answers, in place of those that fail; the last failure if all do."""
        failure: NoConnection | None = None
        answered: tuple[_Endpoint, Response] | None = None
        for endpoint in sorted(self._all, key=lambda each: (each.running, each.calls)):
            if not self._alone and endpoint.breaker.wait(self._clock()) > 0:
                continue
            if answered is not None:
                self._left(*answered)
            try:
                answered = endpoint, await self._ask(endpoint, path, body, query, own)
            except NoConnection as fault:
                answered, failure = None, fault
                continue
            if not failed(answered[1].status):
                break
        if answered is not None:
            return answered
        if failure is not None:
            raise failure
        wait = min(endpoint.breaker.wait(self._clock()) for endpoint in self._all)
        detail = f"all {len(self._all)} keys or servers of it rest, the first for {wait:.1f} s"
        raise Fault("breaker_open", detail)

    def _left(self, endpoint: _Endpoint, response: Response) -> None:
        endpoint.running -= 1
        response.connection.finish()

    async def _ask(
        self, endpoint: _Endpoint, path: str, body: bytes, query: str, own: bytes
    ) -> Response:
        full = "&".join(filter(None, (self._query, query)))
        head = b"POST %b%b%b HTTP/1.1\r\n%b%b\r\ncontent-length: %d\r\n\r\n" % (
            endpoint.target, path.encode(), f"?{full}".encode() if full else b"",
            endpoint.headers_beside(own), own, len(body),
        )  # fmt: skip
        endpoint.running += 1
        endpoint.calls += 1
        endpoint.breaker.enter()
        try:
            response = await self._judged(await endpoint.pool.send(head, body))
        except Fault:
            endpoint.running -= 1
            self._failed(endpoint, 0, None)
            raise
        except BaseException:
            endpoint.running -= 1
            endpoint.breaker.abandoned()
            raise
        if failed(response.status):
            wait = response.headers.get(b"retry-after", b"").decode("latin-1")
            self._failed(endpoint, response.status, retry_after_seconds(wait))
        else:
            endpoint.breaker.succeeded()
        return response

    async def _judged(self, connection: Connection) -> Response:
        response = Response(connection.status, connection.headers, connection)
        if self._judge is None or response.status < 400:
            return response
        try:
            read = await response.error()
        except BaseException:
            connection.finish()
            raise
        return replace(response, status=self._judge(response.status, read), read=read)

    def _failed(self, endpoint: _Endpoint, status: int, retry_after: float | None) -> None:
        endpoint.breaker.failed(
            self._clock(), status=status, retry_after=retry_after, at_once=status == 429
        )

    @property
    def _alone(self) -> bool:
        return len(self._all) == 1


def _rooted(address: str, root: str) -> str:
    bare = address.rstrip("/")
    return bare if bare.endswith(root) else bare + root


def _endpoint(
    settings: NetworkSettings,
    address: str,
    key: str,
    further: Mapping[str, str],
    proxy_for: ProxyFinder,
) -> _Endpoint:
    url = urlsplit(address)
    tls = url.scheme == "https"
    host, port = url.hostname or "", url.port or (443 if tls else 80)
    proxy = proxy_at(proxy_for(address))
    where = url.netloc.rpartition("@")[2]
    lines = [f"host: {where}", "user-agent: waggle"]
    lines += ["accept: application/json, text/event-stream, */*;q=0.5"]
    if key:
        bearer = settings.auth == "bearer"
        lines.append(f"authorization: Bearer {key}" if bearer else f"{settings.auth}: {key}")
    lines += [f"{name}: {value}" for name, value in further.items()]
    if any("\n" in line or "\r" in line for line in lines):
        raise ValueError("a header or key has a line break in it: look at its variable")
    headers, target = "\r\n".join(lines).encode("latin-1", "replace"), url.path.rstrip("/")
    if proxy is not None and not tls:  # such a proxy reads the whole address, and its own header
        target = f"http://{where}{target}"
        headers = proxy.lines() + headers
    context = ssl.create_default_context() if tls else None
    seconds = settings.timeouts.connect
    pool = ConnectionPool(host, port, context=context, seconds=seconds, proxy=proxy)
    plain = _without(headers, _JSON_LINES)
    return _Endpoint(target.encode(), headers, plain, pool, CircuitBreaker(settings.breaker))


def _lines(headers: Mapping[str, str]) -> bytes:
    lines = "".join(f"\r\n{name}: {value}" for name, value in headers.items())
    return lines.encode("latin-1", "replace")


_JSON_LINES = _lines(_JSON)


def _without(headers: bytes, own: bytes) -> bytes:
    """The lines of headers whose names are not among a request's own."""
    names = {line.partition(b":")[0].lower() for line in own.split(b"\r\n") if line}
    lines = headers.split(b"\r\n")
    return b"\r\n".join(line for line in lines if line.partition(b":")[0].lower() not in names)
