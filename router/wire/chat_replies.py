"""Replies of Waggle's own backends and of its memory, in OpenAI's format."""

import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Mapping
from typing import Any

import orjson

from router.domain import Call, Reply
from router.request.text import tokens_in

Usage = Mapping[str, int]


def chat_reply(
    call: Call,
    model: str,
    pieces: Iterable[str] | AsyncIterable[str],
    prompt_tokens: int,
    *,
    more: Mapping[str, Any] | None = None,
) -> Reply:
    """A completion whose content is these pieces, as one object or as a stream.

    Only a stream may have pieces that are still being made, in an `AsyncIterable`. `more` holds
    members to put beside the choices, in a stream beside those of each chunk.
    """
    base = {**reply_base(call, model), **(more or {})}
    if call.stream:
        return Reply(200, "text/event-stream", _events_of(base, pieces, prompt_tokens))
    assert isinstance(pieces, Iterable)
    content = "".join(pieces)
    body = completion(base, content, "stop", usage_of(prompt_tokens, tokens_in(content)))
    return Reply(200, "application/json", in_one_piece(body))


async def in_one_piece(body: bytes) -> AsyncIterator[bytes]:
    yield body


def _events_of(
    base: Mapping[str, Any], pieces: Iterable[str] | AsyncIterable[str], prompt_tokens: int
) -> AsyncIterator[bytes]:
    length = 0

    async def texts() -> AsyncIterator[tuple[str, None]]:
        nonlocal length
        async for piece in _one_by_one(pieces):
            length += len(piece)
            yield piece, None

    return events(base, texts(), lambda: ("stop", usage_of(prompt_tokens, max(1, length // 4))))


async def _one_by_one(pieces: Iterable[str] | AsyncIterable[str]) -> AsyncIterator[str]:
    if isinstance(pieces, AsyncIterable):
        async for piece in pieces:
            yield piece
    else:
        for piece in pieces:
            yield piece


def reply_base(call: Call, model: str) -> dict[str, Any]:
    """The members that a completion and each chunk of a stream begin with."""
    return {"id": f"chatcmpl-{call.request_id}", "created": int(time.time()), "model": model}


def completion(
    base: Mapping[str, Any], content: str, finish: str, usage: Usage, logprobs: Any = None
) -> bytes:
    message = {"role": "assistant", "content": content, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": logprobs, "finish_reason": finish}
    return orjson.dumps({**base, "object": "chat.completion", "choices": [choice], "usage": usage})


async def events(
    base: Mapping[str, Any],
    texts: AsyncIterator[tuple[str, Any]],
    end: Callable[[], tuple[str, Usage]],
) -> AsyncIterator[bytes]:
    """A stream of texts with their logprobs; `end` gives its finish reason and its usage."""
    begin = {**base, "object": "chat.completion.chunk"}

    def event(delta: dict[str, Any], finish: str | None = None, logprobs: Any = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
        return b"data: " + orjson.dumps(begin | {"choices": [choice]}) + b"\n\n"

    yield event({"role": "assistant", "content": ""})
    async for text, logprobs in texts:
        yield event({"content": text}, logprobs=logprobs)
    finish, usage = end()
    yield event({}, finish)
    yield b"data: " + orjson.dumps(begin | {"choices": [], "usage": usage}) + b"\n\n"
    yield b"data: [DONE]\n\n"


def usage_of(prompt: int, completion: int) -> Usage:
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }
