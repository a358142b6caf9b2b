"""Bodies that an agent sends, with one value bent: right all around, wrong in one deep place."""

import copy
import random
from collections.abc import Iterator, Mapping
from typing import Any

from experiments.attack.odd_values import odd_value

_EPHEMERAL = {"type": "ephemeral"}
_PNG = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
_PDF = {"type": "base64", "media_type": "application/pdf", "data": "JVBERg=="}
LOOP_OF_TOOLS: Mapping[str, Any] = {
    "model": "model",
    "max_tokens": 500,
    "system": [{"type": "text", "text": "Be brief.", "cache_control": _EPHEMERAL}],
    "thinking": {"type": "enabled", "budget_tokens": 2048},
    "output_config": {"effort": "high"},
    "metadata": {"user_id": '{"session_id": "s1"}', "task": "coding"},
    "stop_sequences": ["END"],
    "tools": [
        {
            "name": "weather",
            "description": "The weather.",
            "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
            "cache_control": _EPHEMERAL,
        }
    ],
    "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is it like in Oslo?"},
                {"type": "document", "source": _PDF, "title": "A map"},
                {
                    "type": "search_result",
                    "source": "s",
                    "title": "t",
                    "content": [{"type": "text", "text": "Cold."}],
                },
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Hm.", "signature": "waggle"},
                {"type": "redacted_thinking", "data": "x"},
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Oslo"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "t1",
                    "is_error": True,
                    "content": [
                        {"type": "text", "text": "4 °C"},
                        {"type": "image", "source": _PNG},
                    ],
                },
                {"type": "text", "text": "So?"},
            ],
        },
        {"role": "system", "content": "Time is short."},
    ],
}

CODING: Mapping[str, Any] = {
    "model": "model",
    "instructions": "Be brief.",
    "reasoning": {"effort": "low", "summary": "auto"},
    "text": {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}}},
    "include": ["reasoning.encrypted_content", "message.output_text.logprobs"],
    "tools": [
        {"type": "function", "name": "look", "strict": False, "parameters": {"type": "object"}},
        {
            "type": "custom",
            "name": "patch",
            "format": {"type": "grammar", "syntax": "lark", "definition": "start: /a/"},
        },
        {
            "type": "namespace",
            "name": "files",
            "description": "Files.",
            "tools": [{"type": "function", "name": "open", "parameters": {}}],
        },
        {"type": "shell", "environment": {"type": "local"}},
        {"type": "apply_patch"},
    ],
    "tool_choice": {
        "type": "allowed_tools",
        "mode": "auto",
        "tools": [{"type": "function", "name": "look"}],
    },
    "metadata": {"task": "coding"},
    "client_metadata": {"session_id": "s1"},
    "input": [
        {"role": "developer", "content": [{"type": "input_text", "text": "Mend it."}]},
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "See."},
                {"type": "input_image", "image_url": "data:image/png;base64,aGk=", "detail": "low"},
            ],
        },
        {
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": "Hm."}],
            "encrypted_content": "waggle1.eyJyZWFzb25pbmdfY29udGVudCI6ImhtIn0=",
        },
        {"type": "function_call", "call_id": "c1", "name": "look", "arguments": "{}"},
        {"type": "custom_tool_call", "call_id": "c2", "name": "patch", "input": "a"},
        {"type": "shell_call", "call_id": "c3", "action": {"commands": ["ls"]}},
        {
            "type": "function_call_output",
            "call_id": "c1",
            "output": [{"type": "input_image", "image_url": "data:image/png;base64,aGk="}],
        },
        {"type": "custom_tool_call_output", "call_id": "c2", "output": "done"},
        {
            "type": "shell_call_output",
            "call_id": "c3",
            "output": [{"stdout": "a", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}],
        },
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Done.", "annotations": []}],
        },
        {"role": "user", "content": "So?"},
    ],
}


def bent(body: Mapping[str, Any], chance: random.Random) -> dict[str, Any]:
    """The body with another value in one place, or without the value there."""
    changed = copy.deepcopy(dict(body))
    *way, last = chance.choice([place for place in _places(changed) if place])
    holder: Any = changed
    for step in way:
        holder = holder[step]
    if chance.random() < 0.2:
        del holder[last]
    else:
        holder[last] = odd_value(chance)
    return changed


def _places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield at
    items = value.items() if isinstance(value, dict) else ()
    for key, inner in [*items, *(enumerate(value) if isinstance(value, list) else ())]:
        yield from _places(inner, (*at, key))
