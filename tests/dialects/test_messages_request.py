"""What apps send to Anthropic's Messages API, read into chat requests, and back without a loss."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.dialects.anthropic_request import AnthropicOptions, request_of
from router.dialects.extensions import Manners, plain
from router.dialects.fields import Untranslatable
from router.dialects.messages_request import chat_of, without_unsigned_thoughts
from tests.dialects.test_requests import JSON, changed, paths_in

EPHEMERAL = {"type": "ephemeral"}
PNG = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
WEATHER = {"name": "weather", "input_schema": {"type": "object", "properties": {}}}


def request_with(*messages, **more):
    return {"model": "auto", "max_tokens": 9, "messages": list(messages)} | more


def user(*blocks):
    return {"role": "user", "content": list(blocks)}


def claude(*blocks):
    return {"role": "assistant", "content": list(blocks)}


def words(text, **more):
    return {"type": "text", "text": text, **more}


def use(identity, name="weather", **arguments):
    return {"type": "tool_use", "id": identity, "name": name, "input": arguments}


def result(identity, content="ok", **more):
    return {"type": "tool_result", "tool_use_id": identity, "content": content, **more}


HI = user(words("hi"))
LOOP = request_with(
    HI,
    claude(
        {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
        words("I look."),
        use("t1", city="Oslo"),
        use("t2", name="clock"),
    ),
    user(result("t1", [words("4 °C"), {"type": "image", "source": PNG}]), result("t2"), words("?")),
    system=[words("Be brief.", cache_control=EPHEMERAL)],
    tools=[WEATHER],
)


def test_a_loop_of_tools_becomes_messages_of_chat():
    form = chat_of(LOOP)
    system, hi, spoken, first, second, question = form.fields["messages"]
    assert system["content"] == [words("Be brief.", cache_control=EPHEMERAL)]
    assert hi == {"role": "user", "content": "hi"}
    assert spoken["content"] == "I look."
    assert spoken["thinking_blocks"][0]["signature"] == "c2ln"
    calls = [
        (c["id"], c["function"]["name"], c["function"]["arguments"]) for c in spoken["tool_calls"]
    ]
    assert calls == [("t1", "weather", '{"city":"Oslo"}'), ("t2", "clock", "{}")]
    assert (first["role"], first["tool_call_id"]) == ("tool", "t1")
    assert [part["type"] for part in first["content"]] == ["text", "image_url"]
    assert second == {"role": "tool", "tool_call_id": "t2", "content": "ok"}
    assert question == {"role": "user", "content": "?"}
    assert form.left_out == ("system.cache_control",)
    assert form.only_native == ()


@pytest.mark.parametrize(
    ("given_choice", "choice", "parallel"),
    [
        ({"type": "auto"}, "auto", None),
        ({"type": "any", "disable_parallel_tool_use": True}, "required", False),
        ({"type": "none"}, "none", None),
        (
            {"type": "tool", "name": "weather"},
            {"type": "function", "function": {"name": "weather"}},
            None,
        ),
    ],
)
def test_a_choice_of_tools_is_chats_own(given_choice, choice, parallel):
    fields = chat_of(request_with(HI, tools=[WEATHER], tool_choice=given_choice)).fields
    assert fields["tool_choice"] == choice
    assert fields.get("parallel_tool_calls") == parallel


NATIVE_ONLY = [
    ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "'web_search_20250305'"),
    ({"tools": [{"type": "bash_20250124", "name": "bash"}]}, "'bash_20250124'"),
    ({"tools": [WEATHER | {"defer_loading": True}]}, "`tools[0].defer_loading`"),
    ({"container": "c1"}, "`container`"),
    ({"mcp_servers": [{"type": "url"}]}, "`mcp_servers`"),
    ({"inference_geo": "us"}, "`inference_geo`"),
    ({"max_tokens": 0}, "`max_tokens`"),
    (
        {"messages": [user({"type": "image", "source": {"type": "file", "file_id": "f1"}})]},
        "`messages[0].content[0].source`",
    ),
    (
        {
            "messages": [
                HI,
                claude({"type": "server_tool_use", "id": "s", "name": "w", "input": {}}),
            ]
        },
        "`messages[1].content[0]`",
    ),
]


@pytest.mark.parametrize(("more", "named"), NATIVE_ONLY, ids=[named for _, named in NATIVE_ONLY])
def test_what_only_anthropic_can_do_is_named(more, named):
    form = chat_of(request_with(HI) | more)
    assert any(named in each for each in form.only_native), form.only_native


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"metadata": {"user_id": "u1"}}, "metadata.user_id"),
        ({"cache_control": EPHEMERAL}, "cache_control"),
        ({"service_tier": "standard_only"}, "service_tier"),
        ({"context_management": {"edits": []}}, "context_management"),
        ({"thinking": {"type": "adaptive"}}, "thinking"),
        ({"output_config": {"effort": "high"}}, "output_config.effort"),
        ({"tools": [WEATHER | {"eager_input_streaming": True}]}, "tools.eager_input_streaming"),
        ({"messages": [user(words("hi", citations=[{}]))]}, "messages.content.citations"),
        ({"system": [words("x-anthropic-billing-header: cc_version=2;"), words("Be.")]},
         "system.billing"),
    ],
)  # fmt: skip
def test_what_changes_no_answer_is_named_once(more, named):
    form = chat_of(request_with(HI) | more)
    assert form.left_out == (named,)
    assert form.only_native == ()


def test_defaults_say_nothing():
    more = {
        "service_tier": "auto",
        "speed": "standard",
        "inference_geo": "global",
        "container": None,
    }
    form = chat_of(request_with(HI, **more, thinking={"type": "disabled"}))
    assert (form.left_out, form.only_native) == ((), ())


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"messages": []}, "messages"),
        ({"messages": "hi"}, "messages"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role"),
        ({"messages": [user({"type": "text"})]}, "messages[0].content[0].text"),
        ({"messages": [user({"type": 7})]}, "messages[0].content[0].type"),
        ({"messages": [HI, claude(use("t") | {"input": "x"})]}, "messages[1].content[0].input"),
        ({"max_tokens": None}, "max_tokens"),
        ({"max_tokens": True}, "max_tokens"),
        ({"system": 7}, "system"),
        ({"tools": [{"name": "x"}]}, "tools[0].input_schema"),
        ({"tool_choice": {"type": "maybe"}}, "tool_choice.type"),
        ({"stop_sequences": [1]}, "stop_sequences"),
        ({"thinking": "yes"}, "thinking"),
        ({"output_config": {"format": {"type": "text"}}}, "output_config.format.type"),
    ],
)
def test_what_is_malformed_is_refused_by_its_field(more, field):
    with pytest.raises(Untranslatable) as refusal:
        chat_of(request_with(HI) | more)
    assert refusal.value.field == field


CASES = [LOOP, *(request_with(HI) | more for more, _ in NATIVE_ONLY)]


@given(st.data(), st.sampled_from(CASES), JSON)
def test_no_request_makes_the_reading_fall_over(data, case, anything):
    path = data.draw(st.sampled_from([path for path in paths_in(case) if path]))
    request = changed(case, path, anything)
    try:
        form = chat_of(request)
    except Untranslatable:
        return
    json.dumps(plain(form.fields))
    without_unsigned_thoughts(request)


def test_no_other_kind_of_backend_is_sent_what_only_anthropics_reads():
    request = LOOP | {
        "thinking": {"type": "enabled", "budget_tokens": 2048},
        "metadata": {"user_id": "u1"},
        "messages": [
            user({"type": "document", "title": "T", "context": "C", "source": {
                "type": "text", "media_type": "text/plain", "data": "Bees dance."}}),
            claude(use("t1")),
            user(result("t1", [words("4"), {"type": "image", "source": PNG}], is_error=True)),
        ],
    }  # fmt: skip
    sent = plain(
        chat_of(request).fields, Manners(("low", "medium", "high"), "max_completion_tokens")
    )
    assert not {"thinking", "metadata", "max_tokens"} & sent.keys()
    assert (sent["reasoning_effort"], sent["max_completion_tokens"]) == ("low", 9)
    system, document, _, failed, picture = sent["messages"]
    assert system["content"] == [words("Be brief.")]
    assert document["content"] == [
        words('<document title="T" context="C">\nBees dance.\n</document>')
    ]
    assert failed["content"] == [words("Error:"), words("4")]
    assert "is_error" not in failed
    assert [part["type"] for part in picture["content"]] == ["text", "image_url"]
    assert picture["content"][0]["text"] == "The result of the call t1:"


@pytest.mark.parametrize(
    ("more", "taken", "effort"),
    [
        ({"output_config": {"effort": "max"}}, ("low", "medium", "high"), "high"),
        ({"output_config": {"effort": "low"}}, ("medium", "high"), "medium"),
        ({"thinking": {"type": "disabled"}}, ("none", "low"), "none"),
        ({"thinking": {"type": "enabled", "budget_tokens": 30_000}}, ("low", "high"), "high"),
        ({"thinking": {"type": "adaptive"}}, ("low", "high"), None),
        ({"output_config": {"effort": "high"}}, (), None),
        ({}, ("low", "high"), None),
    ],
)
def test_thinking_becomes_the_nearest_effort_that_the_model_takes(more, taken, effort):
    assert (
        plain(chat_of(request_with(HI) | more).fields, Manners(taken)).get("reasoning_effort")
        == effort
    )


def test_thoughts_that_nobody_signed_stay_here():
    unsigned = {"type": "thinking", "thinking": "Hm.", "signature": "waggle"}
    request = request_with(
        HI, claude(unsigned, use("t1")), user(result("t1")), thinking={"type": "adaptive"}
    )
    form = chat_of(request)
    assert "thinking_blocks" not in form.fields["messages"][1]
    assert "messages.content.thinking" in form.left_out
    native = without_unsigned_thoughts(request)
    assert native["messages"][1] == claude(use("t1"))
    assert native["thinking"] == {"type": "disabled"}  # its signed beginning is missing
    assert without_unsigned_thoughts(LOOP) is None


def test_an_answers_blocks_keep_their_order():
    signed = {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}
    spoken = claude(words("a"), signed, use("t1"), words("b"), use("t2"))
    request = request_with(HI, spoken, user(result("t1"), result("t2")))
    body = request_of(chat_of(request).fields, AnthropicOptions("claude-opus-4-8")).body
    assert body["messages"][1] == spoken


def test_a_system_in_the_middle_is_the_users_where_templates_may_refuse_it():
    late = {"role": "system", "content": "Time is short."}
    fields = chat_of(request_with(HI, late, system="Be brief.")).fields
    messages = plain(fields, Manners())["messages"]
    assert [message["role"] for message in messages] == ["system", "user", "user"]
    assert messages[-1]["content"] == [words("<system>\nTime is short.\n</system>")]
    anywhere = plain(fields, Manners(system_anywhere=True))["messages"]
    assert [message["role"] for message in anywhere] == ["system", "user", "system"]
