"""The items of a response: reasoning, messages with their parts, calls of tools. Pure.

A call that does not fit its tool, such as a patch without a path, is written as a `function_call`,
with what the model wrote.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from router.dialects.responses_request import ResponsesRequest
from router.dialects.responses_thoughts import packed

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Identity:
    """The id of a response, from which those of its items follow."""

    digits: str

    @property
    def response(self) -> str:
        return f"resp_{self.digits}"

    def item(self, kind: str, index: int) -> str:
        return f"{kind}_{self.digits}{index:04x}"


def identity_of(request_id: str) -> Identity:
    return Identity(request_id.replace("-", ""))


def reasoning_in(message: Mapping[str, Any]) -> str:
    """The words of reasoning in a message or a delta, under either name that servers give them."""
    for name in ("reasoning_content", "reasoning"):
        text = message.get(name)
        if isinstance(text, str) and text:
            return text
    return ""


def reasoning_item(
    request: ResponsesRequest, item_id: str, text: str, blocks: list[Any], status: str = "completed"
) -> Item:
    shown = [{"type": "summary_text", "text": text}] if text and request.summary else []
    item: Item = {"id": item_id, "type": "reasoning", "summary": shown, "status": status}
    if text and not request.summary:
        item["content"] = [{"type": "reasoning_text", "text": text}]
    if request.sealed:
        item["encrypted_content"] = packed(text, blocks)
    return item


def message_item(item_id: str, parts: list[Item], status: str) -> Item:
    return {
        "id": item_id,
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": parts,
    }


def text_part(text: str, annotations: Any = None, logprobs: Any = None) -> Item:
    return {
        "type": "output_text",
        "text": text,
        "annotations": annotations or [],
        "logprobs": logprobs or [],
    }


def parts_of(message: Mapping[str, Any], logprobs: Any) -> list[Item]:
    content, refusal = message.get("content"), message.get("refusal")
    if isinstance(content, list):  # some servers answer in parts
        content = "".join(
            part["text"]
            for part in content
            if isinstance(part, dict) and isinstance(part.get("text"), str)
        )
    parts = []
    if isinstance(content, str) and content:
        notes = annotations_in(message.get("annotations"))
        parts.append(text_part(content, notes, logprobs_in(logprobs)))
    if isinstance(refusal, str) and refusal:
        parts.append({"type": "refusal", "refusal": refusal})
    return parts


def annotations_in(given: Any) -> list[Item]:
    """Citations as this dialect has them: their members stand beside the type."""
    notes = given if isinstance(given, list) else []
    return [
        {"type": "url_citation"} | note["url_citation"]
        for note in notes
        if isinstance(note, dict) and isinstance(note.get("url_citation"), dict)
    ]


def logprobs_in(given: Any) -> list[Item]:
    tokens = given.get("content") if isinstance(given, dict) else None
    return [
        _logprob(token)
        | {"top_logprobs": [_logprob(top) for top in token.get("top_logprobs") or []]}
        for token in (tokens if isinstance(tokens, list) else [])
        if isinstance(token, dict)
    ]


def _logprob(token: Mapping[str, Any]) -> Item:
    text = str(token.get("token"))
    spelt = token.get("bytes")
    return {
        "token": text,
        "bytes": spelt if isinstance(spelt, list) else list(text.encode("utf-8", "replace")),
        "logprob": token.get("logprob"),
    }


def call_in(call: Any) -> tuple[str, str, str]:
    call = call if isinstance(call, dict) else {}
    function = call.get("function")
    function = function if isinstance(function, dict) else {}
    arguments = function.get("arguments")
    written = arguments if isinstance(arguments, str) else orjson.dumps(arguments or {}).decode()
    return str(function.get("name") or ""), written, str(call.get("id") or "")


def call_item(
    request: ResponsesRequest,
    identity: Identity,
    place: int,
    call_id: str,
    name: str,
    arguments: str,
) -> Item:
    """The item of a finished call, as the tool's kind wants it."""
    tool = request.tools.tool(name)
    if tool.kind == "custom":
        item = {"type": "custom_tool_call", "call_id": call_id, "name": tool.name}
        item |= {"id": identity.item("ctc", place), "input": custom_input(arguments)}
        return item | ({"namespace": tool.namespace} if tool.namespace else {})
    if tool.kind != "function":
        built_in = _built_in(tool.kind, _object(arguments), call_id, identity, place)
        if built_in is not None:
            return built_in
    item = {"type": "function_call", "call_id": call_id, "name": tool.name}
    item |= {"id": identity.item("fc", place), "arguments": arguments, "status": "completed"}
    return item | ({"namespace": tool.namespace} if tool.namespace else {})


def custom_input(arguments: str) -> str:
    """The input of a custom tool; what the model wrote, if that is not the one string."""
    text = _object(arguments).get("input")
    return text if isinstance(text, str) else arguments


def _object(arguments: str) -> dict[str, Any]:
    try:
        value = orjson.loads(arguments)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _built_in(
    kind: str, given: dict[str, Any], call_id: str, identity: Identity, place: int
) -> Item | None:
    base: Item = {"type": f"{kind}_call", "call_id": call_id, "status": "completed"}
    match kind, given:
        case "local_shell", {"command": [*command]} if _are_strings(command):
            env = given.get("env")
            action = {"type": "exec", "command": command, "env": env if env else {}}
            more = ("timeout_ms", "user", "working_directory")
            action |= {name: given[name] for name in more if given.get(name) is not None}
            return base | {"id": identity.item("lsh", place), "action": action}
        case "shell", {"commands": [*commands]} if _are_strings(commands):
            action = {"commands": commands}
            action |= {name: given.get(name) for name in ("timeout_ms", "max_output_length")}
            where = {"environment": {"type": "local"}}
            return base | {"id": identity.item("sh", place), "action": action} | where
        case "apply_patch", {"type": "delete_file", "path": str()} | {
            "type": "create_file" | "update_file",
            "path": str(),
            "diff": str(),
        }:
            return base | {"id": identity.item("apc", place), "operation": given}
        case "tool_search", _:
            search = {"arguments": given, "execution": "client"}
            return base | {"id": identity.item("tsc", place)} | search
        case _:
            return None


def _are_strings(values: list[Any]) -> bool:
    return bool(values) and all(isinstance(value, str) for value in values)
