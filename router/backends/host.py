"""Serves one replica of one backend on a small HTTP port of its own.

The host bounds how many calls run at once, keeps the breaker and the time limits, and passes bytes
through. A call without an answer gets status 503, the header `x-waggle-fault` and a body with the
reason. The engine, not the host, retries calls and asks other backends.
"""

import asyncio
import contextlib
import hmac
import time
from collections.abc import AsyncIterator, Callable

import orjson

from router.backends.breaker import CircuitBreaker, failed
from router.backends.give_back import GiveBack
from router.backends.protocol import Backend
from router.backends.turns import Turns
from router.config.values import BackendSettings
from router.domain import Call, Fault, Reply
from router.wire.asgi import (
    FOREVER,
    Message,
    Receive,
    Scope,
    Send,
    WhileConnected,
    read_body,
    respond,
)
from router.wire.errors import error_body, kind_of
from router.wire.replica_headers import (
    BROKEN,
    FAULT,
    PASS_ON,
    RAW,
    REQUEST_ID,
    SECONDS,
    STREAM,
    TOKEN,
    retry_after_seconds,
)

_JSON = (b"content-type", b"application/json")


class Host:
    def __init__(
        self,
        settings: BackendSettings,
        backend: Backend,
        *,
        token: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings
        self.backend = backend
        self.breaker = CircuitBreaker(settings.breaker)
        self._turns = Turns(settings)
        self._give_back = GiveBack()
        self._token = token.encode()
        self._clock = clock

    @property
    def running(self) -> int:
        return self._turns.running

    @property
    def ongoing(self) -> int:
        return self._turns.running + self._turns.waiting

    async def reconfigure(self, settings: BackendSettings, backend: Backend) -> None:
        """Take new settings; the old backend is closed after its running calls have ended."""
        old, self.backend, self.settings = self.backend, backend, settings
        self.breaker.settings = settings.breaker
        self._turns.reconfigure(settings)
        await self.drain(settings.timeouts.total, of=self.running)
        await old.close()

    async def drain(self, seconds: float, *, of: int | None = None) -> None:
        """Wait until the running calls have ended, but no longer than `seconds`."""
        until = self._clock() + seconds
        while (self.ongoing if of is None else of) > 0 and self._clock() < until:
            await asyncio.sleep(0.05)
            of = None if of is None else min(of, self.running)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = dict(scope["headers"])
        if not hmac.compare_digest(headers.get(TOKEN, b""), self._token):
            foreign = Fault("forbidden", "this port belongs to Waggle's router")
            await _refuse(send, foreign, 403, close=True)
            return
        try:
            body = await read_body(receive, patience=FOREVER)
        except ConnectionError:  # the router hung up
            return
        call = Call(
            path=scope["path"].removeprefix("/v1"),
            body=body,
            stream=headers.get(STREAM) == b"1",
            request_id=headers.get(REQUEST_ID, b"").decode("latin-1"),
            headers={
                name.removeprefix(PASS_ON).decode("latin-1"): value.decode("latin-1")
                for name, value in headers.items()
                if name.startswith(PASS_ON)
            },
            raw=RAW in headers,
        )
        async with WhileConnected(receive):
            await self._serve(call, send)

    async def _serve(self, call: Call, send: Send) -> None:
        wait = self.breaker.wait(self._clock())
        if wait > 0:
            detail = f"the backend rests for another {wait:.1f} s after failures"
            await _refuse(send, Fault("breaker_open", detail), retry_after=wait)
            return
        try:
            await self._turns.enter()
        except Fault as full:
            await _refuse(send, full, retry_after=1.0)
            return
        self.breaker.enter()
        try:
            await self._pass_on(call, send)
        except BaseException:
            self.breaker.abandoned()
            raise
        finally:
            self._turns.leave()

    async def _pass_on(self, call: Call, send: Send) -> None:
        times = self.settings.timeouts
        begun = self._clock()
        until = begun + times.total
        started, size = False, len(call.body)
        try:
            first = min(times.first, times.total) if call.stream else times.total
            async with asyncio.timeout(first) as deadline, self.backend.send(call) as reply:
                if call.stream and reply.status < 400:
                    body = aiter(reply.body)
                    piece = await anext(body, b"")
                    started = True
                    await send(_head(reply, self._clock() - begun))
                    await self._relay(piece, body, send, deadline, until)
                else:
                    whole = await self._whole(reply)
                    size += len(whole)
                    await send(_head(reply, self._clock() - begun, length=len(whole)))
                    await send({"type": "http.response.body", "body": whole})
                self._record(reply)
        except TimeoutError:
            slow = Fault("timeout", self._which_timeout(call, started))
            await self._fail(send, slow, started, raw=call.raw)
        except Fault as fault:
            await self._fail(send, fault, started, raw=call.raw)
        except Exception as error:  # any error of a backend becomes a result
            detail = f"{type(error).__name__}: {error}"
            await self._fail(send, Fault("unavailable", detail), started, raw=call.raw)
        finally:
            self._give_back.after_call(size, self._clock() - begun)

    async def _relay(
        self,
        piece: bytes,
        body: AsyncIterator[bytes],
        send: Send,
        deadline: asyncio.Timeout,
        until: float,
    ) -> None:
        loop = asyncio.get_running_loop()
        between = self.settings.timeouts.between
        while piece:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            deadline.reschedule(loop.time() + min(between, until - self._clock()))
            piece = await anext(body, b"")
        await send({"type": "http.response.body", "body": b""})

    async def _whole(self, reply: Reply) -> bytes:
        pieces, size = [], 0
        async for piece in reply.body:
            size += len(piece)
            if size > self.settings.max_response_bytes:
                most = self.settings.max_response_bytes
                raise Fault("too_large", f"the answer is larger than max_response_bytes = {most}")
            pieces.append(piece)
        return b"".join(pieces)

    def _record(self, reply: Reply) -> None:
        """Tell the breaker whether the call succeeded."""
        if failed(reply.status):
            self.breaker.failed(
                self._clock(),
                status=reply.status,
                retry_after=retry_after_seconds(reply.headers.get("retry-after", "")),
            )
        else:
            self.breaker.succeeded()

    async def _fail(self, send: Send, fault: Fault, started: bool, *, raw: bool) -> None:
        """Say that a call failed. An answer that passes as it comes, and has begun, just ends too
        early: the server then closes the connection, which the router notices."""
        if fault.kind == "bad_request":
            self.breaker.succeeded()
            await _bad_request(send, fault.detail)
        elif fault.kind == "queue_full":  # the backend is busy, not broken
            self.breaker.abandoned()
            await _refuse(send, fault, retry_after=1.0)
        elif started:
            self.breaker.failed(self._clock())
            if raw:
                return
            reason = orjson.dumps({"fault": fault.kind, "detail": fault.detail})
            event = b"\n\n" + BROKEN + reason + b"\n\n"
            await send({"type": "http.response.body", "body": event})
        else:
            self.breaker.failed(self._clock())
            await _refuse(send, fault)

    def _which_timeout(self, call: Call, started: bool) -> str:
        times = self.settings.timeouts
        if not call.stream:
            return f"no answer within timeouts.total = {times.total} s"
        if not started:
            return f"no first byte within timeouts.first = {times.first} s"
        return (
            f"no further piece within timeouts.between = {times.between} s, "
            f"or timeouts.total = {times.total} s was over"
        )


def _head(reply: Reply, seconds: float, length: int | None = None) -> Message:
    headers = [
        (b"content-type", reply.content_type.encode("latin-1", "replace")),
        (SECONDS, f"{seconds:.6f}".encode()),
    ]
    headers += [(k.encode(), v.encode("latin-1", "replace")) for k, v in reply.headers.items()]
    if length is not None:
        headers.append((b"content-length", str(length).encode()))
    return {"type": "http.response.start", "status": reply.status, "headers": headers}


async def _refuse(
    send: Send,
    fault: Fault,
    status: int = 503,
    *,
    retry_after: float | None = None,
    close: bool = False,
) -> None:
    body = {"fault": fault.kind, "detail": fault.detail, "retry_after": retry_after}
    with contextlib.suppress(OSError):  # the router may have closed the connection
        headers = [(FAULT, fault.kind.encode()), _JSON]
        headers += [(b"connection", b"close")] if close else []
        await respond(send, status, orjson.dumps(body), headers)


async def _bad_request(send: Send, detail: str) -> None:
    with contextlib.suppress(OSError):
        await respond(send, 400, error_body(detail, kind_of(400)), [_JSON])
