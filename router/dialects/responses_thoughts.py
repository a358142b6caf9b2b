"""Reasoning items: what a chat backend thought, packed so that its caller can send it back. Pure.

`encrypted_content` of these items is not encrypted: it is a sealed envelope only in that nobody but
Waggle needs to read it. It holds the words and the signed blocks of thinking that a chat backend
gave. What OpenAI's servers encrypted, nobody else can read, so no other backend gets it.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

import orjson

from router.dialects.carrying import Notes, listed, mapping, string
from router.dialects.fields import Untranslatable

_MARK = "waggle1."


def packed(text: str, blocks: list[Any]) -> str | None:
    """The reasoning of an answer for `encrypted_content`; None if there is nothing to keep."""
    thoughts = {"thinking_blocks": blocks} if blocks else {"reasoning_content": text}
    if not text and not blocks:
        return None
    return _MARK + urlsafe_b64encode(orjson.dumps(thoughts)).decode()


def is_ours(item: Any) -> bool:
    """Whether only Waggle can read this reasoning item."""
    content = item.get("encrypted_content") if isinstance(item, Mapping) else None
    return isinstance(content, str) and content.startswith(_MARK)


def thoughts_in(item: Mapping[str, Any], at: str, notes: Notes) -> dict[str, Any]:
    """The members of an assistant's message that hold this reasoning."""
    sealed = item.get("encrypted_content")
    if sealed is not None and is_ours(item):
        return _unpacked(string(sealed, f"{at}.encrypted_content"), at)
    if sealed:
        notes.leave_out("input.encrypted_content")
    text = _text(item, "content", at) or _text(item, "summary", at)
    return {"reasoning_content": text} if text else {}


def _text(item: Mapping[str, Any], name: str, at: str) -> str:
    value = item.get(name)
    if value is None:
        return ""
    texts = []
    for index, part in enumerate(listed(value, f"{at}.{name}")):
        place = f"{at}.{name}[{index}]"
        texts.append(string(mapping(part, place).get("text"), f"{place}.text", empty=True))
    return "\n\n".join(text for text in texts if text)


def _unpacked(sealed: str, at: str) -> dict[str, Any]:
    try:
        thoughts = orjson.loads(urlsafe_b64decode(sealed.removeprefix(_MARK)))
    except (binascii.Error, ValueError):
        thoughts = None
    match thoughts:
        case {"thinking_blocks": [*blocks]} if all(isinstance(block, dict) for block in blocks):
            words = [str(block.get("thinking") or "") for block in blocks]
            text = "".join(words)
            return {"thinking_blocks": blocks} | ({"reasoning_content": text} if text else {})
        case {"reasoning_content": str(text)}:
            return {"reasoning_content": text}
        case _:
            rule = "is not as Waggle wrote it: send the item back unchanged, or leave it out"
            raise Untranslatable(f"{at}.encrypted_content", rule)
