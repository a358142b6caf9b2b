"""Reads the tools of a request of Anthropic's Messages API, and the choice among them. Pure.

A tool that the caller runs becomes a function. A tool that Anthropic's servers run, or whose form
they define, has no counterpart, and is refused by its name where a backend of another dialect is to
answer.
"""

from collections.abc import Mapping
from typing import Any

from router.dialects.fields import Untranslatable
from router.dialects.messages_blocks import cached_as
from router.dialects.messages_notes import EPHEMERAL, Body, Notes, list_at, object_at, string_at
from router.dialects.tools import TOOL_EXTRAS

_TOOL = frozenset(
    {
        *("name", "description", "input_schema", "strict", "type", EPHEMERAL),
        *("defer_loading", "allowed_callers", *TOOL_EXTRAS),
    }
)
_CHOICE = frozenset({"type", "name", "disable_parallel_tool_use"})


def tools_in(tools: Any, notes: Notes) -> list[Body]:
    if tools is None:
        return []
    read = (_tool(item, f"tools[{n}]", notes) for n, item in enumerate(list_at(tools, "tools")))
    return [tool for tool in read if tool is not None]


def _tool(item: Any, at: str, notes: Notes) -> Body | None:
    tool = object_at(item, at)
    kind = tool.get("type")
    if kind not in (None, "custom"):
        if not isinstance(kind, str):
            raise Untranslatable(f"{at}.type", "must be a string")
        notes.native(at, f"Anthropic's own tool {kind!r:.60}")
        return None
    notes.members(tool, at, _TOOL)
    if tool.get("defer_loading"):
        notes.native(f"{at}.defer_loading")
    if tool.get("allowed_callers") not in (None, ["direct"]):
        notes.native(f"{at}.allowed_callers")
    function: Body = {"name": string_at(tool, "name", at)}
    if tool.get("description") is not None:
        function["description"] = string_at(tool, "description", at)
    function["parameters"] = dict(object_at(tool.get("input_schema"), f"{at}.input_schema"))
    if tool.get("strict") is not None:
        function["strict"] = tool["strict"] is True
    extras = {name: tool[name] for name in TOOL_EXTRAS if tool.get(name) is not None}
    for name in extras:
        notes.leave_out(f"{at}.{name}")
    return cached_as({"type": "function", "function": function} | extras, tool, at, notes)


def choice_in(fields: Mapping[str, Any], notes: Notes) -> Body:
    """The chat fields of `tool_choice`."""
    if fields.get("tool_choice") is None:
        return {}
    choice = object_at(fields["tool_choice"], "tool_choice")
    notes.members(choice, "tool_choice", _CHOICE)
    alone = {"parallel_tool_calls": False} if choice.get("disable_parallel_tool_use") else {}
    match choice.get("type"):
        case "auto" | "none" as mode:
            return {"tool_choice": mode} | alone
        case "any":
            return {"tool_choice": "required"} | alone
        case "tool":
            name = string_at(choice, "name", "tool_choice")
            return {"tool_choice": {"type": "function", "function": {"name": name}}} | alone
        case _:
            raise Untranslatable("tool_choice.type", "must be auto, any, tool or none")
