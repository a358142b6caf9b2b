"""The items of a request as they are kept: each with a type, an id and a list of contents. Pure,
but for the ids of items that have none."""

from collections.abc import Iterable
from typing import Any

from router.conversations.kept import Item
from router.conversations.new_ids import with_id

REFERENCE = "item_reference"
_PLAIN = frozenset(
    (
        *("message", "function_call", "function_call_output"),
        *("custom_tool_call", "custom_tool_call_output"),
    )
)


def items_in(value: Any) -> list[Item]:
    """The items in `input`: a text is one message of the user; what is no item is left out, because
    the parser of the request refuses it."""
    if isinstance(value, str):
        return [as_kept({"role": "user", "content": value})]
    items = value if isinstance(value, list) else []
    return [as_kept(item) for item in items if isinstance(item, dict)]


def as_kept(item: Item) -> Item:
    """An item in the form in which OpenAI's API gives it back."""
    kind = item.get("type") or ("message" if "role" in item else "")
    if kind != "message":
        return with_id({**item, "type": kind})
    content = item.get("content")
    if isinstance(content, str):
        part: dict[str, Any] = {"type": "input_text", "text": content}
        if item.get("role") == "assistant":
            part = {"type": "output_text", "text": content, "annotations": []}
        content = [part]
    return with_id({**item, "type": "message", "status": "completed", "content": content})


def as_input(items: Iterable[Item]) -> list[Item]:
    """Kept items as a request may send them to any backend: without ids and states, by which a
    provider would look for what it keeps itself, and without reasoning that nobody else can read.
    """
    return [_portable(item) for item in items if _readable(item)]


def _portable(item: Item) -> Item:
    if item.get("type") not in _PLAIN:
        return item
    return {name: value for name, value in item.items() if name not in ("id", "status")}


def _readable(item: Item) -> bool:
    if item.get("type") != "reasoning":
        return True
    return bool(item.get("encrypted_content") or item.get("content"))
