"""Passes a request through to the first of several backends that answers, and the answer back.

A completion is recorded and priced as chat is, with its cost in `usage`. Every other answer goes
back byte for byte, whatever its type; what it used and cost stands in the headers and in its row.
An answer that passes as a stream and breaks ends too early, so that nobody takes it for whole.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from functools import partial

import orjson

from router.calls.measures import Measured, cost_usd, estimated_usage, measured
from router.calls.outcome import CallOutcome, Stream
from router.domain import Answered, Attempt, Call, Fault, Request, Usage
from router.engine.allowances import Allowances
from router.engine.progress import Answer, InProgress
from router.engine.replying import Replying
from router.engine.tries import Tries
from router.plans.calling import EndCall
from router.request.json_body import json_of
from router.wire.answers import StreamRecorder
from router.wire.beside import beside
from router.wire.errors import error_body

_SSE = "text/event-stream"
_TAIL_BYTES = 64 * 2**10  # of a stream of events, in which the last event tells the usage


class BrokenOff(Exception):
    """A stream of bytes broke, and its caller must not take it for whole."""


@dataclass
class Passing:
    tries: Tries
    allowances: Allowances
    replying: Replying

    async def answer(self, progress: InProgress, chain: tuple[str, ...]) -> Answer:
        """Ask the backends in turn until one answers."""
        request, config = progress.trace.request, progress.plans.config
        tried: list[Attempt] = []
        raw = request.operation != "completions"
        headers = {"content-type": request.media} if request.media else {}
        call = Call(
            request.path, request.body, request.stream, request.id, headers=headers, raw=raw
        )
        try:
            end = await self.allowances.reserve(config, chain, request, request.body)
            outcome = await self.tries.try_chain(config, chain, call, tried)
            progress.trace.attempts = tuple(tried)
            if not raw or not outcome.answered or outcome.callers_fault:
                end(tried, streams=True)  # the end of the request settles it
            if outcome.stream is None and outcome.answered:
                if not raw or outcome.callers_fault:
                    return await self.replying.whole(progress, outcome)
                return await self._whole(progress, outcome, end)
        except asyncio.CancelledError:
            progress.trace.attempts = tuple(tried)
            progress.leave()
            self.replying.ledger.finish(progress)
            raise
        if outcome.stream is None:
            return self.replying.failed(progress, outcome)
        if not raw:
            body = self.replying.streamed(progress, outcome, outcome.stream)
        else:
            body = self._streamed(progress, outcome, outcome.stream, end)
        kind = outcome.content_type if raw else ""
        return Answer(200, b"", progress.trace, stream=body, content_type=kind)

    async def _whole(self, progress: InProgress, outcome: CallOutcome, end: EndCall) -> Answer:
        body, request = outcome.body, progress.trace.request
        readable = outcome.content_type.startswith("application/json")
        read = partial(_measured, request, body if readable else b"{}")
        used = await beside(len(body), read)
        recorder = StreamRecorder(words=False)
        recorder.take(body)
        body, refused = await self.replying.guarding.passed(progress, body, outcome.content_type)
        self._price(progress, outcome, used, recorder.answer(), end)
        if refused is not None:
            return self.replying.blocked(progress, refused, outcome)
        trace, status = progress.trace, outcome.attempt.status
        trace.status = status
        self.replying.ledger.finish(progress, outcome)
        return Answer(status, body, trace, content_type=outcome.content_type)

    async def _streamed(
        self, progress: InProgress, outcome: CallOutcome, stream: Stream, end: EndCall
    ) -> AsyncIterator[bytes]:
        """The pieces of an answer as they come. It is recorded before its caller sees its end."""
        trace, request = progress.trace, progress.trace.request
        trace.status = 200
        events = outcome.content_type.startswith(_SSE)
        recorder, tail = StreamRecorder(words=False), b""
        written = False

        def write() -> None:
            nonlocal written
            written = True
            used = _measured(request, usage_at_end(tail) if events else b"{}")
            self._price(progress, outcome, used, recorder.answer(), end)
            self.replying.ledger.finish(progress, outcome)

        try:
            async for piece in _pieces(stream):
                recorder.take(piece)
                if events:
                    tail = (tail + piece)[-_TAIL_BYTES:]
                yield piece
            write()
        except Fault as fault:
            answering = trace.answering
            assert answering is not None
            message = f"The answer of {answering.backend} broke off: {fault.detail}."
            broken = replace(answering, fault=fault.kind, detail=fault.detail)
            trace.attempts = trace.with_answering(broken)
            trace.fail(502, message, "stream_broken")
            write()
            if not events:
                raise BrokenOff(message) from None
            error = error_body(message, "server_error", code="stream_broken")
            yield b"\n\ndata: " + error + b"\n\n"
        finally:
            stream.connection.finish()
            if not written:
                progress.leave()
                write()

    def _price(
        self,
        progress: InProgress,
        outcome: CallOutcome,
        used: Measured,
        answer: Answered,
        end: EndCall,
    ) -> None:
        """Note what the answer used and cost. Of an unknown cost, the key is charged what was
        likely."""
        trace = progress.trace
        answering = trace.answering
        assert answering is not None
        settings = progress.plans.config.backends[outcome.attempt.backend]
        cost = cost_usd(settings.price, trace.request, used)
        usage = used.usage or estimated_usage(trace.request) or Usage()
        step = answering.priced(usage, cost, settings.kind)
        end([step], streams=cost is not None, waited=cost is not None)
        trace.attempts, trace.answer = trace.with_answering(step), answer


async def _pieces(stream: Stream) -> AsyncIterator[bytes]:
    for piece in stream.first:
        yield piece
    async for piece in stream.pieces:
        yield piece


def _measured(request: Request, body: bytes) -> Measured:
    try:
        answer = json_of(body)
    except orjson.JSONDecodeError:
        answer = {}
    return measured(request, answer if isinstance(answer, dict) else {})


def usage_at_end(tail: bytes) -> bytes:
    """The last `usage` in the end of a stream of events, as an object of its own."""
    _, named, rest = tail.rpartition(b'"usage"')
    text = rest.partition(b":")[2].lstrip().decode("utf-8", "replace")
    try:
        usage, _ = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return b"{}"
    return orjson.dumps({"usage": usage}) if named else b"{}"
