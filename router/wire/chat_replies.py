"""Answers of our own backends, in the form in which OpenAI writes answers."""

import time
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

import orjson

from router.domain import Call, Reply
from router.request.text import tokens_in


def chat_reply(
    call: Call,
    model: str,
    pieces: Iterable[str],
    prompt_tokens: int,
    *,
    more: Mapping[str, Any] | None = None,
) -> Reply:
    """A completion with these pieces as its content, as one object or as a stream.

    `more` are members that stand beside the choices; in a stream, they stand in each chunk.
    """
    base = {"id": f"chatcmpl-{call.request_id}", "created": int(time.time()), "model": model}
    base |= more or {}
    if call.stream:
        return Reply(200, "text/event-stream", _events(base, pieces, prompt_tokens))
    content = "".join(pieces)
    message = {"role": "assistant", "content": content, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    whole = base | {
        "object": "chat.completion",
        "choices": [choice],
        "usage": _usage(prompt_tokens, tokens_in(content)),
    }
    return Reply(200, "application/json", in_one_piece(orjson.dumps(whole)))


async def in_one_piece(body: bytes) -> AsyncIterator[bytes]:
    yield body


async def _events(
    base: dict[str, Any], pieces: Iterable[str], prompt_tokens: int
) -> AsyncIterator[bytes]:
    base = base | {"object": "chat.completion.chunk"}

    def event(delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return b"data: " + orjson.dumps(base | {"choices": [choice]}) + b"\n\n"

    yield event({"role": "assistant", "content": ""})
    length = 0
    for piece in pieces:
        length += len(piece)
        yield event({"content": piece})
    yield event({}, "stop")
    usage = _usage(prompt_tokens, max(1, length // 4))
    yield b"data: " + orjson.dumps(base | {"choices": [], "usage": usage}) + b"\n\n"
    yield b"data: [DONE]\n\n"


def _usage(prompt: int, completion: int) -> dict[str, int]:
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }
