"""What an answer cost, and streams as they go out: counted, priced and marked on the way."""

from collections.abc import AsyncIterator, Sequence

import orjson

from router.calls.outcome import Stream
from router.domain import Fault, Trace
from router.wire.errors import error_body
from router.wire.splice import replaced
from router.wire.sse import Meter, broken, data_of


async def metered(stream: Stream, meter: Meter) -> AsyncIterator[bytes]:
    """What may go to the caller, as it comes; all but the end, which carries the cost."""
    async for events in _events(stream):
        ready: list[bytes] = []
        for event in events:
            fault = broken(event)
            if fault is not None:
                raise fault
            ready += meter.take(event)
            if meter.done:
                break
        if ready:
            yield b"\n\n".join(ready) + b"\n\n"
        if meter.done:
            return
    if not meter.finished:
        raise Fault("protocol", "it ended without a finish reason")


async def _events(stream: Stream) -> AsyncIterator[list[bytes]]:
    yield stream.first
    async for piece in stream.pieces:
        events = stream.cutter.cut(piece)
        if events:
            yield events
    if stream.cutter.rest:
        yield [stream.cutter.rest]


def error_body_of(body: bytes, status: int) -> bytes:
    """A backend's refusal as it is, where it has OpenAI's shape; else put into it."""
    if body.lstrip().startswith(b"{") and b'"error"' in body and b'"message"' in body:
        return body
    said = body[:500].decode("utf-8", "replace") or f"The backend answered {status}."
    return error_body(said, "invalid_request_error")


def as_comments(comments: Sequence[str], trace: Trace) -> bytes:
    said = [*comments, *([f"partial: {trace.partial}"] if trace.partial else [])]
    return b"".join(f": {one}\n\n".encode() for one in said)


def marked_partial(events: list[bytes], trace: Trace) -> list[bytes]:
    """The last chunk of a partial answer says so."""
    if trace.partial and events and data_of(events[-1]).startswith(b"{"):
        told = orjson.dumps({"partial": trace.partial, "reason": trace.partial_reason})
        events[-1] = b"data: " + replaced(data_of(events[-1]), {b'"waggle"': told})
    return events
