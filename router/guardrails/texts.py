"""Walks over every text of a request or an answer, and changes texts without touching the rest.

A text is each string of the JSON, and each name of a member: messages of every role, parts, tool
results, arguments of tool calls, definitions of tools, schemas, metadata. Arguments are JSON in a
string: their values are read as values, also numbers, so they stay valid JSON.

Left alone: the name of the model, ids, signatures, and the bytes of images, sounds and files.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

Change = Callable[[str, str], str]  # a text and its role -> the text in its place

_LEFT_ALONE = frozenset(
    ("id", "tool_call_id", "tool_use_id", "call_id", "item_id", "signature", "encrypted_content",
     "thought_signature", "file_data", "file_id", "b64_json", "previous_response_id")
)  # fmt: skip
_STRUCTURE = frozenset(("role", "type", "object", "finish_reason", "format"))
_SHORTEST_NUMBER = 10**11  # only a number of so many digits may be a card's


@dataclass(frozen=True, slots=True)
class Passage:
    """A text of a request or an answer, and the role of its message."""

    role: str
    text: str


def changed_request(fields: Mapping[str, Any], change: Change) -> dict[str, Any]:
    """The fields of a request with other texts. The messages come first and in order, so that what
    is numbered on the way is numbered alike in the next turn."""
    first = [name for name in ("messages", "input", "prompt") if name in fields]
    rest = [name for name in fields if name not in first and name != "model"]
    changed: dict[str, Any] = {}
    for name in (*first, *rest):
        value = fields[name]
        if name == "messages" and isinstance(value, list):
            changed[name] = [_changed_message(message, change) for message in value]
        else:
            role = "user" if name in first else ""
            numbers = name == "data"
            changed[change(name, "")] = _changed(value, change, role, numbers=numbers)
    return {**{name: fields[name] for name in ("model",) if name in fields}, **changed}


def changed_answer(answer: Mapping[str, Any], change: Change) -> dict[str, Any]:
    """A completion with other texts in its choices."""
    choices = answer.get("choices")
    if not isinstance(choices, list):  # an answer that is no completion, such as a transcript
        return {
            name: inner if name in ("model", "object") else _changed(inner, change, "assistant")
            for name, inner in answer.items()
            if name not in _LEFT_ALONE
        } | {name: inner for name, inner in answer.items() if name in _LEFT_ALONE}
    changed = [
        {
            name: v if name == "logprobs" else _changed(v, change, "assistant")
            for name, v in c.items()
        }
        if isinstance(c, dict)
        else c
        for c in choices
    ]
    return {**answer, "choices": changed}


def without_logprobs(answer: Mapping[str, Any]) -> dict[str, Any]:
    """A completion without its logprobs, which repeat the words that were changed."""
    choices = answer.get("choices")
    if not isinstance(choices, list):
        return dict(answer)
    return {**answer, "choices": [{**choice, "logprobs": None} for choice in choices]}


def passages(fields: Mapping[str, Any], roles: tuple[str, ...] = ()) -> list[Passage]:
    """Every text of a request, or those of messages with these roles."""
    noted: list[Passage] = []

    def note(text: str, role: str) -> str:
        if not roles or role in roles:
            noted.append(Passage(role, text))
        return text

    changed_request(fields, note)
    return noted


def spoken(fields: Mapping[str, Any], roles: tuple[str, ...]) -> list[Passage]:
    """The words of the messages alone: what a classifier or a function reads."""
    return [p for p in passages(fields, roles) if p.role and p.text.strip()]


def spoken_in(answer: Mapping[str, Any]) -> list[Passage]:
    """The words of an answer, in order."""
    noted: list[Passage] = []

    def note(text: str, role: str) -> str:
        if role and text.strip():
            noted.append(Passage(role, text))
        return text

    changed_answer(answer, note)
    return noted


def _changed_message(message: Any, change: Change) -> Any:
    role = message.get("role") if isinstance(message, dict) else None
    return _changed(message, change, role if isinstance(role, str) else "")


def _changed(value: Any, change: Change, role: str, *, numbers: bool = False) -> Any:
    match value:
        case str():
            return (
                value if value.startswith("data:") and "," in value[:200] else change(value, role)
            )
        case list():
            return [_changed(item, change, role, numbers=numbers) for item in value]
        case dict():
            return dict(_members(value, change, role, numbers=numbers))
        case int() if numbers and not isinstance(value, bool) and value >= _SHORTEST_NUMBER:
            text = change(str(value), role)
            return value if text == str(value) else text
    return value


def _members(
    value: Mapping[str, Any], change: Change, role: str, *, numbers: bool
) -> Iterator[tuple[str, Any]]:
    bytes_here = value.get("type") == "base64" or "format" in value  # an image or a sound
    for name, inner in value.items():
        if isinstance(inner, str):
            if name in _LEFT_ALONE or (name == "data" and bytes_here):
                yield name, inner
                continue
            if name in _STRUCTURE and len(inner) < 40 and inner.replace("_", "").isalnum():
                yield name, inner
                continue
            if name == "arguments":
                yield name, _changed_arguments(inner, change, role)
                continue
        yield change(name, ""), _changed(inner, change, role, numbers=numbers)


def _changed_arguments(text: str, change: Change, role: str) -> str:
    """The arguments of a tool call; other bytes only if a value changed."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return change(text, role)
    if not isinstance(value, dict | list):
        return change(text, role)
    changed = _changed(value, change, role, numbers=True)
    return text if changed == value else orjson.dumps(changed).decode()
