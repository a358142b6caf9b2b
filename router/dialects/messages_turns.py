"""Reads the turns of a request of Anthropic's Messages API into chat messages. Pure.

Results of tools become messages of their own, before the words of the same turn, as both dialects
have it. Thinking keeps its signatures in `thinking_blocks`; `block_order` says in which order an
answer's blocks came, where it is not thoughts, words, calls.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from router.dialects.fields import Untranslatable
from router.dialects.messages_blocks import (
    cached_as,
    in_short,
    part_of,
    parts_of,
    text_of,
)
from router.dialects.messages_notes import EPHEMERAL, Body, Notes, list_at, object_at, string_at

OWN_SIGNATURE = "waggle"  # of thoughts that came from a backend which signs none
_BILLING = "x-anthropic-billing-header:"  # Claude Code counts its requests in a text of the system
_MESSAGE = frozenset({"role", "content"})
_RESULT = frozenset({"type", "tool_use_id", "content", "is_error", EPHEMERAL})
_USE = frozenset({"type", "id", "name", "input", EPHEMERAL, "caller"})
NATURAL_ORDER = ("thinking", "text", "tool_use")


def messages_of(system: Any, messages: Any, notes: Notes) -> list[Body]:
    """The chat messages, with the system's first."""
    chat = _system(system, "system", notes)
    listed = list_at(messages, "messages")
    if not listed:
        raise Untranslatable("messages", "must have at least one message")
    for index, message in enumerate(listed):
        at = f"messages[{index}]"
        fields = object_at(message, at)
        notes.members(fields, at, _MESSAGE)
        match fields.get("role"):
            case "user":
                chat += _user(fields.get("content"), f"{at}.content", notes)
            case "assistant":
                chat.append(_assistant(fields.get("content"), f"{at}.content", notes))
            case "system":
                chat += _system(fields.get("content"), f"{at}.content", notes)
            case _:
                raise Untranslatable(f"{at}.role", "must be user, assistant or system")
    return chat


def is_unsigned(block: Mapping[str, Any]) -> bool:
    """Whether a thought is of a backend that signs none, and so means nothing to Anthropic's."""
    return block.get("type") == "thinking" and block.get("signature") in (OWN_SIGNATURE, "", None)


def _system(system: Any, at: str, notes: Notes) -> list[Body]:
    if system is None or isinstance(system, str):
        return [{"role": "system", "content": system}] if system else []
    parts = []
    for index, item in enumerate(list_at(system, at)):
        place = f"{at}[{index}]"
        block = object_at(item, place)
        if block.get("type") != "text":
            raise Untranslatable(f"{place}.type", "must be text")
        part = text_of(block, place, notes)
        if part["text"].startswith(_BILLING):
            notes.leave_out(f"{place}.billing")
        else:
            parts.append(part)
    return [{"role": "system", "content": in_short(parts)}] if parts else []


def _user(content: Any, at: str, notes: Notes) -> list[Body]:
    if isinstance(content, str):
        return [{"role": "user", "content": content}]
    results: list[Body] = []
    parts: list[Body] = []
    for index, item in enumerate(list_at(content, at)):
        place = f"{at}[{index}]"
        block = object_at(item, place)
        if block.get("type") == "tool_result":
            results.append(_result(block, place, notes))
        else:
            parts += part_of(block, place, notes)
    if results and not parts:
        return results
    return [*results, {"role": "user", "content": in_short(parts)}]


def _result(block: Mapping[str, Any], at: str, notes: Notes) -> Body:
    notes.members(block, at, _RESULT)
    content = block.get("content")
    if content is not None and not isinstance(content, str):
        content = in_short(parts_of(content, f"{at}.content", notes))
    identity = string_at(block, "tool_use_id", at)
    message: Body = {"role": "tool", "tool_call_id": identity, "content": content or ""}
    if block.get("is_error"):
        message["is_error"] = True
    return cached_as(message, block, at, notes)


def _assistant(content: Any, at: str, notes: Notes) -> Body:
    if isinstance(content, str):
        return {"role": "assistant", "content": content}
    blocks: dict[str, list[Body]] = {kind: [] for kind in NATURAL_ORDER}
    order = []
    for index, item in enumerate(list_at(content, at)):
        place = f"{at}[{index}]"
        kind, written = _spoken(object_at(item, place), place, notes)
        if written is not None:
            blocks[kind].append(written)
            order += [kind] if written.get("text") != "" else []
    thoughts, texts, calls = blocks.values()
    message: Body = {"role": "assistant", "content": in_short(texts) or (None if calls else "")}
    if thoughts:
        message["thinking_blocks"] = thoughts
    if calls:
        message["tool_calls"] = calls
    if order != sorted(order, key=NATURAL_ORDER.index):
        message["block_order"] = order
    return message


def _spoken(block: Mapping[str, Any], at: str, notes: Notes) -> tuple[str, Body | None]:
    """The kind of a block of an answer, and the block in chat's form, if chat has one."""
    match block.get("type"):
        case "text":
            return "text", text_of(block, at, notes)
        case "thinking" | "redacted_thinking":
            if is_unsigned(block):
                notes.leave_out(f"{at}.thinking")
                return "thinking", None
            return "thinking", _thought(block, at)
        case "tool_use":
            return "tool_use", _call(block, at, notes)
        case str(kind):
            notes.native(at, f"a block {kind!r:.60}")
            return kind, None
        case _:
            raise Untranslatable(f"{at}.type", "must be a string")


def _thought(block: Mapping[str, Any], at: str) -> Body:
    for name in ("thinking", "signature") if block["type"] == "thinking" else ("data",):
        string_at(block, name, at)
    return dict(block)


def _call(block: Mapping[str, Any], at: str, notes: Notes) -> Body:
    notes.members(block, at, _USE)
    caller = block.get("caller")
    if caller is not None and object_at(caller, f"{at}.caller").get("type") != "direct":
        notes.native(f"{at}.caller")
    function = {
        "name": string_at(block, "name", at),
        "arguments": orjson.dumps(object_at(block.get("input"), f"{at}.input")).decode(),
    }
    call = {"id": string_at(block, "id", at), "type": "function", "function": function}
    return cached_as(call, block, at, notes)
