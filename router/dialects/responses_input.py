"""The items of a Responses request as the messages of chat. Pure.

Reasoning, a message and the calls that follow each other become one message of the assistant. The
output of a call comes right after the message with the call, as chat wants it. Images and files in
an output go into a message of the user behind it, because chat's outputs are words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from router.dialects.carrying import Notes, listed, mapping, one_of, string
from router.dialects.fields import Untranslatable
from router.dialects.responses_parts import contents
from router.dialects.responses_thoughts import thoughts_in
from router.dialects.responses_tools import Tools, add_tools, chat_name

_MEMBERS = ("type", "id", "status")
_HOSTED = frozenset(
    {
        *("file_search_call", "web_search_call", "computer_call", "computer_call_output"),
        *("code_interpreter_call", "image_generation_call", "mcp_list_tools", "mcp_call"),
        *("mcp_approval_request", "mcp_approval_response", "program", "program_output"),
        *("compaction", "compaction_trigger"),
    }
)


def joined(earlier: Sequence[Any], given: Any) -> list[Any]:
    """The whole input: earlier items, then the new ones, in which references to earlier items are
    replaced by these."""
    by_id = {item["id"]: item for item in earlier if isinstance(item, dict) and item.get("id")}
    items = [{"role": "user", "content": given}] if isinstance(given, str) else given
    new = [by_id.get(_reference(item), item) for item in listed(items, "input")]
    return [*earlier, *new]


def _reference(item: Any) -> str:
    """The id that an `item_reference` names; empty for every other item."""
    if not isinstance(item, dict) or item.get("type", "item_reference") != "item_reference":
        return ""
    identity = item.get("id")
    is_reference = "type" in item or set(item) == {"id"}
    return identity if is_reference and isinstance(identity, str) else ""


@dataclass(slots=True)
class _Slot:
    """A message, and what must stand right behind it."""

    message: dict[str, Any]
    outputs: list[dict[str, Any]] = field(default_factory=list)
    pictures: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Conversation:
    """The messages so far, and the settings that items of the input change."""

    tools: Tools
    notes: Notes
    only_current_turn: bool = False  # whether the reasoning of earlier turns is forgotten
    settings: dict[str, Any] = field(default_factory=dict)  # of `configuration_update`
    _slots: list[_Slot] = field(default_factory=list)
    _open: dict[str, Any] | None = None  # the assistant's message that may still grow
    _calls: dict[str, _Slot] = field(default_factory=dict)
    _unanswered: dict[str, str] = field(default_factory=dict)  # calls, each with its place

    def system(self, text: str) -> None:
        self._add({"role": "system", "content": text})

    def read(self, items: Sequence[Any]) -> None:
        turn = max((n for n, item in enumerate(items) if _is_users(item)), default=0)
        for index, value in enumerate(items):
            at = f"input[{index}]"
            item = mapping(value, at)
            if item.get("type") == "reasoning" and self.only_current_turn and index < turn:
                continue
            self._read(item, at)

    def messages(self) -> list[dict[str, Any]]:
        for identity, at in self._unanswered.items():
            rule = f"calls a tool, and the call {identity!r:.80} has no output among the items"
            raise Untranslatable(at, rule)
        written = []
        for slot in self._slots:
            written += [slot.message, *slot.outputs]
            if slot.pictures:
                written.append({"role": "user", "content": slot.pictures})
        return written

    def _add(self, message: dict[str, Any]) -> _Slot:
        slot = _Slot(message)
        self._slots.append(slot)
        return slot

    def _read(self, item: Mapping[str, Any], at: str) -> None:
        kind = item.get("type")
        if kind is None:
            kind = "message" if "role" in item else "item_reference"
        if item.get("id") is not None and kind != "item_reference":
            self.notes.leave_out("input.id")
        kind = string(kind, f"{at}.type")
        if item.get("status") not in (None, "completed") and not kind.endswith("_output"):
            self.notes.leave_out("input.status")
        match kind:
            case "message":
                self._message(item, at)
            case "reasoning":
                self._reasoning(item, at)
            case "additional_tools":
                add_tools(self.tools, item.get("tools"), f"{at}.tools", self.notes)
            case "configuration_update":
                self.settings |= {n: item[n] for n in ("reasoning", "text") if item.get(n)}
            case "item_reference":
                rule = f"refers to {item.get('id')!r:.80}, and no earlier item has that id: give "
                raise Untranslatable(at, rule + "the item itself, or `previous_response_id`")
            case _:
                self._read_call(item, kind, at)

    def _read_call(self, item: Mapping[str, Any], kind: str, at: str) -> None:
        match kind:
            case "function_call" | "custom_tool_call":
                self._call(item, kind, at)
            case "local_shell_call" | "shell_call" | "apply_patch_call" | "tool_search_call":
                self._built_in_call(item, kind, at)
            case _ if kind in _HOSTED:
                rule = f"a {kind}, which no chat backend can read: leave it out"
                self.notes.need_native(at, rule)
            case _ if kind.endswith("_output"):
                self._output(item, kind, at)
            case _:
                raise Untranslatable(f"{at}.type", f"is {kind!r:.60}, which is no type of an item")

    def _message(self, item: Mapping[str, Any], at: str) -> None:
        roles = ("user", "assistant", "system", "developer")
        role = one_of(item.get("role"), f"{at}.role", roles)
        if not role:
            raise Untranslatable(f"{at}.role", f"must be {', '.join(roles)}")
        self.notes.leave_out_rest("input", item, (*_MEMBERS, "role", "content"))
        content = contents(item.get("content"), f"{at}.content", self.notes)
        if role != "assistant":
            self._open = None
            # Every chat server knows the role `system`, and OpenAI reads both as the same.
            self._add({"role": "system" if role == "developer" else role, "content": content})
            return
        message = self._open
        if message is None or message.get("content") is not None or "tool_calls" in message:
            message = self._begin()
        message["content"] = content

    def _begin(self) -> dict[str, Any]:
        self._open = {"role": "assistant", "content": None}
        self._add(self._open)
        return self._open

    def _reasoning(self, item: Mapping[str, Any], at: str) -> None:
        read = ("summary", "content", "encrypted_content")
        self.notes.leave_out_rest("input", item, (*_MEMBERS, *read))
        thoughts = thoughts_in(item, at, self.notes)
        if not thoughts:
            return
        message = self._open
        if message is None or set(message) != {"role", "content"} or message["content"] is not None:
            message = self._begin()
        message |= thoughts

    def _call(self, item: Mapping[str, Any], kind: str, at: str) -> None:
        inner = "arguments" if kind == "function_call" else "input"
        read = (*_MEMBERS, "call_id", "name", "namespace", inner, "caller", "async")
        self.notes.leave_out_rest("input", item, read)
        namespace = item.get("namespace")
        space = "" if namespace is None else string(namespace, f"{at}.namespace", empty=True)
        name = chat_name(string(item.get("name"), f"{at}.name"), space)
        written = string(item.get(inner), f"{at}.{inner}", empty=True)
        if kind == "custom_tool_call":
            written = orjson.dumps({"input": written}).decode()
        self._add_call(item, name, written, at)

    def _built_in_call(self, item: Mapping[str, Any], kind: str, at: str) -> None:
        name = kind.removesuffix("_call")
        inner = {"apply_patch": "operation", "tool_search": "arguments"}.get(name, "action")
        if kind == "tool_search_call" and item.get("execution") == "server":
            self.notes.leave_out("input.tool_search_call")
            return
        read = (*_MEMBERS, "call_id", inner, "caller", "environment", "execution")
        self.notes.leave_out_rest("input", item, read)
        action = item.get(inner)
        if name != "tool_search":
            mapping(action, f"{at}.{inner}")
        if isinstance(action, dict):
            local = name == "local_shell"  # its action has members that say nothing
            silent = {"type"} if local else set()
            silent |= {"env"} if local and not action.get("env") else set()
            action = {n: v for n, v in action.items() if v is not None and n not in silent}
        self._add_call(item, name, orjson.dumps(action).decode(), at)

    def _add_call(self, item: Mapping[str, Any], name: str, arguments: str, at: str) -> None:
        caller = item.get("caller")
        if isinstance(caller, dict) and caller.get("type") == "program":
            self.notes.need_native(f"{at}.caller", "a program of OpenAI's servers: leave it out")
        identity = string(item.get("call_id") or item.get("id"), f"{at}.call_id")
        message = self._open if self._open is not None else self._begin()
        function = {"name": name, "arguments": arguments}
        calls = message.setdefault("tool_calls", [])
        calls.append({"id": identity, "type": "function", "function": function})
        self._calls[identity] = self._slots[-1]
        self._unanswered[identity] = at

    def _output(self, item: Mapping[str, Any], kind: str, at: str) -> None:
        if kind == "tool_search_output" and item.get("execution") == "server":
            self.notes.leave_out("input.tool_search_output")
            add_tools(self.tools, item.get("tools"), f"{at}.tools", self.notes)
            return
        read = (*_MEMBERS, "call_id", "output", "caller", "name", "namespace", "max_output_length")
        self.notes.leave_out_rest("input", item, (*read, "tools", "execution"))
        identity = item.get("call_id") or (
            item.get("id") if kind == "local_shell_call_output" else ""
        )
        if not identity and kind == "function_call_output":
            self.notes.need_native(f"{at}.call_id", "name the call that this is the output of")
            return
        identity = string(identity, f"{at}.call_id")
        slot = self._calls.get(identity)
        if slot is None:
            rule = f"is the output of the call {identity!r:.80}, which is not among the items"
            raise Untranslatable(f"{at}.call_id", rule)
        content = self._output_content(item, kind, slot, at)
        slot.outputs.append({"role": "tool", "tool_call_id": identity, "content": content})
        self._unanswered.pop(identity, None)
        self._open = None

    def _output_content(self, item: Mapping[str, Any], kind: str, slot: _Slot, at: str) -> Any:
        output = item.get("output")
        match kind:
            case "tool_search_output":
                add_tools(self.tools, item.get("tools"), f"{at}.tools", self.notes)
                return orjson.dumps({"tools": item.get("tools")}).decode()
            case "shell_call_output":
                return orjson.dumps(listed(output, f"{at}.output")).decode()
            case "apply_patch_call_output":
                outcome = {"status": item.get("status"), "output": output}
                return orjson.dumps({n: v for n, v in outcome.items() if v is not None}).decode()
            case "function_call_output" | "custom_tool_call_output" | "local_shell_call_output":
                if isinstance(output, str):
                    return output
            case _:
                raise Untranslatable(f"{at}.type", f"is {kind!r:.60}, which is no type of an item")
        parts = contents(output, f"{at}.output", self.notes)
        if isinstance(parts, str):
            return parts
        words = [part for part in parts if part["type"] == "text"]
        pictures = [part for part in parts if part["type"] != "text"]
        if pictures:
            count = f"{len(pictures)} images or files" if len(pictures) > 1 else "an image or file"
            words.append({"type": "text", "text": f"({count} of this output: see below)"})
            before = {"type": "text", "text": f"Of the output of the call {item.get('call_id')}:"}
            slot.pictures += [before, *pictures]
        return words[0]["text"] if len(words) == 1 else words


def _is_users(item: Any) -> bool:
    return isinstance(item, dict) and item.get("role") == "user"
