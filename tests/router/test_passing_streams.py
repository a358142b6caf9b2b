"""Streams pass in blocks of events, however they are cut, and what is counted stays the same."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.calls.outcome import Stream
from router.domain import Fault, Usage
from router.engine.streams import metered
from router.wire.native import FORMS, NativeMeter
from router.wire.sse import Cutter, Meter


def chunk(delta, finish=None, **more) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: " + json.dumps({"id": "c", "choices": [choice]} | more).encode()


WORDS = [
    chunk({"role": "assistant", "content": ""}),
    chunk({"content": 'one "usage": {"x": 1} '}, usage=None),
    chunk({"content": "two [ DONE ]\n\n"}),
    b": a comment",
    chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"error": 1}'}}]}),
]
USAGE = {"prompt_tokens": 7, "completion_tokens": 5}
ENDS = {
    "counted": [chunk({}, "stop"), chunk({}) + b"", b"data: [DONE]"],
    "usage": [
        chunk({}, "stop"),
        b'data: {"id":"c","choices":[],"usage":' + json.dumps(USAGE).encode() + b"}",
        b"data: [DONE]",
    ],
}


class Nobody:
    def finish(self) -> None:
        pass


def meter_of(*, include_usage: bool = False) -> Meter:
    return Meter(include_usage, 3, lambda usage: usage.output_tokens / 1e6)


async def passed(pieces: list[bytes], meter) -> bytes:
    async def rest():
        for piece in pieces:
            yield piece

    out = [piece async for piece in metered(Stream([], Cutter(), Nobody(), rest()), meter)]
    return b"".join(out) + b"".join(event + b"\n\n" for event in meter.end())


def taken(events: list[bytes], meter: Meter) -> bytes:
    """What a meter lets out that reads every event."""
    out = [ready for event in events for ready in meter.take(event)]
    return b"".join(event + b"\n\n" for event in [*out, *meter.end()])


def cut(stream: bytes, at: list[int]) -> list[bytes]:
    edges = sorted({0, len(stream), *(n % len(stream) for n in at)})
    return [stream[a:b] for a, b in itertools.pairwise(edges)]


@given(
    st.lists(st.sampled_from(WORDS), max_size=8),
    st.sampled_from(sorted(ENDS)),
    st.lists(st.integers(0, 10**6), max_size=12),
    st.booleans(),
    st.sampled_from([b"\n\n", b"\r\n\r\n"]),
)
def test_the_events_and_the_count_are_those_of_a_meter_that_reads_each(
    words, end, at, include_usage, between
):
    import asyncio

    events = [*words, *ENDS[end]]
    stream = b"".join(event + between for event in events)
    meter, reading = (meter_of(include_usage=include_usage) for _ in range(2))
    assert asyncio.run(passed(cut(stream, at), meter)) == taken(events, reading)
    assert meter.final_usage() == reading.final_usage()


async def test_events_of_words_that_came_together_go_together_and_as_they_came():
    block = b"".join(event + b"\n\n" for event in WORDS)
    end = b"".join(event + b"\n\n" for event in ENDS["usage"])

    async def rest():
        yield block
        yield end

    meter = meter_of()
    out = [piece async for piece in metered(Stream([], Cutter(), Nobody(), rest()), meter)]
    assert out[0] == block
    assert meter.final_usage() == Usage(7, 5)


async def test_a_word_is_not_held_for_the_event_that_has_only_begun():
    event = WORDS[1] + b"\n\n"
    pieces = [event + WORDS[2][:9], WORDS[2][9:] + b"\n\n"]

    async def rest():
        for piece in pieces:
            yield piece

    stream = metered(Stream([], Cutter(), Nobody(), rest()), meter_of())
    assert await anext(stream) == event
    await stream.aclose()


async def test_an_error_among_words_ends_the_stream():
    stream = WORDS[0] + b'\n\ndata: {"error": {"message": "out of memory"}}\n\n' + WORDS[1]
    with pytest.raises(Fault, match="out of memory"):
        await passed([stream], meter_of())


def native(kind: str, **more) -> bytes:
    data = json.dumps({"type": kind} | more).encode()
    return b"event: " + kind.encode() + b"\ndata: " + data + b"\n\n"


RESPONSES = [
    native("response.created", response={"id": "r"}),
    native("response.output_text.delta", delta="one two three four "),
    native("response.output_text.delta", delta="event: response.output_text.delta\n\n"),
    native("response.function_call_arguments.delta", delta="{}"),
]
LAST = native("response.completed", response={"id": "r", "status": "completed"})


@pytest.mark.parametrize("size", [1, 7, 100, 10_000])
async def test_a_native_stream_passes_as_it_came_and_is_counted(size):
    stream = b"".join(RESPONSES) + LAST
    counts = set()
    for step in (size, len(stream)):
        meter = NativeMeter(FORMS["responses"], 3, lambda usage: None)
        pieces = [stream[at : at + step] for at in range(0, len(stream), step)]
        assert (await passed(pieces, meter)).startswith(b"".join(RESPONSES))
        counts.add(meter.final_usage().output_tokens)
    assert len(counts) == 1


@pytest.mark.parametrize("at", [1, 2, 3])
async def test_a_failure_among_native_words_ends_the_stream(at):
    failed = native("response.failed", response={"error": {"message": "out of memory"}})
    meter = NativeMeter(FORMS["responses"], 3, lambda usage: None)
    with pytest.raises(Fault, match="out of memory"):
        await passed([b"".join([*RESPONSES[1 : 1 + at], failed])], meter)
