"""A request of Responses in the chat form, by OpenAI's documents of both; what chat lacks has a
name."""

import pytest

from router.config.backends import OpenAISettings
from router.config.manners import manners_of
from router.dialects.extensions import Manners, plain
from router.dialects.fields import Untranslatable
from router.dialects.responses_input import joined
from router.dialects.responses_request import request_of

FUNCTION = {"type": "function", "name": "look", "parameters": {"type": "object"}, "strict": True}
IMAGE = "data:image/png;base64,aGk="
PDF = "data:application/pdf;base64,aGk="


def read(**more):
    return request_of({"model": "m", "input": "hi"} | more)


def chat(**more):
    return dict(read(**more).chat)


def messages(*items, **more):
    return chat(input=list(items), **more)["messages"]


def user(text):
    return {"role": "user", "content": text}


def called(call_id, name, arguments):
    function = {"name": name, "arguments": arguments}
    return {"id": call_id, "type": "function", "function": function}


def test_the_fields_of_a_request_have_their_place_in_chat():
    given = {
        "instructions": "Be brief.",
        "max_output_tokens": 50,
        "temperature": 0.3,
        "top_p": 0.9,
        "reasoning": {"effort": "low"},
        "text": {
            "verbosity": "low",
            "format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}}
            | {"strict": True, "description": "d"},
        },
        "tools": [FUNCTION],
        "tool_choice": {"type": "function", "name": "look"},
        "parallel_tool_calls": False,
        "top_logprobs": 3,
        "stream": True,
        "user": "u",
        "safety_identifier": "s",
        "prompt_cache_key": "k",
        "service_tier": "flex",
        "top_k": 4,
    }
    assert chat(**given) == {
        "model": "m",
        "messages": [{"role": "system", "content": "Be brief."}, user("hi")],
        "max_completion_tokens": 50,
        "temperature": 0.3,
        "top_p": 0.9,
        "reasoning_effort": "low",
        "verbosity": "low",
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "n", "schema": {"type": "object"}}
            | {"strict": True, "description": "d"},
        },
        "tools": [
            {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}
            | {"strict": True}}
        ],
        "tool_choice": {"type": "function", "function": {"name": "look"}},
        "parallel_tool_calls": False,
        "logprobs": True,
        "top_logprobs": 3,
        "stream": True,
        "stream_options": {"include_usage": True},
        "user": "u",
        "safety_identifier": "s",
        "prompt_cache_key": "k",
        "service_tier": "flex",
        "top_k": 4,
    }  # fmt: skip


def test_the_parts_of_a_message_become_parts_of_chat():
    content = [
        {"type": "input_text", "text": "see"},
        {"type": "input_image", "image_url": IMAGE, "detail": "low"},
        {"type": "input_file", "file_data": PDF, "filename": "a"},
        {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}},
    ]
    [message] = messages({"role": "user", "content": content})
    assert message["content"] == [
        {"type": "text", "text": "see"},
        {"type": "image_url", "image_url": {"url": IMAGE, "detail": "low"}},
        {"type": "file", "file": {"filename": "a", "file_data": PDF}},
        {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}},
    ]  # fmt: skip


def test_what_an_assistant_did_at_once_is_one_message_and_outputs_follow_their_calls():
    assert messages(
        {"role": "user", "content": "go"},
        {"type": "reasoning", "id": "r", "summary": [{"type": "summary_text", "text": "hm"}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "I"}]},
        {"type": "function_call", "call_id": "1", "name": "look", "arguments": "{}"},
        {"type": "custom_tool_call", "call_id": "2", "name": "patch", "input": 'a"b'},
        {"role": "user", "content": "wait"},
        {"type": "custom_tool_call_output", "call_id": "2", "output": "done"},
        {"type": "function_call_output", "call_id": "1", "output": "seen"},
        {"type": "function_call", "call_id": "3", "name": "look", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "3", "output": "again"},
    ) == [
        user("go"),
        {"role": "assistant", "content": "I", "reasoning_content": "hm", "tool_calls": [
            called("1", "look", "{}"), called("2", "patch", '{"input":"a\\"b"}')]},
        {"role": "tool", "tool_call_id": "2", "content": "done"},
        {"role": "tool", "tool_call_id": "1", "content": "seen"},
        user("wait"),
        {"role": "assistant", "content": None, "tool_calls": [called("3", "look", "{}")]},
        {"role": "tool", "tool_call_id": "3", "content": "again"},
    ]  # fmt: skip


def test_an_image_in_an_output_comes_in_a_message_behind_it():
    written = messages(
        {"role": "user", "content": "go"},
        {"type": "function_call", "call_id": "1", "name": "view", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "1",
         "output": [{"type": "input_image", "image_url": IMAGE, "detail": "auto"}]},
    )  # fmt: skip
    assert written[2]["content"] == "(an image or file of this output: see below)"
    assert written[3]["role"] == "user"
    assert written[3]["content"][1] == {"type": "image_url", "image_url": {"url": IMAGE}}


@pytest.mark.parametrize(
    ("items", "name", "arguments", "output"),
    [
        (
            [
                {"type": "local_shell_call", "id": "i", "call_id": "1", "status": "completed"}
                | {"action": {"type": "exec", "command": ["ls"], "env": {}}},
                {"type": "local_shell_call_output", "id": "1", "output": "a.py"},
            ],
            "local_shell", '{"command":["ls"]}', "a.py",
        ),
        (
            [
                {"type": "shell_call", "call_id": "1", "action": {"commands": ["ls"]}},
                {"type": "shell_call_output", "call_id": "1", "output": [
                    {"stdout": "a", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}]},
            ],
            "shell", '{"commands":["ls"]}',
            '[{"stdout":"a","stderr":"","outcome":{"type":"exit","exit_code":0}}]',
        ),
        (
            [
                {"type": "apply_patch_call", "call_id": "1", "status": "completed",
                 "operation": {"type": "delete_file", "path": "a"}},
                {"type": "apply_patch_call_output", "call_id": "1", "status": "failed",
                 "output": "no such file"},
            ],
            "apply_patch", '{"type":"delete_file","path":"a"}',
            '{"status":"failed","output":"no such file"}',
        ),
    ],
)  # fmt: skip
def test_calls_of_built_in_tools_are_calls_of_functions(items, name, arguments, output):
    written = messages({"role": "user", "content": "go"}, *items)
    assert written[1]["tool_calls"] == [called("1", name, arguments)]
    assert written[2] == {"role": "tool", "tool_call_id": "1", "content": output}


def test_tools_of_every_kind_become_functions():
    grammar = {"type": "grammar", "syntax": "lark", "definition": "start: /a+/"}
    tools = [
        {"type": "custom", "name": "patch", "description": "Patch.", "format": grammar},
        {"type": "namespace", "name": "mcp__files", "description": "Files.", "tools": [FUNCTION]},
        {"type": "local_shell"},
        {"type": "apply_patch"},
        {"type": "shell", "environment": {"type": "local"}},
        {"type": "tool_search", "execution": "client", "parameters": {"type": "object"}},
    ]
    functions = {tool["function"]["name"]: tool["function"] for tool in chat(tools=tools)["tools"]}
    assert set(functions) == {"patch", "mcp__files__look", "local_shell", "apply_patch", "shell",
                              "tool_search"}  # fmt: skip
    words = "Patch.\n\n`input` must match this grammar (lark):\nstart: /a+/"
    assert functions["patch"]["description"] == words
    assert functions["patch"]["parameters"]["required"] == ["input"]
    assert functions["mcp__files__look"]["description"] == "Files."


def test_a_model_does_not_see_the_tools_that_it_may_not_call():
    other = FUNCTION | {"name": "other"}
    allowed = {"type": "allowed_tools", "mode": "required"}
    allowed |= {"tools": [{"type": "function", "name": "look"}]}
    fields = chat(tools=[FUNCTION, other], tool_choice=allowed)
    assert [tool["function"]["name"] for tool in fields["tools"]] == ["look"]
    assert fields["tool_choice"] == "required"


def test_settings_in_the_input_hold_from_there_on():
    update = {"type": "configuration_update", "reasoning": {"effort": "high"}}
    items = [update, {"role": "user", "content": "hi"}]
    fields = chat(input=items, reasoning={"effort": "low"}, text={"verbosity": "low"})
    assert (fields["reasoning_effort"], fields["verbosity"]) == ("high", "low")


def test_reasoning_of_earlier_turns_is_forgotten_where_the_caller_wants_that():
    thought = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]}
    items = [user("a"), thought, {"role": "assistant", "content": "b"}, user("c")]
    kept = messages(*items)
    dropped = messages(*items, reasoning={"context": "current_turn"})
    assert (kept[1].get("reasoning_content"), dropped[1].get("reasoning_content")) == ("hm", None)


@pytest.mark.parametrize(
    ("address", "sent"),
    [("https://api.openai.com/v1", False), ("https://api.deepseek.com/v1", True)],
)
def test_openais_chat_is_not_sent_the_reasoning_that_it_refuses(address, sent):
    settings = OpenAISettings(kind="openai", base_url=address, model="any-1")
    thought = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]}
    fields = chat(input=[user("a"), thought, {"role": "assistant", "content": "b"}, user("c")])
    written = plain(fields, manners_of(settings))["messages"][1]
    assert ("reasoning_content" in written) is sent


@pytest.mark.parametrize("bound", ["max_tokens", "max_completion_tokens"])
def test_the_bound_of_an_answer_has_the_name_that_the_server_knows(bound):
    written = plain(chat(max_output_tokens=50), Manners(bound=bound))
    assert {name: n for name, n in written.items() if name.startswith("max")} == {bound: 50}


def test_earlier_items_come_first_and_references_are_replaced_by_what_they_name():
    earlier = [{"type": "message", "id": "msg_1", "role": "assistant", "content": "a"}]
    assert joined(earlier, "b") == [*earlier, user("b")]
    referring = [{"type": "item_reference", "id": "msg_1"}, {"id": "msg_1"}]
    assert joined(earlier, referring) == [earlier[0]] * 3


@pytest.mark.parametrize(
    ("more", "name"),
    [
        ({"metadata": {"a": "b"}}, "metadata"),
        ({"max_tool_calls": 3}, "max_tool_calls"),
        ({"truncation": "auto"}, "truncation"),
        ({"client_metadata": {"a": "b"}}, "client_metadata"),
        ({"stream_options": {"include_obfuscation": False}}, "stream_options.include_obfuscation"),
        ({"include": ["file_search_call.results"]}, "include.file_search_call.results"),
        ({"tools": [FUNCTION | {"output_schema": {}}]}, "tools.output_schema"),
        ({"tools": [FUNCTION | {"defer_loading": True}]}, "tools.defer_loading"),
        ({"input": [user("a") | {"id": "msg_1"}]}, "input.id"),
        ({"input": [user("a"), {"role": "assistant", "content": "b", "phase": "commentary"}]},
         "input.phase"),
        ({"input": [user("a"), {"type": "reasoning", "summary": [], "encrypted_content": "gAAA"}]},
         "input.encrypted_content"),
    ],
)  # fmt: skip
def test_what_changes_no_answer_is_left_out_by_name(more, name):
    assert read(**more).left_out == (name,)


@pytest.mark.parametrize(
    ("more", "name"),
    [
        ({"tools": [{"type": "web_search"}]}, "tools[0]"),
        ({"tools": [{"type": "mcp", "server_label": "x"}]}, "tools[0]"),
        ({"tools": [{"type": "code_interpreter", "container": "c"}]}, "tools[0]"),
        ({"tools": [{"type": "something_new"}]}, "tools[0].type"),
        ({"tools": [{"type": "shell", "environment": {"type": "container_auto"}}]},
         "tools[0].environment"),
        ({"tool_choice": {"type": "file_search"}}, "tool_choice"),
        ({"prompt": {"id": "pmpt_1"}}, "prompt"),
        ({"context_management": [{"type": "compaction"}]}, "context_management"),
        ({"reasoning": {"mode": "pro"}}, "reasoning.mode"),
        ({"input": [user([{"type": "input_image", "file_id": "file-1", "detail": "auto"}])]},
         "input[0].content[0].file_id"),
        ({"input": [user([{"type": "input_file", "file_url": "https://a.b/c"}])]},
         "input[0].content[0].file_url"),
        ({"input": [{"type": "web_search_call", "id": "w", "status": "completed"}]}, "input[0]"),
    ],
)  # fmt: skip
def test_what_would_change_the_answer_needs_a_backend_of_the_dialect(more, name):
    assert list(read(**more).native) == [name]


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"background": True}, "background"),
        ({"input": None}, "input"),
        ({"input": []}, "input"),
        ({"input": 3}, "input"),
        ({"input": [3]}, "input[0]"),
        ({"input": [{"type": "no"}]}, "input[0].type"),
        ({"input": [{"role": "nobody", "content": "x"}]}, "input[0].role"),
        ({"input": [{"type": "item_reference", "id": "x"}]}, "input[0]"),
        ({"input": [{"type": "function_call", "call_id": "1", "name": "f", "arguments": "{}"}]},
         "input[0]"),
        ({"input": [{"type": "function_call_output", "call_id": "1", "output": ""}]},
         "input[0].call_id"),
        ({"input": [user([{"type": "picture"}])]}, "input[0].content[0].type"),
        ({"messages": []}, "messages"),
        ({"max_tokens": 5}, "max_tokens"),
        ({"response_format": {}}, "response_format"),
        ({"n": 2}, "n"),
        ({"text": {"format": {"type": "xml"}}}, "text.format.type"),
        ({"text": {"format": {"type": "json_schema", "schema": {}}}}, "text.format.name"),
        ({"reasoning": {"effort": "huge"}}, "reasoning.effort"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools[0].name"),
        ({"tools": [FUNCTION, {"type": "custom", "name": "look"}]}, "tools[1]"),
        ({"tool_choice": {"type": "function", "name": "gone"}}, "tool_choice"),
        ({"tool_choice": "any"}, "tool_choice"),
        ({"include": "all"}, "include"),
        ({"truncation": "some"}, "truncation"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"input": [{"type": "reasoning", "summary": [], "encrypted_content": "waggle1.!"}]},
         "input[0].encrypted_content"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_by_name(more, field):
    with pytest.raises(Untranslatable) as refusal:
        read(**more)
    assert refusal.value.field == field
