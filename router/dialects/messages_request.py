"""Reads a request of Anthropic's Messages API into a chat request of OpenAI's dialect. Pure.

`chat_of` carries every field, names it in `left_out` because it changes no answer, or names it
in `only_native` because none but a backend of Anthropic's own dialect can do it. What is malformed
raises `Untranslatable` with the field's name. `router.dialects.anthropic_request` writes the chat
form back, without a loss. Numbers are checked by the backend, not here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from router.dialects.anthropic_thinking import answers_without_thoughts
from router.dialects.fields import Untranslatable
from router.dialects.messages_notes import EPHEMERAL, Body, Notes, list_at, object_at
from router.dialects.messages_tools import choice_in, tools_in
from router.dialects.messages_turns import is_unsigned, messages_of

_SAME = ("model", "max_tokens", "stream", "temperature", "top_p", "top_k")
# Waggle's own fields, which are the same in every dialect.
_WAGGLES = ("shape", "count", "seed", "variant", "data", "store")
# They label, place or speed up a request, and change no answer; `context_management` and
# `diagnostics` change only what stays of earlier turns, or what is said about the cache.
_HINTS = ("service_tier", "speed", "diagnostics", "user_profile_id", "context_management")
_SILENT = {"service_tier": ("auto",), "speed": ("standard",), "inference_geo": ("global",)}
_READ = frozenset(
    {
        *("system", "messages", "tools", "tool_choice", "stop_sequences", "metadata"),
        *("thinking", "output_config", EPHEMERAL, *_SAME, *_WAGGLES, *_HINTS),
    }
)


@dataclass(frozen=True, slots=True)
class ChatForm:
    """A request in chat's dialect, and what of it chat cannot carry."""

    fields: Mapping[str, Any]
    left_out: tuple[str, ...] = ()  # changes no answer
    only_native: tuple[str, ...] = ()  # only Anthropic's own dialect can carry it


def chat_of(fields: Mapping[str, Any]) -> ChatForm:
    notes = Notes()
    _check_bound(fields, notes)
    chat: Body = {name: fields[name] for name in (*_SAME, *_WAGGLES) if name in fields}
    chat["messages"] = messages_of(fields.get("system"), fields.get("messages"), notes)
    tools = tools_in(fields.get("tools"), notes)
    if tools:
        chat["tools"] = tools
    chat |= choice_in(fields, notes)
    if fields.get("stop_sequences") is not None:
        chat["stop"] = _stops(fields["stop_sequences"])
    chat |= _thinking(fields, notes) | _account(fields, notes)
    for name in fields:
        silent = fields[name] is None or fields[name] in _SILENT.get(name, ())
        if name not in _READ and not silent:
            notes.native(name[:80])
    if fields.get("stream"):
        chat["stream_options"] = {"include_usage": True}
    return ChatForm(chat, tuple(notes.left_out), tuple(notes.only_native))


def without_unsigned_thoughts(fields: Mapping[str, Any]) -> Body | None:
    """The request without thoughts that no backend of Anthropic's dialect has signed, for its API
    would refuse them; None if the request has none."""
    changed = False
    messages = []
    for message in fields["messages"]:
        content = message.get("content")
        if message.get("role") == "assistant" and isinstance(content, list):
            kept = [block for block in content if not is_unsigned(block)]
            if len(kept) < len(content):
                changed, message = True, message | {"content": kept}
        messages.append(message)
    if not changed:
        return None
    written: Body = {**fields, "messages": messages}
    if answers_without_thoughts(messages):
        written["thinking"] = {"type": "disabled"}
    return written


def _check_bound(fields: Mapping[str, Any], notes: Notes) -> None:
    most = fields.get("max_tokens")
    if not isinstance(most, int) or isinstance(most, bool) or most < 0:
        given = "is missing" if most is None else f"= {most!r:.40}"
        rule = "must be a whole number from 0: the most tokens of the answer"
        raise Untranslatable("max_tokens", f"{given}, and {rule}")
    if most == 0:
        notes.native("max_tokens", "= 0")


def _stops(value: Any) -> list[str]:
    texts = list_at(value, "stop_sequences")
    if not all(isinstance(text, str) for text in texts):
        raise Untranslatable("stop_sequences", "must be a list of strings")
    return texts


def _thinking(fields: Mapping[str, Any], notes: Notes) -> Body:
    """How long the model thinks, and the form of its answer."""
    chat: Body = {}
    if fields.get("thinking") is not None:
        thinking = object_at(fields["thinking"], "thinking")
        if not isinstance(thinking.get("type"), str):
            raise Untranslatable("thinking.type", "must be a string")
        chat["thinking"] = dict(thinking)
        if thinking["type"] != "disabled":
            notes.leave_out("thinking")  # another model may think in its own way
    if fields.get("output_config") is None:
        return chat
    config = object_at(fields["output_config"], "output_config")
    notes.members(config, "output_config", frozenset({"effort", "format"}))
    if config.get("effort") is not None:
        if not isinstance(config["effort"], str):
            raise Untranslatable("output_config.effort", "must be a string")
        chat["output_config"] = {"effort": config["effort"]}
        notes.leave_out("output_config.effort")
    if config.get("format") is not None:
        chat["response_format"] = _form(object_at(config["format"], "output_config.format"), notes)
    return chat


def _form(form: Mapping[str, Any], notes: Notes) -> Body:
    notes.members(form, "output_config.format", frozenset({"type", "schema"}))
    if form.get("type") != "json_schema":
        raise Untranslatable("output_config.format.type", "must be json_schema")
    schema = dict(object_at(form.get("schema"), "output_config.format.schema"))
    named = {"name": "answer", "schema": schema, "strict": True}
    return {"type": "json_schema", "json_schema": named}


def _account(fields: Mapping[str, Any], notes: Notes) -> Body:
    """Who asks, and what no answer depends on."""
    chat: Body = {}
    if fields.get("metadata") is not None:
        chat["metadata"] = dict(object_at(fields["metadata"], "metadata"))
        if chat["metadata"].get("user_id") is not None:
            notes.leave_out("metadata.user_id")
    if fields.get(EPHEMERAL) is not None:
        chat[EPHEMERAL] = object_at(fields[EPHEMERAL], EPHEMERAL)
        notes.leave_out(EPHEMERAL)
    for name in _HINTS:
        if fields.get(name) is not None and fields[name] not in _SILENT.get(name, ()):
            notes.leave_out(name)
    return chat
