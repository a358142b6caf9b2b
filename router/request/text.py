"""Takes the words out of a chat request's messages. Pure functions."""

from collections.abc import Iterator, Mapping
from typing import Any

from router.domain import Call, Fault
from router.request.json_body import json_of

_CHARACTERS_PER_TOKEN = 4


def prompt_text(fields: Mapping[str, Any]) -> str:
    """All the words of the conversation, oldest first."""
    return "\n".join(_texts(fields.get("messages")))


def prompt_parts(fields: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Whose words `prompt_text` holds: the role and the characters of each message with a text.

    One character stands between two messages.
    """
    messages = fields.get("messages")
    parts = []
    for message in messages if isinstance(messages, list) else ():
        texts = list(_texts([message]))
        if texts:
            role = message.get("role")
            parts.append((role if isinstance(role, str) else "", len("\n".join(texts))))
    return parts


def texts_of(message: Mapping[str, Any]) -> list[str]:
    """The texts in a message: its content, or the text of each part."""
    return list(_texts([message]))


def _texts(messages: Any) -> Iterator[str]:
    for message in messages if isinstance(messages, list) else ():
        content = message.get("content") if isinstance(message, dict) else None
        if isinstance(content, str):
            yield content
        elif isinstance(content, list):
            for part in content:
                if isinstance(part, dict) and isinstance(part.get("text"), str):
                    yield part["text"]


def last_user_text(fields: Mapping[str, Any]) -> str:
    messages = fields.get("messages")
    for message in reversed(messages) if isinstance(messages, list) else ():
        if isinstance(message, dict) and message.get("role") == "user":
            return "\n".join(_texts([message]))
    return ""


def fields_of(call: Call) -> dict[str, Any]:
    fields = json_of(call.body)
    assert isinstance(fields, dict)  # the API accepts only objects
    return fields


def tokens_in(text: str) -> int:
    """An estimate of a text's tokens, for backends that do not count tokens."""
    return max(1, len(text) // _CHARACTERS_PER_TOKEN) if text else 0


def whole_number(fields: Mapping[str, Any], key: str, *, least: int, most: int) -> int | None:
    """An integer field of a request; None if the field is missing."""
    value = fields.get(key)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise Fault("bad_request", f"{key} = {value!r} must be an integer from {least} to {most}")
    return value
