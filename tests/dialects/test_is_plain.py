"""A request is rewritten for a backend only where that changes it."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.dialects.extensions import Manners, is_plain, plain

TEXT = {"type": "text", "text": 'says "thinking": 1 and "role":"system"'}
MARKED = TEXT | {"cache_control": {"type": "ephemeral"}}
DOCUMENT = TEXT | {"document": {"title": "t"}}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
CALLS = [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
MESSAGES = [
    {"role": "system", "content": "be brief"},
    {"role": "user", "content": "hi"},
    {"content": [TEXT], "role": "user"},
    {"role": "user", "content": [MARKED, IMAGE]},
    {"role": "user", "content": [DOCUMENT]},
    {"role": "user", "content": [IMAGE]},
    {"role": "assistant", "content": None, "tool_calls": CALLS},
    {"role": "assistant", "content": "hm", "reasoning_content": "because"},
    {"role": "assistant", "content": "hm", "thinking_blocks": []},
    {"role": "tool", "tool_call_id": "c", "content": "42"},
    {"role": "tool", "tool_call_id": "c", "content": [TEXT, IMAGE]},
    {"role": "tool", "tool_call_id": "c", "content": "no", "is_error": True},
]
SCHEMA = {"type": "object", "properties": {"role": {"type": "string", "default": "system"}}}
TOOL = {"type": "function", "function": {"name": "f", "parameters": SCHEMA}}
MORE = [
    {},
    {"max_tokens": 5},
    {"max_completion_tokens": 5},
    {"max_tokens": 5, "max_completion_tokens": 5},
    {"thinking": {"type": "enabled", "budget_tokens": 2000}},
    {"output_config": {"effort": "low"}},
    {"metadata": {"user_id": "u", "x": "y"}},
    {"metadata": {"x": "y"}},
    {"tools": [TOOL]},
    {"tools": [TOOL | {"input_examples": []}]},
]
MANNERS = [
    Manners(),
    Manners(("low", "high")),
    Manners(bound="max_completion_tokens", system_anywhere=True),
    Manners(reads_reasoning=False),
]


@given(
    st.lists(st.sampled_from(MESSAGES), max_size=4),
    st.sampled_from(MORE),
    st.sampled_from(MANNERS),
    st.booleans(),
)
def test_what_is_plain_needs_no_change(messages, more, manners, first):
    parts = ({"messages": messages}, more) if first else (more, {"messages": messages})
    fields = {"model": "m"} | parts[0] | parts[1]
    if is_plain(orjson.dumps(fields), manners):
        assert plain(fields, manners) == fields


@pytest.mark.parametrize("role", ["user", "assistant"])
@pytest.mark.parametrize("more", [{}, {"max_tokens": 5}, {"tools": [TOOL]}])
def test_a_usual_request_is_plain(role, more):
    talk = [MESSAGES[0], {"role": role, "content": [TEXT]}, MESSAGES[9]]
    assert is_plain(orjson.dumps({"model": "m", "messages": talk} | more), Manners())
