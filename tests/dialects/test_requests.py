"""Every request of the table is translated as the table says, or refused by the field's name."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.dialects.anthropic_request import AnthropicOptions, request_of
from router.dialects.anthropic_schemas import fitting
from router.dialects.claude_models import claude_model
from router.dialects.fields import Untranslatable
from router.dialects.gemini_request import NO_SIGNATURE, GeminiOptions, gemini_request
from tests.dialect_servers import refusal_of_form
from tests.dialects.requests import CASES, Refuses


def named(cases):
    return pytest.mark.parametrize("case", cases, ids=lambda case: case.app)


@named(CASES)
def test_claude_gets_the_request_that_the_table_says(case):
    options = AnthropicOptions(case.models[0], **case.options)
    if isinstance(case.claude, Refuses):
        with pytest.raises(Untranslatable) as refusal:
            request_of(case.request, options)
        assert refusal.value.field == case.claude.field
        return
    body = request_of(case.request, options).body
    assert refusal_of_form(body) == ""
    assert body.pop("model") == case.models[0]
    if "max_tokens" not in case.claude:
        assert body.pop("max_tokens") >= 4096
    assert body == case.claude


@named(CASES)
def test_gemini_gets_the_request_that_the_table_says(case):
    options = GeminiOptions(case.models[1], **case.options)
    if isinstance(case.gemini, Refuses):
        with pytest.raises(Untranslatable) as refusal:
            gemini_request(case.request, options)
        assert refusal.value.field == case.gemini.field
        return
    assert gemini_request(case.request, options) == case.gemini


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats(allow_nan=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def paths_in(value, at=()):
    yield at
    items = value.items() if isinstance(value, dict) else ()
    for key, inner in [*items, *(enumerate(value) if isinstance(value, list) else ())]:
        yield from paths_in(inner, (*at, key))


def changed(value, path, new):
    """The value with `new` at the path."""
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = changed(value[path[0]], path[1:], new)
    return copy


@given(st.data(), st.sampled_from(CASES), JSON)
def test_no_request_makes_a_translation_fall_over(data, case, anything):
    path = data.draw(st.sampled_from([path for path in paths_in(case.request) if path]))
    request = changed(case.request, path, anything)
    if not isinstance(request.get("messages"), list):
        request["messages"] = [anything]
    for translate, options in (
        (request_of, AnthropicOptions(case.models[0], **case.options)),
        (gemini_request, GeminiOptions(case.models[1], **case.options)),
    ):
        with contextlib.suppress(Untranslatable):
            translate(request, options)


def test_a_refusal_quotes_none_of_the_callers_words():
    secret = "my diagnosis"
    request = {"messages": [{"role": secret, "content": secret}]}
    for translate, options in (
        (request_of, AnthropicOptions("c")),
        (gemini_request, GeminiOptions("g")),
    ):
        with pytest.raises(Untranslatable) as refusal:
            translate(request, options)
        assert secret not in str(refusal.value)


def thinking(text, signature="sig"):
    return {"type": "thinking", "thinking": text, "signature": signature}


def test_thoughts_that_come_back_go_out_before_the_words_as_they_came():
    blocks = [thinking("Hm."), {"type": "redacted_thinking", "data": "x=="}]
    spoken = {"role": "assistant", "content": "Yes.", "thinking_blocks": blocks}
    messages = [{"role": "user", "content": "?"}, spoken, {"role": "user", "content": "So?"}]
    body = request_of({"messages": messages}, AnthropicOptions("claude-opus-4-8")).body
    assert body["messages"][1]["content"] == [*blocks, {"type": "text", "text": "Yes."}]


@pytest.mark.parametrize("kept", [True, False])
def test_a_tools_result_lets_a_model_with_a_budget_think_on_only_with_its_thoughts(kept):
    call = {"id": "c1", "type": "function", "function": {"name": "clock", "arguments": "{}"}}
    spoken = {"role": "assistant", "content": None, "tool_calls": [call]}
    if kept:
        spoken["thinking_blocks"] = [thinking("Hm.")]
    result = {"role": "tool", "tool_call_id": "c1", "content": "12:00"}
    messages = [{"role": "user", "content": "?"}, spoken, result]
    request = {"messages": messages, "reasoning_effort": "low"}
    body = request_of(request, AnthropicOptions("claude-sonnet-4-5")).body
    assert ("thinking" in body) == kept


def test_a_signature_of_gemini_goes_back_to_the_call_that_it_signs():
    extra = {"google": {"thought_signature": "c2ln"}}
    function = {"name": "clock", "arguments": "{}"}
    calls = [
        {"id": "c1", "type": "function", "function": function, "extra_content": extra},
        {"id": "c2", "type": "function", "function": function},
    ]
    messages = [
        {"role": "user", "content": "?"},
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "tool_call_id": "c1", "content": "12"},
        {"role": "tool", "tool_call_id": "c2", "content": "13"},
    ]
    parts = gemini_request({"messages": messages}, GeminiOptions("gemini-3-flash"))["contents"][1]
    assert [part.get("thoughtSignature") for part in parts["parts"]] == ["c2ln", None]


def test_a_call_of_another_model_is_marked_as_unsigned_for_gemini_3():
    function = {"name": "clock", "arguments": "{}"}
    call = {"id": "toolu_1", "type": "function", "function": function}
    messages = [
        {"role": "user", "content": "?"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "toolu_1", "content": "12"},
    ]
    for model, mark in (("gemini-3-flash", NO_SIGNATURE), ("gemini-2.5-flash", None)):
        contents = gemini_request({"messages": messages}, GeminiOptions(model))["contents"]
        assert contents[1]["parts"][0].get("thoughtSignature") == mark


@pytest.mark.parametrize(
    ("schema", "fit"),
    [
        (
            {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}},
            {
                "type": "object",
                "properties": {"n": {"type": "integer", "description": "{minimum: 1}"}},
                "additionalProperties": False,
            },
        ),
        ({"type": "object"}, None),
        ({"type": "object", "properties": {}, "additionalProperties": True}, None),
        ({"type": "object", "properties": {}, "patternProperties": {}}, None),
        ({"type": "array", "items": {"type": "string"}}, None),
    ],
)
def test_a_schema_is_fitted_to_what_claude_can_be_held_to(schema, fit):
    assert fitting(schema) == fit


@pytest.mark.parametrize(
    ("name", "thinking", "structured"),
    [
        ("claude-3-haiku-20240307", "none", False),
        ("claude-3-5-sonnet-latest", "none", False),
        ("claude-3-7-sonnet-20250219", "budget", False),
        ("claude-sonnet-4-20250514", "budget", False),
        ("claude-opus-4-1-20250805", "budget", True),
        ("claude-haiku-4-5-20251001", "budget", True),
        ("claude-opus-4-6", "adaptive", True),
        ("claude-opus-4-7", "adaptive_only", True),
        ("claude-sonnet-5", "adaptive_only", True),
        ("anthropic/claude-opus-4.5", "budget", True),
        ("our-claude", "adaptive_only", True),
    ],
)
def test_a_models_abilities_are_read_from_its_name(name, thinking, structured):
    model = claude_model(name)
    assert (model.thinking, model.structured) == (thinking, structured)
