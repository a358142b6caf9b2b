"""Chat completions and streams of any backend, as Anthropic's messages and events."""

import json

import orjson
import pytest
from anthropic.types import ErrorResponse, Message
from hypothesis import given
from hypothesis import strategies as st

from router.dialects.anthropic_reply import AnthropicStream, completion_from
from router.dialects.messages_events import MessageEvents
from router.dialects.messages_reply import Wanted, error_from, message_from
from router.wire.sse import data_of
from tests.dialect_servers import events_of, text
from tests.dialect_servers import message as message_of
from tests.dialects.message_events import checked, events_in, in_order

WANTED = Wanted("0123-abcd", "auto", thinks=True, stops=("END",), prompt_tokens=7)
USAGE = {
    "prompt_tokens": 100,
    "completion_tokens": 20,
    "prompt_tokens_details": {"cached_tokens": 50, "cache_write_tokens": 30},
    "completion_tokens_details": {"reasoning_tokens": 5},
    "cost": 0.5,
}


def completion(finish="stop", usage=USAGE, choice=None, **spoken):
    message = {"role": "assistant", "content": None, **spoken}
    choices = [{"index": 0, "message": message, "finish_reason": finish} | (choice or {})]
    return {"id": "c1", "model": "gpt-9", "choices": choices, "usage": usage}


def call(identity, arguments, name="weather"):
    function = {"name": name, "arguments": arguments}
    return {"id": identity, "type": "function", "function": function}


def whole(*args, wanted=WANTED, **more):
    message = message_from(completion(*args, **more), wanted)
    Message.model_validate(message)
    return message


def chunk(finish=None, choice=None, **delta):
    choices = [{"index": 0, "delta": delta, "finish_reason": finish} | (choice or {})]
    return {"id": "c1", "model": "gpt-9", "choices": choices}


def streamed(*chunks, wanted=WANTED):
    events = MessageEvents(wanted)
    pieces = [piece for each in chunks for piece in events.take(each)]
    pieces += events.take({"id": "c1", "choices": [], "usage": USAGE})
    return events_in(b"".join([*pieces, *events.end()]))


def test_words_and_all_counts_of_tokens_arrive():
    message = whole(content="Hello.")
    assert message["content"] == [{"type": "text", "text": "Hello."}]
    assert (message["model"], message["stop_reason"]) == ("gpt-9", "end_turn")
    assert message["id"] == "msg_0123abcd"
    assert message["usage"] == {
        "input_tokens": 20,
        "cache_creation_input_tokens": 30,
        "cache_read_input_tokens": 50,
        "output_tokens": 20,
        "output_tokens_details": {"thinking_tokens": 5},
        "cost": 0.5,
    }


STOPS = [
    ("stop", {}, {}, "end_turn"),
    ("length", {}, {}, "max_tokens"),
    ("content_filter", {}, {}, "refusal"),
    ("stop", {"tool_calls": [call("c", "{}")]}, {}, "tool_use"),
    ("tool_calls", {}, {}, "end_turn"),
    ("stop", {}, {"stop_reason": "END"}, "stop_sequence"),
    ("stop", {}, {"stop_reason": 128001}, "end_turn"),
    ("length", {"tool_calls": [call("c", '{"a')]}, {}, "max_tokens"),
    ("stop", {}, {"native_finish_reason": "pause_turn"}, "pause_turn"),
    (None, {}, {}, "end_turn"),
]


@pytest.mark.parametrize(("finish", "spoken", "choice", "reason"), STOPS)
def test_the_reason_of_the_stop_is_anthropics(finish, spoken, choice, reason):
    message = whole(finish, choice=choice, content="a", **spoken)
    assert message["stop_reason"] == reason
    assert message["stop_sequence"] == ("END" if reason == "stop_sequence" else None)


def test_a_models_own_refusal_is_read_and_a_filters_is_explained():
    own = whole("stop", refusal="I will not.")
    assert own["content"] == [{"type": "text", "text": "I will not."}]
    filtered = whole("content_filter", refusal="filtered")
    assert filtered["content"] == []
    for message, words in ((own, "I will not."), (filtered, "filtered")):
        assert message["stop_reason"] == "refusal"
        assert message["stop_details"]["explanation"] == words


@pytest.mark.parametrize(
    ("arguments", "content"),
    [
        ('{"city": "Oslo"}', {"city": "Oslo"}),
        ("", {}),
        ("{}", {}),
        ('{"city": "Os', {"malformed_arguments": '{"city": "Os'}),
        ("[1]", {"malformed_arguments": "[1]"}),
    ],
)
def test_arguments_that_are_no_object_are_kept_for_the_tool_to_refuse(arguments, content):
    [block] = whole("tool_calls", tool_calls=[call("c1", arguments)])["content"]
    assert block == {"type": "tool_use", "id": "c1", "name": "weather", "input": content}


def test_an_id_of_a_call_has_the_letters_of_anthropics_ids():
    [block] = whole(tool_calls=[call("functions.weather:0", "{}")])["content"]
    assert block["id"].startswith("functions_weather_0_")
    [block] = whole(tool_calls=[call(None, "{}")])["content"]
    assert block["id"] == "toolu_0123abcd_0"


def test_thoughts_are_shown_to_who_asks_and_signed_ones_to_everybody():
    unsigned = {"reasoning_content": "Hm.", "content": "Yes."}
    thought = {"type": "thinking", "thinking": "Hm.", "signature": "waggle"}
    assert whole(**unsigned)["content"][0] == thought
    silent = Wanted("r", thinks=False)
    assert [b["type"] for b in whole(wanted=silent, **unsigned)["content"]] == ["text"]
    blocks = [thought | {"signature": "c2ln"}, {"type": "redacted_thinking", "data": "x"}]
    assert whole(wanted=silent, **unsigned, thinking_blocks=blocks)["content"][:2] == blocks


def test_a_stream_of_words_has_the_published_order():
    begun = chunk(role="assistant", content="")
    events = streamed(begun, chunk(content="Hel"), chunk(content="lo"), chunk("stop"))
    assert [event["type"] for event in events] == [
        *("message_start", "ping", "content_block_start", "content_block_delta"),
        *("content_block_delta", "content_block_stop", "message_delta", "message_stop"),
    ]
    message = checked(events)
    assert message["content"] == [{"type": "text", "text": "Hello"}]
    assert (message["stop_reason"], message["usage"]["input_tokens"]) == ("end_turn", 20)
    assert (
        events[0]["message"]["usage"]["input_tokens"] == 7
    )  # by our estimate, until it is counted
    assert events[-2]["usage"]["cost"] == 0.5


def delta_of(index, arguments=None, **more):
    function = {} if arguments is None else {"arguments": arguments}
    name = more.pop("name", None)
    return {"index": index, "function": function | ({"name": name} if name else {}), **more}


BEGUN = [delta_of(0, "", id="a", name="weather"), delta_of(1, "", id="b", name="clock")]


@pytest.mark.parametrize(
    "calls",
    [
        pytest.param([BEGUN[0], delta_of(0, '{"x"'), delta_of(0, ":1}"), BEGUN[1],
                      delta_of(1, '{"y":2}')], id="one after the other"),
        pytest.param([*BEGUN, delta_of(0, '{"x"'), delta_of(1, '{"y"'), delta_of(0, ":1}"),
                      delta_of(1, ":2}")], id="interleaved"),
        pytest.param([*BEGUN, delta_of(1, '{"y":2}'), delta_of(0, '{"x":1}')], id="last first"),
        pytest.param([delta_of(0, '{"x":1}', id="a", name="weather"),
                      delta_of(0, '{"y":2}', id="b", name="clock")], id="all of one index"),
    ],
)  # fmt: skip
def test_several_calls_follow_each_other_however_their_pieces_come(calls):
    chunks = [chunk(tool_calls=[piece]) for piece in calls]
    message = checked(streamed(chunk(content="Look."), *chunks, chunk("tool_calls")))
    assert [block["type"] for block in message["content"]] == ["text", "tool_use", "tool_use"]
    assert [(b["id"], b["input"]) for b in message["content"][1:]] == [
        ("a", {"x": 1}),
        ("b", {"y": 2}),
    ]
    assert message["stop_reason"] == "tool_use"


def test_a_piece_of_a_call_goes_out_when_it_comes():
    events = MessageEvents(WANTED)
    list(events.take(chunk(tool_calls=[BEGUN[0]])))
    [event] = events_in(b"".join(events.take(chunk(tool_calls=[delta_of(0, '{"x"')]))))
    assert event["delta"] == {"type": "input_json_delta", "partial_json": '{"x"'}


def test_words_after_a_call_wait_for_its_end():
    chunks = [
        chunk(tool_calls=[BEGUN[0]]),
        chunk(content="So."),
        chunk(tool_calls=[delta_of(0, "{}")]),
    ]
    message = checked(streamed(*chunks, chunk("tool_calls")))
    assert [block["type"] for block in message["content"]] == ["tool_use", "text"]


@pytest.mark.parametrize("thinks", [True, False])
def test_signed_thoughts_arrive_with_their_signatures(thinks):
    signed = {"type": "thinking", "thinking": "Hm. Yes.", "signature": "c2ln"}
    redacted = {"type": "redacted_thinking", "data": "x"}
    chunks = [
        chunk(reasoning_content="Hm. "),
        chunk(reasoning_content="Yes."),
        chunk(thinking_blocks=[signed]),
        chunk(thinking_blocks=[redacted]),
        chunk(thinking_blocks=[redacted]),
        chunk(content="Yes."),
        chunk("stop"),
    ]
    message = checked(streamed(*chunks, wanted=Wanted("r", thinks=thinks)))
    assert message["content"] == [signed, redacted, redacted, {"type": "text", "text": "Yes."}]


def test_thoughts_of_a_backend_that_signs_none_get_our_mark():
    chunks = [chunk(reasoning="Hm."), chunk(content="Yes."), chunk("stop")]
    message = checked(streamed(*chunks))
    assert message["content"][0] == {"type": "thinking", "thinking": "Hm.", "signature": "waggle"}


def test_a_refusal_of_the_model_streams_as_words_and_a_filters_does_not():
    own = checked(streamed(chunk(refusal="I will "), chunk(refusal="not."), chunk("stop")))
    assert own["content"] == [{"type": "text", "text": "I will not."}]
    filtered = checked(streamed(chunk("content_filter", refusal="filtered")))
    assert filtered["content"] == []
    for message, words in ((own, "I will not."), (filtered, "filtered")):
        assert (message["stop_reason"], message["stop_details"]["explanation"]) == (
            "refusal",
            words,
        )


PIECES = st.lists(
    st.one_of(
        st.text(min_size=1, max_size=4).map(lambda text: chunk(content=text)),
        st.text(min_size=1, max_size=4).map(lambda text: chunk(reasoning_content=text)),
        st.builds(
            lambda index, text, name: chunk(
                tool_calls=[delta_of(index, text, id=f"t{index}", name=name)]
            ),
            st.integers(0, 3),
            st.sampled_from(["", "{", "}", '"a":1', "{}"]),
            st.sampled_from(["weather", "clock"]),
        ),
        st.just(chunk()),
    ),
    max_size=14,
)


@given(PIECES, st.sampled_from(["stop", "length", "tool_calls"]))
def test_whatever_the_order_of_the_pieces_that_of_the_events_is_right(chunks, finish):
    events = streamed(*chunks, chunk(finish))
    in_order(events)
    deltas = [event["delta"] for event in events if event["type"] == "content_block_delta"]
    words = "".join(delta.get("text", "") for delta in deltas)
    assert words == "".join(c["choices"][0]["delta"].get("content", "") for c in chunks)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (422, "invalid_request_error"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (503, "overloaded_error"),
        (504, "timeout_error"),
    ],
)
def test_an_error_has_anthropics_type(status, kind):
    body = json.dumps(
        {"error": {"message": "no", "type": "x", "param": None, "code": None}}
    ).encode()
    error = ErrorResponse.model_validate_json(error_from(status, body, "r1"))
    assert (error.error.type, error.error.message, error.request_id) == (kind, "no", "r1")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error": "plain words"}'])
def test_an_error_that_is_none_of_openais_still_says_something(body):
    error = json.loads(error_from(502, body))
    assert error["error"]["message"]
    assert error["error"]["type"] == "api_error"


@pytest.mark.parametrize(
    ("reason", "sequence"),
    [("stop_sequence", "END"), ("pause_turn", None), ("model_context_window_exceeded", None)],
)
def test_anthropics_own_reasons_survive_the_way_through_chat(reason, sequence):
    own = message_of(text("a"), stop=reason, stop_sequence=sequence)
    back = message_from(orjson.loads(completion_from(own, 1, answers_by_tool=False)), WANTED)
    assert (back["stop_reason"], back["stop_sequence"]) == (reason, sequence)
    stream = AnthropicStream(1, answers_by_tool=False)
    events = events_of(own)
    events[-2]["delta"]["stop_sequence"] = sequence
    datas = [data_of(chunk) for each in events for chunk in stream.take(each)]
    streamed_back = checked(streamed(*(orjson.loads(data) for data in datas[:-1])))
    assert (streamed_back["stop_reason"], streamed_back["stop_sequence"]) == (reason, sequence)
