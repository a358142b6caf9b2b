"""Writes answers and errors in the form of Anthropic's Messages API. Pure.

`message_from` takes a chat completion of any backend. Thoughts of a backend that signs none get a
signature of Waggle's, by which the next request's thoughts are known; `usage.cost` and `waggle`
stay as chat has them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from router.dialects.anthropic_reply import KEPT_REASONS
from router.dialects.anthropic_request import identity_of
from router.dialects.completions import count
from router.dialects.messages_turns import OWN_SIGNATURE

Body = dict[str, Any]
_STOPS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
}
_ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    408: "timeout_error",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_HEX = re.compile(r"[^0-9a-f]")
_NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of a request its answer's form depends on."""

    request_id: str
    model: str = ""
    thinks: bool = False  # whether the caller asks to see thoughts
    stops: tuple[str, ...] = ()
    prompt_tokens: int = 0  # by our estimate, before a backend counts them


def message_from(completion: Mapping[str, Any], wanted: Wanted) -> Body:
    """The message of a chat completion."""
    choices = completion.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else _NOTHING
    spoken = choice.get("message") or _NOTHING
    blocks = _thoughts(spoken, wanted)
    finish = choice.get("finish_reason")
    words = _words(spoken.get("content")) or _own_refusal(spoken, finish)
    if words:
        blocks.append({"type": "text", "text": words})
    uses = _uses(spoken, wanted)
    message = beginning(completion, wanted) | {
        "content": [*blocks, *uses],
        **stop_of(choice, wanted, calls=bool(uses), refusal=spoken.get("refusal")),
        "usage": usage_of(completion.get("usage")),
    }
    return message | {name: completion[name] for name in ("waggle",) if name in completion}


def beginning(base: Mapping[str, Any], wanted: Wanted) -> Body:
    """The members of a message that are known before its content; `base` is a completion or a
    chunk."""
    identity = base.get("id")
    if not isinstance(identity, str) or not identity.startswith("msg_"):
        identity = f"msg_{_HEX.sub('', wanted.request_id)}"
    model = base.get("model")
    return {
        "id": identity,
        "type": "message",
        "role": "assistant",
        "model": model if isinstance(model, str) and model else wanted.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": wanted.prompt_tokens, "output_tokens": 0},
    }


def stop_of(choice: Mapping[str, Any], wanted: Wanted, *, calls: bool, refusal: Any) -> Body:
    """Why the answer stopped."""
    finish = choice.get("finish_reason")
    reason = _STOPS.get(finish, "end_turn") if isinstance(finish, str) else "end_turn"
    if choice.get("native_finish_reason") in KEPT_REASONS:
        reason = choice["native_finish_reason"]
    if reason in ("end_turn", "tool_use"):  # some servers say `stop` of an answer with calls
        reason = "tool_use" if calls else "end_turn"
    stopped: Body = {"stop_reason": reason, "stop_sequence": None}
    matched = choice.get("stop_reason")  # as vLLM names the text that ended the answer
    if reason == "end_turn" and isinstance(matched, str) and matched in wanted.stops:
        return {"stop_reason": "stop_sequence", "stop_sequence": matched}
    if reason == "refusal" or (isinstance(refusal, str) and refusal):
        explanation = refusal if isinstance(refusal, str) and refusal else None
        details = {"type": "refusal", "category": None, "explanation": explanation}
        return {"stop_reason": "refusal", "stop_sequence": None, "stop_details": details}
    return stopped


def usage_of(usage: Any) -> Body:
    """Anthropic's counts: what the cache gave and took in stands beside the input, not in it."""
    given = usage if isinstance(usage, dict) else _NOTHING
    details, spent = given.get("prompt_tokens_details"), given.get("completion_tokens_details")
    details = details if isinstance(details, dict) else _NOTHING
    read = count(details.get("cached_tokens"))
    written = count(details.get("cache_write_tokens") or details.get("cache_creation_tokens"))
    counts: Body = {
        "input_tokens": max(0, count(given.get("prompt_tokens")) - read - written),
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": read,
        "output_tokens": count(given.get("completion_tokens")),
    }
    thought = count(spent.get("reasoning_tokens")) if isinstance(spent, dict) else 0
    if thought:
        counts["output_tokens_details"] = {"thinking_tokens": thought}
    return counts | {name: given[name] for name in ("cost", "cost_estimated") if name in given}


def error_from(status: int, body: bytes, request_id: str | None = None) -> bytes:
    """An error of OpenAI's form in Anthropic's."""
    try:
        error = orjson.loads(body).get("error")
    except (orjson.JSONDecodeError, AttributeError):
        error = None
    message = error.get("message") if isinstance(error, dict) else error
    if not isinstance(message, str) or not message:
        message = body[:500].decode("utf-8", "replace") or f"The status is {status}."
    kind = _ERRORS.get(status, "api_error" if status >= 500 else "invalid_request_error")
    written: Body = {"type": "error", "error": {"type": kind, "message": message}}
    return orjson.dumps(written | ({} if request_id is None else {"request_id": request_id}))


def reasoning_in(spoken: Mapping[str, Any]) -> str:
    """The thoughts of a message or a delta, by either of the names that servers give them."""
    for name in ("reasoning_content", "reasoning"):
        text = spoken.get(name)
        if isinstance(text, str) and text:
            return text
    return ""


def call_identity(call: Mapping[str, Any], index: int, wanted: Wanted) -> str:
    """The id of a call in the letters that Anthropic's dialect has for ids."""
    identity = call.get("id")
    if isinstance(identity, str) and identity:
        return identity_of(identity)
    return f"toolu_{_HEX.sub('', wanted.request_id)}_{index}"


def signed_thoughts(spoken: Mapping[str, Any]) -> list[Body]:
    blocks = spoken.get("thinking_blocks")
    return [b for b in blocks if isinstance(b, dict)] if isinstance(blocks, list) else []


def _thoughts(spoken: Mapping[str, Any], wanted: Wanted) -> list[Body]:
    blocks = signed_thoughts(spoken)
    text = reasoning_in(spoken)
    if not blocks and text and wanted.thinks:
        return [{"type": "thinking", "thinking": text, "signature": OWN_SIGNATURE}]
    return blocks


def _words(content: Any) -> str:
    if isinstance(content, list):
        texts = (part.get("text") for part in content if isinstance(part, dict))
        return "".join(text for text in texts if isinstance(text, str))
    return content if isinstance(content, str) else ""


def _own_refusal(spoken: Mapping[str, Any], finish: Any) -> str:
    """The words by which a model itself refuses, which belong to the answer; the words of a
    provider's filter do not."""
    refusal = spoken.get("refusal")
    return refusal if isinstance(refusal, str) and finish != "content_filter" else ""


def _uses(spoken: Mapping[str, Any], wanted: Wanted) -> Sequence[Body]:
    calls = spoken.get("tool_calls") or []
    if isinstance(spoken.get("function_call"), dict):
        calls = [{"function": spoken["function_call"]}]
    uses = []
    for index, call in enumerate(calls if isinstance(calls, list) else ()):
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict):
            use = {"type": "tool_use", "id": call_identity(call, index, wanted)}
            uses.append(use | {"name": str(function.get("name")), "input": _input(function)})
    return uses


def _input(function: Mapping[str, Any]) -> Any:
    """The arguments of a call; what is no JSON object stays as text, for the tool to refuse."""
    written = function.get("arguments") or "{}"
    try:
        arguments = orjson.loads(written) if isinstance(written, str) else written
    except orjson.JSONDecodeError:
        arguments = written
    return arguments if isinstance(arguments, dict) else {"malformed_arguments": written}
