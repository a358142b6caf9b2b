"""Reads answers, streams and errors of Anthropic's Messages API into OpenAI's dialect. Pure.

Thinking comes back as `reasoning_content`, and with its signatures as `thinking_blocks`; a caller
who sends the message again as it came lets the model go on with its own thoughts.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from router.dialects.anthropic_request import ANSWER_TOOL
from router.dialects.completions import (
    DONE,
    BadAnswer,
    Choice,
    TokenCounts,
    chunk_of,
    completion_of,
    count,
    function_call,
    usage_chunk,
)

_FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
KEPT_REASONS = ("pause_turn", "model_context_window_exceeded")
_NOTHING: Mapping[str, Any] = {}


def completion_from(answer: Any, created: int, *, answers_by_tool: bool) -> bytes:
    """OpenAI's form of a whole message; `BadAnswer` if this is no message."""
    if not isinstance(answer, dict) or not isinstance(answer.get("content"), list):
        raise BadAnswer("malformed", f"not a message of Anthropic's: {str(answer)[:200]}")
    texts, thoughts, calls = [], [], []
    for block in answer["content"]:
        match block:
            case {"type": "text", "text": str(text)}:
                texts.append(text)
            case {"type": "thinking" | "redacted_thinking"}:
                thoughts.append(block)
            case {"type": "tool_use", "name": str(name), "id": str(identity), **rest}:
                written = orjson.dumps(rest.get("input") or {}).decode()
                if answers_by_tool and name == ANSWER_TOOL:
                    texts.append(written)
                else:
                    calls.append(function_call(identity, name, written))
    finish = _FINISH.get(str(answer.get("stop_reason")), "stop")
    choice = Choice(
        "".join(texts),
        "stop" if finish == "tool_calls" and not calls else finish,
        calls,
        _refusal(answer),
        "".join(str(block.get("thinking") or "") for block in thoughts),
        more={"thinking_blocks": thoughts} if thoughts else {},
        stop=_stop(answer),
    )
    usage = answer.get("usage")
    counts = counts_of(usage if isinstance(usage, dict) else _NOTHING)
    return completion_of(_base(answer, created), [choice], counts)


def counts_of(usage: Mapping[str, Any]) -> TokenCounts:
    read, written = (count(usage.get(f"cache_{n}_input_tokens")) for n in ("read", "creation"))
    details = usage.get("output_tokens_details")
    return TokenCounts(
        prompt=count(usage.get("input_tokens")) + read + written,
        completion=count(usage.get("output_tokens")),
        cached=read,
        cache_written=written,
        reasoning=count(details.get("thinking_tokens")) if isinstance(details, dict) else 0,
    )


def _base(message: Mapping[str, Any], created: int) -> dict[str, Any]:
    return {"id": str(message.get("id")), "created": created, "model": message.get("model")}


def _refusal(message: Mapping[str, Any]) -> str | None:
    if message.get("stop_reason") != "refusal":
        return None
    details = message.get("stop_details")
    explanation = details.get("explanation") if isinstance(details, dict) else None
    return str(explanation or "the model's provider refused this request")


def _stop(message: Mapping[str, Any]) -> dict[str, Any]:
    """What chat's finish reason does not say of the end: the text that ended the answer, as vLLM
    has it, and Anthropic's own reasons, as OpenRouter has them."""
    if message.get("stop_reason") == "stop_sequence":
        return {"stop_reason": message.get("stop_sequence")}
    if message.get("stop_reason") in KEPT_REASONS:
        return {"native_finish_reason": message["stop_reason"]}
    return {}


class AnthropicStream:
    """Turns the events of one streamed message into chunks, one event at a time."""

    def __init__(self, created: int, *, answers_by_tool: bool) -> None:
        self.ended = False
        self._created = created
        self._answers_by_tool = answers_by_tool
        self._base: dict[str, Any] = {}
        self._usage: dict[str, Any] = {}
        self._stop: dict[str, Any] = {}
        self._blocks: dict[int, dict[str, Any]] = {}
        self._calls: dict[int, int] = {}  # the number of each call, by its block

    def take(self, event: Any) -> Iterator[bytes]:
        """The chunks that follow from an event; `BadAnswer` if the event reports a failure."""
        if not isinstance(event, dict):
            raise BadAnswer("protocol", f"an event of the stream is no object: {str(event)[:200]}")
        kind = event.get("type")
        if kind == "error":
            message, _ = error_of(event)
            raise BadAnswer("upstream", f"the backend said: {message[:300]}")
        if kind == "message_start":
            yield from self._begin(event.get("message"))
            return
        if not self._base and kind in ("content_block_start", "message_delta", "message_stop"):
            raise BadAnswer("protocol", f"the stream has {kind} before message_start")
        match event:
            case {"type": "ping"} if self._base:
                yield chunk_of(self._base, {})  # the model thinks: the caller need not give up
            case {"type": "content_block_start", "index": int(i), "content_block": dict(block)}:
                yield from self._open(i, dict(block))
            case {"type": "content_block_delta", "index": int(i), "delta": dict(delta)}:
                yield from self._grow(i, delta)
            case {"type": "content_block_stop", "index": int(i)}:
                yield from self._close(i)
            case {"type": "message_delta", "delta": dict(delta), **rest}:
                self._stop |= {name: value for name, value in delta.items() if value is not None}
                self._count(rest.get("usage"))
            case {"type": "message_stop"}:
                yield from self._finish()

    def end(self) -> Iterator[bytes]:
        """Nothing, if the stream has ended as it should."""
        if not self.ended:
            raise BadAnswer("protocol", "the stream ended before message_stop")
        return iter(())

    def _begin(self, message: Any) -> Iterator[bytes]:
        if not isinstance(message, dict):
            raise BadAnswer("protocol", "the stream begins without a message")
        self._base = _base(message, self._created)
        self._count(message.get("usage"))
        yield chunk_of(self._base, {"role": "assistant", "content": ""})

    def _count(self, usage: Any) -> None:
        """Counts of a stream are cumulative, and a later event leaves out what did not change."""
        if isinstance(usage, dict):
            self._usage |= {name: value for name, value in usage.items() if value is not None}

    def _open(self, index: int, block: dict[str, Any]) -> Iterator[bytes]:
        self._blocks[index] = block
        match block:
            case {"type": "text", "text": str(text)} if text:
                yield chunk_of(self._base, {"content": text})
            case {"type": "redacted_thinking"}:
                yield chunk_of(self._base, {"thinking_blocks": [block]})
            case {"type": "tool_use", "name": str(name), "id": str(identity)}:
                whole = block.get("input")
                written = orjson.dumps(whole).decode() if whole else ""
                if self._answers_by_tool and name == ANSWER_TOOL:
                    if written:
                        yield chunk_of(self._base, {"content": written})
                    return
                number = self._calls[index] = len(self._calls)
                call = {"index": number} | function_call(identity, name, written)
                yield chunk_of(self._base, {"tool_calls": [call]})

    def _grow(self, index: int, delta: Mapping[str, Any]) -> Iterator[bytes]:
        block = self._blocks.setdefault(index, {"type": "text"})
        match delta:
            case {"type": "text_delta", "text": str(text)}:
                yield chunk_of(self._base, {"content": text})
            case {"type": "thinking_delta", "thinking": str(text)}:
                block["thinking"] = block.get("thinking", "") + text
                yield chunk_of(self._base, {"reasoning_content": text})
            case {"type": "signature_delta", "signature": str(signature)}:
                block["signature"] = block.get("signature", "") + signature
            case {"type": "input_json_delta", "partial_json": str(piece)} if piece:
                block["written"] = True
                if index in self._calls:
                    call = {"index": self._calls[index], "function": {"arguments": piece}}
                    yield chunk_of(self._base, {"tool_calls": [call]})
                elif block.get("name") == ANSWER_TOOL:
                    yield chunk_of(self._base, {"content": piece})

    def _close(self, index: int) -> Iterator[bytes]:
        block = self._blocks.get(index, {})
        if block.get("type") == "thinking" and block.get("signature"):
            yield chunk_of(self._base, {"thinking_blocks": [block]})
        if index in self._calls and not block.get("written") and not block.get("input"):
            call = {"index": self._calls[index], "function": {"arguments": "{}"}}
            yield chunk_of(self._base, {"tool_calls": [call]})  # a call without arguments

    def _finish(self) -> Iterator[bytes]:
        self.ended = True
        finish = _FINISH.get(str(self._stop.get("stop_reason")), "stop")
        if finish == "tool_calls" and not self._calls:
            finish = "stop"
        refusal = _refusal(self._stop)
        delta = {"refusal": refusal} if refusal else {}
        yield chunk_of(self._base, delta, finish=finish, stop=_stop(self._stop))
        yield usage_chunk(self._base, counts_of(self._usage))
        yield DONE


def error_of(answer: Any) -> tuple[str, str]:
    """The message and the kind of an error; both may be empty."""
    error = answer.get("error") if isinstance(answer, dict) else None
    if not isinstance(error, dict):
        return "", ""
    return str(error.get("message") or ""), str(error.get("type") or "")
