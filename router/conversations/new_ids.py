"""New ids of conversations and items. They are random: nobody can guess the id of another's."""

import secrets
from typing import Any

from router.conversations.kept import Item

_PREFIXES = {
    "message": "msg",
    "function_call": "fc",
    "function_call_output": "fco",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "cto",
    "reasoning": "rs",
}


def conversation_id() -> str:
    return f"conv_{secrets.token_hex(24)}"


def with_id(item: Item) -> dict[str, Any]:
    """The item with an id: its own, or a new one."""
    if isinstance(item.get("id"), str) and item["id"]:
        return dict(item)
    prefix = _PREFIXES.get(str(item.get("type") or "message"), "item")
    return {**item, "id": f"{prefix}_{secrets.token_hex(24)}"}
