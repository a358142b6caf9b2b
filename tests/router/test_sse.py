"""Streams: how bytes become events, and which of the last chunks carry usage and cost."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.domain import Fault, Usage
from router.wire.sse import Cutter, Meter, broken, data_of, usage_in, with_cost
from tests.upstream import delta

USAGE = {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14}


def event(value):
    return b"data: " + (value if isinstance(value, bytes) else json.dumps(value).encode())


def cost_of(usage):
    return usage.input_tokens + 0.5 * usage.output_tokens


def run(events, *, include_usage=False):
    meter = Meter(include_usage, prompt_tokens=7, cost_of=cost_of)
    sent = [out for event in events for out in meter.take(event)]
    return [json.loads(data_of(out)) for out in [*sent, *meter.end()]]


@given(st.lists(st.binary(max_size=6), max_size=20), st.sampled_from([b"\n\n", b"\r\n\r\n"]))
def test_events_are_the_same_however_the_bytes_are_cut(cuts, end):
    whole = b"data: one" + end + b"data: two" + end + b": comment" + end + b"data: three"
    cutter, events, at = Cutter(), [], 0
    for cut in cuts:
        events += cutter.cut(whole[at : at + len(cut)])
        at += len(cut)
    events += cutter.cut(whole[at:])
    assert [e.strip() for e in events] == [b"data: one", b"data: two", b": comment"]
    assert cutter.rest == b"data: three"


def test_an_event_that_never_ends_is_a_fault_not_a_memory_leak():
    cutter = Cutter()
    with pytest.raises(Fault, match="larger than"):
        for _ in range(10):
            cutter.cut(b"x" * 2**20)


def test_usage_that_was_not_asked_for_is_in_the_chunk_with_the_finish_reason():
    chunks = run([event(delta("hi")), event(delta(finish="stop")), event(usage_chunk())])
    assert [c.get("usage") is not None for c in chunks] == [False, True]
    assert chunks[-1]["usage"] == USAGE | {"cost": 12.0}
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"


def usage_chunk():
    return delta() | {"choices": [], "usage": USAGE}


def test_usage_that_was_asked_for_is_in_an_extra_last_chunk_with_the_cost():
    events = [event(delta("hi")), event(delta(finish="stop")), event(usage_chunk())]
    chunks = run(events, include_usage=True)
    assert len(chunks) == 3
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["cost"] == 12.0


def test_usage_that_the_backend_left_out_is_estimated_and_marked_so():
    chunks = run([event(delta("12345678")), event(delta(finish="stop"))])
    assert chunks[-1]["usage"] == {
        "prompt_tokens": 7,
        "completion_tokens": 2,
        "total_tokens": 9,
        "cost": 8.0,
        "cost_estimated": True,
    }


def test_a_usage_chunk_that_the_backend_left_out_is_added_if_asked_for():
    chunks = run([event(delta("12345678")), event(delta(finish="stop"))], include_usage=True)
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["cost_estimated"] is True
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"


def test_null_usage_on_every_chunk_is_no_usage():
    events = [event(delta("hi", usage=None)), event(delta(finish="stop", usage=None))]
    assert run([*events, event(usage_chunk())])[-1]["usage"] == USAGE | {"cost": 12.0}


def test_several_choices_that_finish_one_by_one_all_arrive():
    ends = [delta(finish="stop"), delta("b"), delta(finish="length")]
    chunks = run([event(chunk) for chunk in (delta("a"), *ends)])
    reasons = [c["choices"][0]["finish_reason"] for c in chunks]
    assert reasons == [None, "stop", None, "length"]
    assert "usage" in chunks[-1]


def test_comments_pass_and_events_of_several_lines_are_read():
    meter = Meter(False, 1, cost_of)
    assert meter.take(b": ping") == [b": ping"]
    assert data_of(b"event: x\ndata: one\ndata: two") == b"one\ntwo"


@pytest.mark.parametrize(
    "error", [{"message": "overloaded"}, "overloaded", {"message": "overloaded", "code": 1}]
)
def test_an_error_inside_a_stream_is_noticed(error):
    fault = broken(event({"error": error}))
    assert fault is not None
    assert "overloaded" in fault.detail


def test_an_answer_that_contains_the_word_error_is_no_error():
    assert broken(event(delta('the "error" is yours'))) is None


@pytest.mark.parametrize(
    "usage", [None, 3, {}, {"prompt_tokens": "5"}, {"prompt_tokens": -1, "completion_tokens": 2}]
)
def test_impossible_usage_is_ignored(usage):
    assert usage_in({"usage": usage}) is None


def test_cached_tokens_are_read_and_never_more_than_the_prompt():
    usage = USAGE | {"prompt_tokens_details": {"cached_tokens": 99}}
    assert usage_in({"usage": usage}) == Usage(10, 4, 10)


def test_our_cost_replaces_a_cost_that_the_upstream_wrote():
    raw = b'{"usage": {"prompt_tokens": 1, "completion_tokens": 1, "cost": 9}, "x": 1.0}'
    assert with_cost(raw, Usage(1, 1), 0.25) == raw.replace(b"9", b"0.25")


def test_usage_deeper_in_the_answer_is_left_alone():
    raw = b'{"x": {"usage": {"a": 1}}, "usage": {"prompt_tokens": 1}}'
    answer = json.loads(with_cost(raw, Usage(1, 0), 0.5))
    assert answer == {"x": {"usage": {"a": 1}}, "usage": {"prompt_tokens": 1, "cost": 0.5}}
