"""Writes a chat completion as a response of OpenAI's Responses dialect. Pure.

Of several choices only the first is written, because a response is one answer. A call that
does not fit its tool, such as a patch without a path, is written as a `function_call`, with what
the model wrote.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from router.dialects.completions import count
from router.dialects.responses_request import ResponsesRequest
from router.dialects.responses_thoughts import packed

_TIERS = ("auto", "default", "flex", "scale", "priority", "fast", "ultrafast")
_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}
_NOTHING: Mapping[str, Any] = {}
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


def response_from(
    request: ResponsesRequest, completion: Mapping[str, Any], identity: Identity, *, now: float
) -> dict[str, Any]:
    """The whole response. `now` is when it was completed."""
    choices = completion.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else _NOTHING
    choice = choice if isinstance(choice, dict) else _NOTHING
    reason = incomplete_reason(choice.get("finish_reason"))
    message = choice.get("message")
    message = message if isinstance(message, dict) else _NOTHING
    logprobs = choice.get("logprobs")
    output = _items(request, message, logprobs if request.logprobs else None, identity)
    if reason and "status" in output[-1]:
        output[-1]["status"] = "incomplete"
    response = beginning(request, identity, completion)
    response |= ending(reason, completion, now=now)
    response["output"] = output
    return response


def incomplete_reason(finish: Any) -> str:
    """Why a response is incomplete, by the finish reason of chat; empty if it is complete."""
    return _INCOMPLETE.get(finish, "") if isinstance(finish, str) else ""


def beginning(
    request: ResponsesRequest, identity: Identity, completion: Mapping[str, Any]
) -> dict[str, Any]:
    """A response in progress: its members that repeat the request."""
    given = request.given
    text = given.get("text") or _NOTHING
    reasoning = given.get("reasoning") or _NOTHING
    summary = reasoning.get("summary") or reasoning.get("generate_summary")
    tier = completion.get("service_tier") or given.get("service_tier")
    conversation = given.get("conversation")
    if isinstance(conversation, str):
        conversation = {"id": conversation}
    return {
        "id": identity.response,
        "object": "response",
        "created_at": count(completion.get("created")),
        "status": "in_progress",
        "background": False,
        "completed_at": None,
        "conversation": conversation,
        "error": None,
        "incomplete_details": None,
        "instructions": given.get("instructions"),
        "max_output_tokens": given.get("max_output_tokens"),
        "max_tool_calls": given.get("max_tool_calls"),
        "metadata": given.get("metadata") or {},
        "model": str(completion.get("model") or given.get("model")),
        "moderation": None,
        "output": [],
        "parallel_tool_calls": given.get("parallel_tool_calls") is not False,
        "previous_response_id": given.get("previous_response_id"),
        "prompt": given.get("prompt"),
        "prompt_cache_key": given.get("prompt_cache_key"),
        "prompt_cache_retention": given.get("prompt_cache_retention"),
        "reasoning": {"effort": reasoning.get("effort"), "summary": summary},
        "safety_identifier": given.get("safety_identifier"),
        "service_tier": tier if tier in _TIERS else "default",
        "store": given.get("store") is not False,
        "temperature": _or(given.get("temperature"), 1.0),
        "text": {"format": text.get("format") or {"type": "text"}}
        | {"verbosity": text.get("verbosity") or "medium"},
        "tool_choice": given.get("tool_choice") or "auto",
        "tools": given.get("tools") or [],
        "top_logprobs": given.get("top_logprobs") or 0,
        "top_p": _or(given.get("top_p"), 1.0),
        "truncation": given.get("truncation") or "disabled",
        "usage": None,
        "user": given.get("user"),
    }


def ending(reason: str, completion: Mapping[str, Any], *, now: float) -> dict[str, Any]:
    """The members that are known once an answer is whole."""
    members: dict[str, Any] = {
        "status": "incomplete" if reason else "completed",
        "completed_at": None if reason else int(now),
        "incomplete_details": {"reason": reason} if reason else None,
        "usage": usage_from(completion.get("usage")),
    }
    if "waggle" in completion:  # the explanation, if the caller asked for it
        members["waggle"] = completion["waggle"]
    return members


def usage_from(usage: Any) -> dict[str, Any] | None:
    if not isinstance(usage, dict):
        return None
    given, made = (_details(usage, f"{name}_tokens_details") for name in ("prompt", "completion"))
    tokens = count(usage.get("prompt_tokens")), count(usage.get("completion_tokens"))
    written = given.get("cache_write_tokens") or given.get("cache_creation_tokens")
    return {
        "input_tokens": tokens[0],
        "input_tokens_details": {
            "cached_tokens": count(given.get("cached_tokens")),
            "cache_write_tokens": count(written),
        },
        "output_tokens": tokens[1],
        "output_tokens_details": {"reasoning_tokens": count(made.get("reasoning_tokens"))},
        "total_tokens": sum(tokens),
    } | {name: usage[name] for name in ("cost", "cost_estimated") if name in usage}


def _details(usage: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    details = usage.get(name)
    return details if isinstance(details, dict) else _NOTHING


def _or(value: Any, default: float) -> Any:
    return default if value is None else value


def _items(
    request: ResponsesRequest, message: Mapping[str, Any], logprobs: Any, identity: Identity
) -> list[Item]:
    items: list[Item] = []
    text, blocks = reasoning_in(message), message.get("thinking_blocks")
    blocks = blocks if isinstance(blocks, list) else []
    if text or blocks:
        items.append(reasoning_item(request, identity.item("rs", 0), text, blocks))
    parts = _parts(message, logprobs)
    calls = message.get("tool_calls")
    calls = calls if isinstance(calls, list) else []
    if parts or not (calls or items):
        item_id = identity.item("msg", len(items))
        items.append(message_item(item_id, parts or [text_part("")], "completed"))
    for call in calls:
        name, arguments, call_id = _call(call)
        place = len(items)
        items.append(call_item(request, identity, place, call_id, name, arguments))
    return items


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


def _parts(message: Mapping[str, Any], logprobs: Any) -> list[Item]:
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


def _call(call: Any) -> tuple[str, str, str]:
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
