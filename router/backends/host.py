"""Answers the calls of one backend in one replica.

The host bounds how many calls run at once, keeps the breaker and the time limits, and passes bytes
through. A call without an answer gets status 503, the kind of the fault and a body with the reason.
The engine, not the host, retries calls and asks other backends.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import orjson

from router.backends.breaker import CircuitBreaker, failed
from router.backends.give_back import GiveBack
from router.backends.protocol import Backend
from router.backends.turns import Turns
from router.config.values import BackendSettings
from router.domain import BUSY, Call, Fault, Reply
from router.wire.errors import error_body, kind_of
from router.wire.frame_server import CallOutput
from router.wire.replica_headers import BROKEN, retry_after_seconds

_SLACK = 0.02  # by which share the time between two pieces may be exceeded


class Host:
    def __init__(
        self,
        settings: BackendSettings,
        backend: Backend,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings
        self.backend = backend
        self.breaker = CircuitBreaker(settings.breaker)
        self._turns = Turns(settings)
        self._give_back = GiveBack()
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

    async def answer(self, call: Call, out: CallOutput) -> None:
        """Answer a call; the task is cancelled if the router leaves."""
        wait = self.breaker.wait(self._clock())
        if wait > 0:
            detail = f"the backend rests for another {wait:.1f} s after failures"
            await _refuse(out, Fault("breaker_open", detail), retry_after=wait)
            return
        try:
            await self._turns.enter()
        except Fault as full:
            await _refuse(out, full, retry_after=1.0)
            return
        self.breaker.enter()
        try:
            await self._pass_on(call, out)
        except BaseException:
            self.breaker.abandoned()
            raise
        finally:
            self._turns.leave()

    async def _pass_on(self, call: Call, out: CallOutput) -> None:
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
                    out.begin(
                        reply.status,
                        content_type=reply.content_type,
                        seconds=self._clock() - begun,
                        headers=reply.headers,
                    )
                    await self._relay(piece, body, out, deadline, until)
                else:
                    whole = await self._whole(reply)
                    size += len(whole)
                    await out.whole(
                        reply.status,
                        whole,
                        content_type=reply.content_type,
                        seconds=self._clock() - begun,
                        headers=reply.headers,
                    )
                self._record(reply)
        except TimeoutError:
            slow = Fault("timeout", self._which_timeout(call, started))
            await self._fail(out, slow, started, raw=call.raw)
        except Fault as fault:
            await self._fail(out, fault, started, raw=call.raw)
        except Exception as error:  # any error of a backend becomes a result
            detail = f"{type(error).__name__}: {error}"
            await self._fail(out, Fault("unavailable", detail), started, raw=call.raw)
        finally:
            self._give_back.after_call(size, self._clock() - begun)

    async def _relay(
        self,
        piece: bytes,
        body: AsyncIterator[bytes],
        out: CallOutput,
        deadline: asyncio.Timeout,
        until: float,
    ) -> None:
        loop = asyncio.get_running_loop()
        between = self.settings.timeouts.between
        slack, again = _SLACK * between, 0.0
        while piece:
            await out.more(piece)
            now = loop.time()
            if now >= again:  # a timer costs more than a piece, so it is set anew now and then
                again = now + slack
                deadline.reschedule(now + min(between + slack, until - self._clock()))
            piece = await anext(body, b"")
        out.end()

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

    async def _fail(self, out: CallOutput, fault: Fault, started: bool, *, raw: bool) -> None:
        """Say that a call failed. An answer that passes as it comes, and has begun, just ends too
        early, which the router notices."""
        if fault.kind == "bad_request":
            self.breaker.succeeded()
            await _bad_request(out, fault.detail)
        elif fault.kind in BUSY:  # the backend is busy, not broken
            self.breaker.abandoned()
            await _refuse(out, fault, retry_after=fault.retry_after or 1.0)
        elif started:
            self.breaker.failed(self._clock())
            if raw:
                out.tear()
                return
            reason = orjson.dumps({"fault": fault.kind, "detail": fault.detail})
            event = b"\n\n" + BROKEN + reason + b"\n\n"
            await out.more(event)
            out.end()
        else:
            self.breaker.failed(self._clock())
            await _refuse(out, fault)

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


async def _refuse(out: CallOutput, fault: Fault, *, retry_after: float | None = None) -> None:
    body = {"fault": fault.kind, "detail": fault.detail, "retry_after": retry_after}
    await out.whole(503, orjson.dumps(body), fault=fault.kind)


async def _bad_request(out: CallOutput, detail: str) -> None:
    await out.whole(400, error_body(detail, kind_of(400)))


class HostDoor:
    """The backends of one process by their names; calls wait until `opened` is set."""

    def __init__(self, hosts: dict[str, Host] | None = None) -> None:
        self.hosts = {} if hosts is None else hosts
        self.opened = asyncio.Event()
        if hosts is not None:
            self.opened.set()

    async def __call__(self, backend: str, call: Call, out: CallOutput) -> None:
        if not self.opened.is_set():
            await self.opened.wait()
        host = self.hosts.get(backend)
        if host is None:
            await _refuse(out, Fault("unavailable", "this backend is not here"))
            return
        await host.answer(call, out)
