"""The tools of a Responses request as functions of chat, and the calls of these functions back.

Chat backends know functions alone. A custom tool becomes a function with one string, `input`, and
its grammar becomes words in the description, which a backend may break. A tool that the caller's
program runs itself (`local_shell`, `shell`, `apply_patch`, a `tool_search` of the client) becomes a
function with the same arguments. A tool that OpenAI's servers run cannot become one. Pure.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Literal

from router.dialects.carrying import Notes, flag, listed, mapping, one_of, string
from router.dialects.fields import Untranslatable

Kind = Literal["function", "custom", "local_shell", "shell", "apply_patch", "tool_search"]

BUILT_IN: Mapping[str, Kind] = {
    "local_shell": "local_shell",
    "shell": "shell",
    "apply_patch": "apply_patch",
    "tool_search": "tool_search",
}
_HOSTED = frozenset(
    {
        *("web_search", "web_search_2025_08_26", "web_search_preview", "image_generation"),
        *("web_search_preview_2025_03_11", "file_search", "code_interpreter", "mcp", "computer"),
        *("computer_use_preview", "computer_use", "programmatic_tool_calling"),
    }
)
_MOST_NAME = 64  # letters of a function's name in chat
_ANY_OBJECT: Mapping[str, Any] = {"type": "object", "properties": {}}
_STRING: Mapping[str, Any] = {"type": "string"}
_STRINGS: Mapping[str, Any] = {"type": "array", "items": _STRING}
_SCHEMAS: Mapping[str, Mapping[str, Any]] = {
    "local_shell": {
        "command": _STRINGS,
        "working_directory": _STRING,
        "timeout_ms": {"type": "integer"},
        "env": {"type": "object", "additionalProperties": _STRING},
        "user": _STRING,
    },
    "shell": {
        "commands": _STRINGS,
        "timeout_ms": {"type": "integer"},
        "max_output_length": {"type": "integer"},
    },
    "apply_patch": {
        "type": {"type": "string", "enum": ["create_file", "update_file", "delete_file"]},
        "path": _STRING,
        "diff": _STRING,
    },
}
_NEEDED = {"local_shell": ["command"], "shell": ["commands"], "apply_patch": ["type", "path"]}
_WORDS = {
    "local_shell": "Run one command on the user's machine, given as the list of its arguments.",
    "shell": "Run these shell commands on the user's machine, each in a shell of its own.",
    "apply_patch": (
        "Create, update or delete one file. `diff` is a V4A diff: lines that begin with a space, + "
        "or -, in sections that begin with @@; a new file has only lines that begin with +. "
        "delete_file has no diff."
    ),
    "tool_search": "Search for further tools, which can be called afterwards.",
}


@dataclass(frozen=True, slots=True)
class CalledTool:
    """A tool as the caller knows it."""

    kind: Kind
    name: str
    namespace: str = ""


@dataclass(slots=True)
class Tools:
    """The tools of a request: as chat's functions, and what the names of these stand for."""

    functions: dict[str, dict[str, Any]] = field(default_factory=dict)
    called: dict[str, CalledTool] = field(default_factory=dict)

    def add(self, tool: CalledTool, function: dict[str, Any], at: str) -> None:
        name = chat_name(tool.name, tool.namespace)
        if self.called.get(name, tool) != tool:
            raise Untranslatable(at, f"has the name of another tool, {name!r:.80}: rename one")
        function = {"name": name} | {n: v for n, v in function.items() if v is not None}
        self.functions[name] = {"type": "function", "function": function}
        self.called[name] = tool

    def tool(self, name: str) -> CalledTool:
        """The tool that a chat backend calls by this name; a function if there is none."""
        return self.called.get(name) or CalledTool("function", name)


def chat_name(name: str, namespace: str = "") -> str:
    """The name of a tool among chat's functions."""
    if not namespace:
        return name
    joined = f"{namespace.removesuffix('__')}__{name}"
    if len(joined) <= _MOST_NAME:
        return joined
    digest = blake2b(joined.encode("utf-8", "replace"), digest_size=4).hexdigest()
    return f"{joined[: _MOST_NAME - 9]}_{digest}"


def add_tools(tools: Tools, given: Any, at: str, notes: Notes) -> None:
    """Add a list of tools as the caller writes it."""
    for index, value in enumerate(listed(given, at)):
        place = f"{at}[{index}]"
        tool = mapping(value, place)
        match string(tool.get("type"), f"{place}.type"):
            case "namespace":
                _add_namespace(tools, tool, place, notes)
            case kind:
                _add(tools, kind, tool, "", "", place, notes)


def _add_namespace(tools: Tools, space: Mapping[str, Any], at: str, notes: Notes) -> None:
    name, words = string(space.get("name"), f"{at}.name"), space.get("description")
    words = string(words, f"{at}.description", empty=True) if words is not None else ""
    notes.leave_out_rest("tools", space, ("type", "name", "description", "tools"))
    for index, value in enumerate(listed(space.get("tools"), f"{at}.tools")):
        place = f"{at}.tools[{index}]"
        tool = mapping(value, place)
        kind = one_of(tool.get("type"), f"{place}.type", ("function", "custom"))
        _add(tools, kind or "function", tool, name, words, place, notes)


def _add(
    tools: Tools,
    kind: str,
    tool: Mapping[str, Any],
    namespace: str,
    before: str,
    at: str,
    notes: Notes,
) -> None:
    match kind:
        case "function" | "custom":
            if not _called_directly(tool, at, notes):
                return
            name = string(tool.get("name"), f"{at}.name")
            write = _function if kind == "function" else _custom
            function = write(tool, at, notes)
            words = [before, function.get("description") or ""]
            function["description"] = "\n\n".join(part for part in words if part) or None
            called = CalledTool("function" if kind == "function" else "custom", name, namespace)
            tools.add(called, function, at)
        case "local_shell" | "shell" | "apply_patch" | "tool_search":
            _add_built_in(tools, kind, tool, at, notes)
        case _ if kind in _HOSTED:
            notes.need_native(at, hosted(kind))
        case _:
            kinds = ", ".join(("function", "custom", "namespace", *BUILT_IN))
            rule = f"a kind of tool without a counterpart in chat: give one of {kinds}"
            notes.need_native(f"{at}.type", rule)


def hosted(kind: str) -> str:
    also = ' (in Codex: `web_search = "disabled"`)' if kind.startswith("web_search") else ""
    return (
        f"{kind}, which OpenAI's servers run: leave it out{also}, or give a function that your "
        "program runs"
    )


def _called_directly(tool: Mapping[str, Any], at: str, notes: Notes) -> bool:
    callers = tool.get("allowed_callers")
    if callers is not None and "direct" not in listed(callers, f"{at}.allowed_callers"):
        rule = "only programs of OpenAI's servers may call the tool: allow `direct`"
        notes.need_native(f"{at}.allowed_callers", rule)
        return False
    if callers is not None and len(callers) > 1:
        notes.leave_out("tools.allowed_callers")
    if flag(tool.get("async"), f"{at}.async"):
        notes.need_native(f"{at}.async", "no counterpart in chat: leave it out")
        return False
    if tool.get("defer_loading"):
        notes.leave_out("tools.defer_loading")  # the tool is there from the beginning
    return True


_OF_ALL = ("type", "name", "description", "allowed_callers", "async", "defer_loading")


def _function(tool: Mapping[str, Any], at: str, notes: Notes) -> dict[str, Any]:
    schema = tool.get("parameters")
    if schema is not None:
        mapping(schema, f"{at}.parameters")
    notes.leave_out_rest("tools", tool, (*_OF_ALL, "parameters", "strict"))
    strict = tool.get("strict")
    flag(strict, f"{at}.strict")
    return {"description": _description(tool, at), "parameters": schema, "strict": strict}


def _custom(tool: Mapping[str, Any], at: str, notes: Notes) -> dict[str, Any]:
    notes.leave_out_rest("tools", tool, (*_OF_ALL, "format"))
    words = [_description(tool, at) or ""]
    form = tool.get("format")
    if form is not None:
        form = mapping(form, f"{at}.format")
        if one_of(form.get("type"), f"{at}.format.type", ("text", "grammar")) == "grammar":
            syntax = one_of(form.get("syntax"), f"{at}.format.syntax", ("lark", "regex"))
            definition = string(form.get("definition"), f"{at}.format.definition")
            words.append(f"`input` must match this grammar ({syntax or 'lark'}):\n{definition}")
    schema = {"type": "object", "properties": {"input": _STRING}, "required": ["input"]}
    return {"description": "\n\n".join(filter(None, words)), "parameters": schema}


def _description(tool: Mapping[str, Any], at: str) -> str | None:
    words = tool.get("description")
    return None if words is None else string(words, f"{at}.description", empty=True)


def _add_built_in(tools: Tools, kind: Kind, tool: Mapping[str, Any], at: str, notes: Notes) -> None:
    if not _called_directly(tool, at, notes):
        return
    if kind == "tool_search":
        if one_of(tool.get("execution"), f"{at}.execution", ("client", "server")) != "client":
            notes.leave_out("tools.tool_search")  # every tool is there from the beginning
            return
        schema = tool.get("parameters") or _ANY_OBJECT
        function = {"description": _description(tool, at) or _WORDS[kind], "parameters": schema}
    else:
        environment = tool.get("environment")
        where = mapping(environment, f"{at}.environment").get("type") if environment else "local"
        if where != "local":
            notes.need_native(f"{at}.environment", hosted("a container"))
            return
        if environment and environment.get("skills"):
            notes.need_native(f"{at}.environment.skills", "no counterpart in chat: leave them out")
        properties, needed = _SCHEMAS[kind], _NEEDED[kind]
        schema = {"type": "object", "properties": properties, "required": needed}
        function = {"description": _WORDS[kind], "parameters": schema}
    read = (*_OF_ALL, "environment", "execution", "parameters")
    notes.leave_out_rest("tools", tool, read)
    tools.add(CalledTool(kind, kind), function, at)


def choice_of(given: Any, tools: Tools, notes: Notes) -> tuple[Any, frozenset[str] | None]:
    """Chat's `tool_choice`, and the names of the functions that may be called, if not all."""
    match given:
        case "none" | "auto" | "required":
            return given, None
        case {"type": "allowed_tools", "tools": list(allowed), **rest}:
            mode = one_of(rest.get("mode"), "tool_choice.mode", ("auto", "required")) or "auto"
            return mode, frozenset(_names(allowed, tools, notes))
        case {"type": str()}:
            name = _name(given, "tool_choice", tools, notes)
            return (
                None if name is None else {"type": "function", "function": {"name": name}}
            ), None
        case _:
            rule = "must be none, auto, required, a tool as {type, name}, or allowed_tools"
            raise Untranslatable("tool_choice", rule)


def _names(allowed: list[Any], tools: Tools, notes: Notes) -> Iterator[str]:
    for index, value in enumerate(allowed):
        at = f"tool_choice.tools[{index}]"
        name = _name(mapping(value, at), at, tools, notes)
        if name is not None:
            yield name


def _name(tool: Mapping[str, Any], at: str, tools: Tools, notes: Notes) -> str | None:
    kind = string(tool.get("type"), f"{at}.type")
    if kind in _HOSTED:
        notes.need_native(at, hosted(kind))
        return None
    if kind in BUILT_IN:
        name = kind
    elif kind in ("function", "custom"):
        namespace = tool.get("namespace")
        space = "" if namespace is None else string(namespace, f"{at}.namespace")
        name = chat_name(string(tool.get("name"), f"{at}.name"), space)
    else:
        raise Untranslatable(f"{at}.type", f"is {kind!r:.60}, which is no tool's")
    if name not in tools.functions:
        raise Untranslatable(at, f"names {name!r:.80}, which is none of `tools`")
    return name
