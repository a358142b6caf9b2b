"""Writes a chat completion as a response of OpenAI's Responses dialect. Pure.

Of several choices only the first is written, because a response is one answer.
"""

from collections.abc import Mapping
from typing import Any

from router.dialects.completions import count
from router.dialects.responses_items import (
    Identity,
    Item,
    call_in,
    call_item,
    message_item,
    parts_of,
    reasoning_in,
    reasoning_item,
    text_part,
)
from router.dialects.responses_request import ResponsesRequest

_TIERS = ("auto", "default", "flex", "scale", "priority", "fast", "ultrafast")
_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}
_NOTHING: Mapping[str, Any] = {}


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
    parts = parts_of(message, logprobs)
    calls = message.get("tool_calls")
    calls = calls if isinstance(calls, list) else []
    if parts or not (calls or items):
        item_id = identity.item("msg", len(items))
        items.append(message_item(item_id, parts or [text_part("")], "completed"))
    for call in calls:
        name, arguments, call_id = call_in(call)
        place = len(items)
        items.append(call_item(request, identity, place, call_id, name, arguments))
    return items
