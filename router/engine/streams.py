"""Cuts streams into events, meters them, and adds notes, on their way to the caller."""

from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Any

import orjson

from router.calls.outcome import Stream
from router.domain import Fault, Trace
from router.wire.beside import LONG_BYTES, beside
from router.wire.errors import error_body
from router.wire.native import NativeMeter
from router.wire.splice import replaced
from router.wire.sse import END_OF_EVENT, Meter, broken, data_of, events_of


async def metered(stream: Stream, meter: Meter | NativeMeter) -> AsyncIterator[bytes]:
    """Pass on the events of a stream, without the end, which the meter completes with the cost.

    Events that bring only words pass as they came, several together, and nothing in them is read.
    """
    ready = await _taken(stream.first, meter)
    if ready:
        yield ready
    if meter.done:
        return
    cutter = stream.cutter
    async for piece in stream.pieces:
        block = cutter.block(piece)
        if block and len(block) <= LONG_BYTES and meter.passes(block):
            yield block
            continue
        ready = await _taken(events_of(block), meter)
        if ready:
            yield ready
        if meter.done:
            return
    if cutter.rest:
        ready = await _taken([cutter.rest], meter)
        if ready:
            yield ready
    if not meter.finished:
        raise Fault("protocol", "it ended without a finish reason")


async def _taken(events: Sequence[bytes], meter: Meter | NativeMeter) -> bytes:
    """What of these events may go out after the meter took each of them."""
    ready: list[bytes] = []
    for event in events:
        fault = broken(event)
        if fault is not None:
            raise fault
        ready += await beside(len(event), partial(meter.take, event))
        if meter.done:
            break
    return END_OF_EVENT.join([*ready, b""]) if ready else b""


def error_body_of(body: bytes, status: int) -> bytes:
    """The body of a backend's refusal, put into OpenAI's error format if it has another format."""
    if body.lstrip().startswith(b"{") and b'"error"' in body and b'"message"' in body:
        return body
    message = body[:500].decode("utf-8", "replace") or f"The backend answered {status}."
    return error_body(message, "invalid_request_error")


def with_settings(body: bytes, trace: Trace) -> bytes:
    """Put what the plan has set into a backend's refusal: the caller never sent it."""
    decision = trace.decision
    if not decision.settings:
        return body
    note = {"plan": decision.plan, "settings": list(decision.settings)}
    return replaced(body, {b'"waggle"': orjson.dumps(note)})


def as_comments(comments: Sequence[str], trace: Trace) -> bytes:
    lines = [*comments, *([f"partial: {trace.partial}"] if trace.partial else [])]
    return b"".join(f": {line}\n\n".encode() for line in lines)


def with_level(body: bytes, trace: Trace) -> bytes:
    """Put the level of a computation into an error that ends an early stream: its head is gone."""
    if trace.verified is None:
        return body
    note = {"verified": trace.verified.as_json}
    return replaced(body, {b'"waggle"': orjson.dumps(note)})


def with_note(events: list[bytes], trace: Trace, *, whole: bool) -> list[bytes]:
    """Put a note into the last chunk: why the answer is partial and, with `whole`, the backend, the
    plan and the attempts."""
    note: dict[str, Any] = {}
    if whole:
        note = {
            "backend": trace.backend,
            "plan": trace.decision.plan,
            "attempts": len(trace.attempts),
        }
        if trace.verified is not None:
            note["verified"] = trace.verified.as_json
    if trace.partial:
        note |= {"partial": trace.partial, "reason": trace.partial_reason}
    if note and events and data_of(events[-1]).startswith(b"{"):
        events[-1] = b"data: " + replaced(data_of(events[-1]), {b'"waggle"': orjson.dumps(note)})
    return events
