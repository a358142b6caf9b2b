"""The tools of a chat request and its wanted form of answer, in any of OpenAI's spellings. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from router.dialects.fields import Untranslatable

TOOL_EXTRAS = ("input_examples", "eager_input_streaming")  # Anthropic's, kept beside a function
_NOTHING: Mapping[str, Any] = {}
_ANY_OBJECT: Mapping[str, Any] = {"type": "object", "properties": {}}


@dataclass(frozen=True, slots=True)
class Tool:
    name: str
    description: str
    schema: Mapping[str, Any]
    strict: bool = False
    cache_control: Any = None
    extras: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """What the model may call: nothing, what it likes, something, or exactly `name`."""

    mode: Literal["auto", "none", "any", "tool"] = "auto"
    name: str = ""
    stated: bool = False
    parallel: bool = True


@dataclass(frozen=True, slots=True)
class AnswerForm:
    """The form of the answer: any text, a JSON object, or JSON that holds to a schema."""

    kind: Literal["text", "object", "schema"] = "text"
    schema: Mapping[str, Any] | None = None
    name: str = "answer"
    strict: bool = False


def tools_of(fields: Mapping[str, Any]) -> tuple[tuple[Tool, ...], ToolChoice]:
    """The tools that the model may see, and its choice among them."""
    listed = fields.get("tools") or []
    old = fields.get("functions") or []
    if not isinstance(listed, list) or not isinstance(old, list):
        raise Untranslatable("tools", "must be a list")
    tools = [_tool(tool, f"tools[{n}]") for n, tool in enumerate(listed)]
    tools += [_function(function, f"functions[{n}]", _NOTHING) for n, function in enumerate(old)]
    choice, allowed = _choice(fields)
    if allowed is not None:
        tools = [tool for tool in tools if tool.name in allowed]
    if choice.mode == "tool" and choice.name not in {tool.name for tool in tools}:
        raise Untranslatable("tool_choice", "names no tool of `tools`")
    if choice.mode == "any" and not tools:
        raise Untranslatable("tool_choice", "wants a call, and there are no `tools`")
    return tuple(tools), choice


def _tool(tool: Any, at: str) -> Tool:
    if not isinstance(tool, Mapping) or not isinstance(tool.get("function"), Mapping):
        kind = tool.get("type") if isinstance(tool, Mapping) else None
        rule = "must be a function" if kind in (None, "function") else f"is of type {kind!r:.40}"
        raise Untranslatable(at, f"{rule}: only tools of type `function` can be translated")
    return _function(tool["function"], f"{at}.function", tool)


def _function(function: Any, at: str, around: Mapping[str, Any]) -> Tool:
    """`around` is what holds the function, with members that are not OpenAI's."""
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        raise Untranslatable(f"{at}.name", "must be a string")
    schema = function.get("parameters")
    if schema is not None and not isinstance(schema, Mapping):
        raise Untranslatable(f"{at}.parameters", "must be a JSON Schema")
    description, cached = function.get("description"), around.get("cache_control")
    return Tool(
        function["name"],
        description if isinstance(description, str) else "",
        schema or _ANY_OBJECT,
        function.get("strict") is True,
        cached if cached is not None else function.get("cache_control"),
        {name: around[name] for name in TOOL_EXTRAS if name in around},
    )


def _choice(fields: Mapping[str, Any]) -> tuple[ToolChoice, set[str] | None]:
    """The choice, and the names of the allowed tools if not all are."""
    parallel = fields.get("parallel_tool_calls") is not False
    wanted = fields.get("tool_choice")
    if wanted is None:
        wanted = fields.get("function_call")
    match wanted:
        case None:
            return ToolChoice(parallel=parallel), None
        case "auto" | "none":
            return ToolChoice(wanted, stated=True, parallel=parallel), None
        case "required" | "any":
            return ToolChoice("any", stated=True, parallel=parallel), None
        case {"type": "function", "function": {"name": str(name)}} | {"name": str(name)}:
            return ToolChoice("tool", name, stated=True, parallel=parallel), None
        case {"type": "allowed_tools", "allowed_tools": {"tools": list(tools), **rest}}:
            names = {name for tool in tools if (name := _name_in(tool))}
            mode: Literal["auto", "any"] = "any" if rest.get("mode") == "required" else "auto"
            return ToolChoice(mode, stated=True, parallel=parallel), names
        case _:
            rule = "must be auto, none, required, a function or allowed tools"
            raise Untranslatable("tool_choice", rule)


def _name_in(tool: Any) -> str:
    function = tool.get("function") if isinstance(tool, Mapping) else None
    name = function.get("name") if isinstance(function, Mapping) else None
    return name if isinstance(name, str) else ""


def answer_form(fields: Mapping[str, Any]) -> AnswerForm:
    match fields.get("response_format"):
        case None | {"type": "text"}:
            return AnswerForm()
        case {"type": "json_object"}:
            return AnswerForm("object")
        case {"type": "json_schema", "json_schema": {"schema": dict(schema), **rest}}:
            name = rest.get("name")
            return AnswerForm(
                "schema",
                schema,
                name if isinstance(name, str) and name else "answer",
                rest.get("strict") is True,
            )
        case {"type": "json_schema"}:
            raise Untranslatable("response_format.json_schema.schema", "must be a JSON Schema")
        case _:
            rule = "must have the type text, json_object or json_schema"
            raise Untranslatable("response_format", rule)
