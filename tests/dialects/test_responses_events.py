"""A chat stream becomes the events of Responses in their published order, and the same response
as the whole completion of the same answer."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.dialects.json_string import InputString
from router.dialects.responses_events import ResponseEvents
from router.dialects.responses_items import Identity
from router.dialects.responses_reply import response_from
from router.dialects.responses_request import request_of
from tests.dialects.response_order import check_response, check_stream, events_in
from tests.sparing import draws

WHO = Identity("0" * 32)
USAGE = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12, "cost": 0.25}
TOOLS = [
    {"type": "function", "name": "look", "parameters": {"type": "object"}, "strict": False},
    {"type": "custom", "name": "patch", "format": {"type": "text"}},
    {"type": "namespace", "name": "files", "description": "Files.", "tools": [
        {"type": "function", "name": "open", "parameters": {"type": "object"}}]},
    {"type": "local_shell"},
    {"type": "shell", "environment": {"type": "local"}},
    {"type": "apply_patch"},
]  # fmt: skip


def request_with(**more):
    return request_of({"model": "m", "input": "hi", "tools": TOOLS} | more)


def chunk(delta=None, finish=None, **more):
    choice = {"index": 0, "delta": delta or {}, "finish_reason": finish}
    base = {"id": "c", "object": "chat.completion.chunk", "created": 5, "model": "up-1"}
    return base | {"choices": [choice]} | more


def call(index, name, arguments, call_id=None):
    function = {"name": name, "arguments": arguments}
    return {"index": index, "id": call_id or f"call_{index}", "function": function}


def streamed(chunks, request=None):
    writer = ResponseEvents(request or request_with(), WHO, lambda: 9.0)
    stream = b"".join(map(writer.take, chunks)) + writer.end()
    events = events_in(stream)
    return events, check_stream(events)


def whole(message, finish="stop", request=None):
    choice = {"index": 0, "message": message, "finish_reason": finish}
    answer = {"created": 5, "model": "up-1", "choices": [choice], "usage": USAGE}
    response = response_from(request or request_with(), answer, WHO, now=9.0)
    check_response(response)
    return response


LAST = chunk() | {"choices": [], "usage": USAGE}


def test_text_comes_as_one_message_with_one_part():
    events, response = streamed(
        [chunk({"role": "assistant", "content": ""}), chunk({"content": "he"}),
         chunk({"content": "llo"}), chunk(finish="stop"), LAST]
    )  # fmt: skip
    assert [event["type"] for event in events] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert response == whole({"content": "hello"})
    assert response["usage"] == {
        "input_tokens": 7,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 12,
        "cost": 0.25,
    }


@pytest.mark.parametrize("summary", [None, "auto"])
def test_reasoning_is_an_item_of_its_own_before_the_message(summary):
    request = request_with(reasoning={"summary": summary}, include=["reasoning.encrypted_content"])
    blocks = [{"type": "thinking", "thinking": "hm, so", "signature": "s"}]
    events, response = streamed(
        [chunk({"reasoning_content": "hm, "}), chunk({"reasoning_content": "so"}),
         chunk({"thinking_blocks": blocks}), chunk({"content": "four"}), chunk(finish="stop"),
         LAST],
        request,
    )  # fmt: skip
    message = {"content": "four", "reasoning_content": "hm, so", "thinking_blocks": blocks}
    assert response == whole(message, request=request)
    thoughts = response["output"][0]
    shown = thoughts["summary"] if summary else thoughts["content"]
    assert [part["text"] for part in shown] == ["hm, so"]
    kinds = {event["type"] for event in events}
    assert ("response.reasoning_summary_text.delta" in kinds) is bool(summary)
    back = request_of({"model": "m", "input": [thoughts, response["output"][1]]}).chat["messages"]
    assert back == [
        {"role": "assistant", "content": "four", "thinking_blocks": blocks}
        | {"reasoning_content": "hm, so"}
    ]


def test_calls_follow_the_text_and_each_ends_before_the_next():
    request = request_with()
    _, response = streamed(
        [chunk({"content": "I look."}), chunk({"tool_calls": [call(0, "look", "")]}),
         chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"at": 1}'}}]}),
         chunk({"tool_calls": [call(1, "files__open", '{"name": "a"}')]}),
         chunk(finish="tool_calls"), LAST],
        request,
    )  # fmt: skip
    calls = [call(0, "look", '{"at": 1}'), call(1, "files__open", '{"name": "a"}')]
    assert response == whole({"content": "I look.", "tool_calls": calls}, "tool_calls", request)
    assert [item["type"] for item in response["output"]] == ["message"] + 2 * ["function_call"]
    opened = response["output"][2]
    assert (opened["name"], opened["namespace"]) == ("open", "files")


def test_calls_that_all_have_the_index_0_are_told_apart_by_their_ids():
    _, response = streamed(
        [chunk({"tool_calls": [call(0, "look", "{}", "a")]}),
         chunk({"tool_calls": [call(0, "look", "{}", "b")]}), chunk(finish="tool_calls"), LAST]
    )  # fmt: skip
    assert [item["call_id"] for item in response["output"]] == ["a", "b"]


def test_the_input_of_a_custom_tool_comes_as_plain_text():
    written = json.dumps({"input": '*** Begin\n"é😀"\n'})
    pieces = [chunk({"tool_calls": [{"index": 0, "function": {"arguments": c}}]}) for c in written]
    events, response = streamed(
        [chunk({"tool_calls": [call(0, "patch", "")]}), *pieces, chunk(finish="tool_calls"), LAST]
    )
    deltas = [e["delta"] for e in events if e["type"] == "response.custom_tool_call_input.delta"]
    assert "".join(deltas) == '*** Begin\n"é😀"\n'
    assert len(deltas) > 10
    message = {"content": None, "tool_calls": [call(0, "patch", written)]}
    assert response == whole(message, "tool_calls")


@pytest.mark.parametrize("arguments", ['{"text": "x"}', "*** Begin Patch", "", '{"input": 3}'])
def test_a_custom_tool_gets_what_the_model_wrote_where_that_is_no_input(arguments):
    _, response = streamed(
        [chunk({"tool_calls": [call(0, "patch", arguments)]}), chunk(finish="tool_calls"), LAST]
    )
    assert response["output"][0]["input"] == arguments


@pytest.mark.parametrize(
    ("name", "arguments", "item"),
    [
        (
            "local_shell",
            {"command": ["ls", "-l"], "working_directory": "/tmp"},
            {"type": "local_shell_call"}
            | {"action": {"type": "exec", "command": ["ls", "-l"], "env": {}}
                         | {"working_directory": "/tmp"}},
        ),
        (
            "shell",
            {"commands": ["ls", "pwd"]},
            {"type": "shell_call"}
            | {"action": {"commands": ["ls", "pwd"], "timeout_ms": None}
                         | {"max_output_length": None}},
        ),
        (
            "apply_patch",
            {"type": "update_file", "path": "a.py", "diff": "@@\n-a\n+b"},
            {"type": "apply_patch_call"}
            | {"operation": {"type": "update_file", "path": "a.py", "diff": "@@\n-a\n+b"}},
        ),
        ("apply_patch", {"path": "a.py"}, {"type": "function_call", "name": "apply_patch"}),
        ("local_shell", {"command": "ls"}, {"type": "function_call", "name": "local_shell"}),
    ],
)  # fmt: skip
def test_a_call_of_a_built_in_tool_is_the_item_of_that_tool(name, arguments, item):
    calls = [call(0, name, json.dumps(arguments))]
    _, response = streamed([chunk({"tool_calls": calls}), chunk(finish="tool_calls"), LAST])
    assert response == whole({"content": None, "tool_calls": calls}, "tool_calls")
    assert {member: response["output"][0][member] for member in item} == item


def test_a_refusal_is_a_part_of_the_message():
    _, response = streamed([chunk({"refusal": "I "}), chunk({"refusal": "won't"}),
                            chunk(finish="stop"), LAST])  # fmt: skip
    assert response == whole({"content": None, "refusal": "I won't"})
    assert response["output"][0]["content"] == [{"type": "refusal", "refusal": "I won't"}]


@pytest.mark.parametrize(
    ("finish", "reason"),
    [("length", "max_output_tokens"), ("content_filter", "content_filter")],
)
def test_an_answer_that_was_cut_is_incomplete_and_says_why(finish, reason):
    events, response = streamed([chunk({"content": "so"}), chunk(finish=finish), LAST])
    assert events[-1]["type"] == "response.incomplete"
    assert response["incomplete_details"] == {"reason": reason}
    assert response["output"][0]["status"] == "incomplete"
    assert response == whole({"content": "so"}, finish)


def test_an_empty_answer_is_an_empty_message():
    _, response = streamed([chunk(finish="stop"), LAST])
    assert response == whole({"content": ""})
    assert response["output"][0]["content"][0]["text"] == ""


def test_a_stream_that_breaks_ends_with_the_error_and_the_failure():
    writer = ResponseEvents(request_with(), WHO, lambda: 9.0)
    error = {"message": "the backend fell over", "code": "stream_broken", "param": None}
    stream = writer.take(chunk({"content": "so"})) + writer.take({"error": error}) + writer.end()
    events = events_in(stream)
    response = check_stream(events)
    assert [event["type"] for event in events[-2:]] == ["error", "response.failed"]
    assert events[-2]["code"] == "stream_broken"
    failure = {"code": "server_error", "message": "the backend fell over"}
    assert (response["status"], response["error"]) == ("failed", failure)


def test_logprobs_come_with_their_text():
    top = [{"token": "hi", "bytes": None, "logprob": -0.1}]
    token = {"token": "hi", "bytes": None, "logprob": -0.1, "top_logprobs": top}
    request = request_with(include=["message.output_text.logprobs"], top_logprobs=1)
    part = chunk({"content": "hi"})
    part["choices"][0]["logprobs"] = {"content": [token]}
    _, response = streamed([part, chunk(finish="stop"), LAST], request)
    written = {"token": "hi", "bytes": [104, 105], "logprob": -0.1}
    [logprob] = response["output"][0]["content"][0]["logprobs"]
    assert logprob == written | {"top_logprobs": [written]}


def test_an_answer_that_is_cut_while_it_thinks_is_reasoning_alone():
    _, response = streamed([chunk({"reasoning_content": "so"}), chunk(finish="length"), LAST])
    assert response == whole({"content": "", "reasoning_content": "so"}, "length")
    assert [item["type"] for item in response["output"]] == ["reasoning"]


DELTAS = st.one_of(
    st.builds(lambda t: {"content": t}, st.text(min_size=1)),
    st.builds(lambda t: {"reasoning_content": t}, st.text(min_size=1)),
    st.builds(lambda t: {"refusal": t}, st.text(min_size=1)),
    st.builds(
        lambda n, name, t: {"tool_calls": [call(n, name, t)]},
        st.integers(0, 5),
        st.sampled_from(["look", "patch", "files__open", "shell", "apply_patch", "unknown"]),
        st.text(max_size=5),
    ),
    st.just({}),
)


@draws(150)
@given(st.lists(DELTAS, max_size=12), st.sampled_from(["stop", "tool_calls", "length", None]))
def test_every_mixture_of_deltas_keeps_the_order(deltas, finish):
    streamed([*map(chunk, deltas), chunk(finish=finish), LAST])


@draws(150)
@given(st.text(), st.booleans(), st.lists(st.integers(1, 7), min_size=1))
def test_a_string_is_read_the_same_in_pieces_of_any_size(text, ascii_only, sizes):
    written = json.dumps({"input": text}, ensure_ascii=ascii_only)
    reader, pieces, at = InputString(), [], 0
    for turn in range(len(written)):
        size = sizes[turn % len(sizes)]
        pieces.append(reader.take(written[at : at + size]))
        at += size
    assert "".join(pieces) == text
