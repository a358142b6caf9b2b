"""Scripts of model servers that speak Anthropic's and Google's dialects, for `tests.upstream`.

The shapes of requests, answers, events and errors follow the types of anthropic-sdk-python 0.121
and python-genai 2.19. The servers refuse what the real ones refuse for its form.
"""

import json
from itertools import pairwise
from typing import Any

from tests.upstream import Wire

MESSAGES = "/v1/messages"
VERSIONS = ("2026-10-21", "2023-06-01")
USAGE = {
    "input_tokens": 20,
    "cache_creation_input_tokens": 30,
    "cache_read_input_tokens": 50,
    "cache_creation": {"ephemeral_5m_input_tokens": 30, "ephemeral_1h_input_tokens": 0},
    "output_tokens": 12,
    "output_tokens_details": {"thinking_tokens": 5},
    "service_tier": "standard",
}


def anthropic_error(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}


def message(*blocks: dict[str, Any], stop: str = "end_turn", **more: Any) -> dict[str, Any]:
    return {
        "id": "msg_01",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5-20250929",
        "content": list(blocks),
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": USAGE,
    } | more


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def events_of(whole: dict[str, Any]) -> list[dict[str, Any]]:
    """The events by which the API streams this message."""
    begun = whole | {"content": [], "stop_reason": None, "usage": USAGE | {"output_tokens": 1}}
    events: list[dict[str, Any]] = [{"type": "message_start", "message": begun}, {"type": "ping"}]
    for index, block in enumerate(whole["content"]):
        empty, deltas = _pieces(block)
        events.append({"type": "content_block_start", "index": index, "content_block": empty})
        events += [
            {"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas
        ]
        events.append({"type": "content_block_stop", "index": index})
    stopped = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    details = {"stop_details": whole["stop_details"]} if "stop_details" in whole else {}
    usage = {"output_tokens": 12, "output_tokens_details": {"thinking_tokens": 5}}
    events.append({"type": "message_delta", "delta": stopped | details, "usage": usage})
    return [*events, {"type": "message_stop"}]


def _pieces(block: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    match block["type"]:
        case "text":
            words = block["text"].split(" ")
            spaced = [w if n == len(words) - 1 else w + " " for n, w in enumerate(words)]
            return text(""), [{"type": "text_delta", "text": word} for word in spaced]
        case "thinking":
            empty = {"type": "thinking", "thinking": "", "signature": ""}
            thought = {"type": "thinking_delta", "thinking": block["thinking"]}
            return empty, [thought, {"type": "signature_delta", "signature": block["signature"]}]
        case "tool_use":
            compact = json.dumps(block["input"], separators=(",", ":"))
            written = compact if block["input"] else ""
            parts = ["", written[:5], written[5:]] if written else [""]
            deltas = [{"type": "input_json_delta", "partial_json": part} for part in parts]
            return block | {"input": {}}, deltas
        case _:
            return block, []


def refusal_of_form(body: dict[str, Any], betas: str = "") -> str:
    """Why the API refuses a body for its form; empty if it does not."""
    allowed = {
        *("model", "max_tokens", "messages", "system", "stream", "stop_sequences", "temperature"),
        *("top_p", "top_k", "tools", "tool_choice", "thinking", "metadata", "output_config"),
        *("cache_control", "service_tier", "inference_geo"),
    }
    allowed |= {"context_management"} if "context-management" in betas else set()
    for name in body:
        if name not in allowed:
            return f"{name}: Extra inputs are not permitted"
    for name in ("model", "max_tokens", "messages"):
        if name not in body:
            return f"{name}: Field required"
    roles = [entry["role"] for entry in body["messages"]]
    if not roles or roles[0] != "user" or any(a == b for a, b in pairwise(roles)):
        return "messages: roles must alternate between user and assistant, beginning with user"
    calls: set[str] = set()
    for entry in body["messages"]:
        if isinstance(entry["content"], str):
            continue
        results = [b["tool_use_id"] for b in entry["content"] if b["type"] == "tool_result"]
        if set(results) != calls:
            return "messages: each tool_use block must have a tool_result in the next message"
        calls = {b["id"] for b in entry["content"] if b["type"] == "tool_use"}
        for block in entry["content"]:
            if block["type"] == "text" and not block["text"].strip():
                return "messages: text content blocks must contain non-whitespace text"
    thinking = body.get("thinking", {})
    if (
        thinking.get("type") == "enabled"
        and not 1024 <= thinking["budget_tokens"] < body["max_tokens"]
    ):
        return "max_tokens must be greater than thinking.budget_tokens"
    return ""


class AnthropicServer:
    """Answers each request with `answer`, whole or streamed, if its form is right."""

    def __init__(self, answer: dict[str, Any] | None = None, key: str = "") -> None:
        self.answer = answer or message(text("one two three"))
        self.key = key
        self.bodies: list[dict[str, Any]] = []

    async def __call__(self, wire: Wire) -> None:
        if self.key and wire.headers.get("x-api-key") != self.key:
            await wire.json(anthropic_error("authentication_error", "invalid x-api-key"), 401)
        elif wire.path == f"{MESSAGES}/count_tokens" and "max_tokens" not in wire.fields:
            await wire.json({"input_tokens": 4711})
        elif wire.path != MESSAGES:
            await wire.json(anthropic_error("not_found_error", "Not found"), 404)
        elif wire.headers.get("anthropic-version") not in ("2023-06-01", "2026-10-21"):
            wrong = "anthropic-version: header is required"
            await wire.json(anthropic_error("invalid_request_error", wrong), 400)
        elif reason := refusal_of_form(wire.fields, wire.headers.get("anthropic-beta", "")):
            await wire.json(anthropic_error("invalid_request_error", reason), 400)
        else:
            self.bodies.append(wire.fields)
            await self._answer(wire)

    async def _answer(self, wire: Wire) -> None:
        if not wire.fields.get("stream"):
            await wire.json(self.answer)
            return
        wire.events()
        for event in events_of(self.answer):
            await named_event(wire, event)
        await wire.chunk(b"")


async def named_event(wire: Wire, event: dict[str, Any]) -> None:
    await wire.chunk(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())


GEMINI_USAGE = {
    "promptTokenCount": 100,
    "cachedContentTokenCount": 50,
    "candidatesTokenCount": 7,
    "thoughtsTokenCount": 5,
    "totalTokenCount": 112,
}


def gemini_error(code: int, status: str, words: str, *details: dict[str, Any]) -> dict[str, Any]:
    return {"error": {"code": code, "message": words, "status": status, "details": list(details)}}


def gemini_answer(*parts: dict[str, Any], finish: str = "STOP", **more: Any) -> dict[str, Any]:
    content = {"role": "model", "parts": list(parts)}
    return {
        "candidates": [{"content": content, "finishReason": finish, "index": 0}],
        "usageMetadata": GEMINI_USAGE,
        "modelVersion": "gemini-2.5-flash",
        "responseId": "resp1",
    } | more


def gemini_events(whole: dict[str, Any]) -> list[dict[str, Any]]:
    """The events by which the API streams this answer: the parts, a few words at a time."""
    candidate = whole["candidates"][0]
    pieces = []
    for part in candidate["content"]["parts"]:
        words = part["text"].split(" ") if "text" in part else []
        spaced = [w if n == len(words) - 1 else w + " " for n, w in enumerate(words)]
        pieces += [part | {"text": word} for word in spaced] or [part]
    events = []
    for n, piece in enumerate(pieces):
        spoken = {"content": {"role": "model", "parts": [piece]}, "index": 0}
        last = {"finishReason": candidate["finishReason"]} if n == len(pieces) - 1 else {}
        usage = GEMINI_USAGE if last else {"promptTokenCount": 100, "candidatesTokenCount": n}
        events.append(whole | {"candidates": [spoken | last], "usageMetadata": usage})
    return events


class GeminiServer:
    """Answers each request with `answer`, whole or streamed."""

    def __init__(self, answer: dict[str, Any] | None = None, key: str = "") -> None:
        self.answer = answer or gemini_answer({"text": "one two three"})
        self.key = key
        self.bodies: list[dict[str, Any]] = []

    async def __call__(self, wire: Wire) -> None:
        path, _, query = wire.path.partition("?")
        method = path.rpartition(":")[2]
        if self.key and wire.headers.get("x-goog-api-key") != self.key:
            reason = {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "API_KEY_INVALID",
            }
            words = "API key not valid. Please pass a valid API key."
            await wire.json(gemini_error(400, "INVALID_ARGUMENT", words, reason), 400)
        elif not path.startswith("/v1beta/models/gemini-"):
            await wire.json(gemini_error(404, "NOT_FOUND", "no such model"), 404)
        elif method == "generateContent":
            self.bodies.append(wire.fields)
            await wire.json(self.answer)
        elif method == "streamGenerateContent" and query == "alt=sse":
            self.bodies.append(wire.fields)
            wire.events()
            for event in gemini_events(self.answer):
                await wire.chunk(b"data: " + json.dumps(event).encode() + b"\r\n\r\n")
            await wire.chunk(b"")
        else:
            await wire.json(gemini_error(404, "NOT_FOUND", "no such method"), 404)
