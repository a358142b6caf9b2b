"""The reply to the caller after a plan: a completion, a stream, or an error."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import orjson

from router.calls.outcome import CallOutcome, Stream
from router.domain import BUSY, CHAT, Attempt, Call, Request, Usage
from router.plans.bodies import without_logprobs
from router.plans.results import Result
from router.request.text import tokens_in
from router.wire.chat_replies import chat_reply
from router.wire.sse import Cutter

_CHARACTERS = 16_384  # most characters in one piece of a stream


class _NoConnection:
    """The connection of a stream that Waggle writes itself: there is nothing to close."""

    def finish(self) -> None:
        pass


async def completed(outcome: CallOutcome, text: str, request: Request) -> CallOutcome:
    """The result of a plan as a completion, or as a stream if the caller wants one."""
    if outcome.body and not request.stream:
        wants_logprobs = request.fields.get("logprobs")
        return replace(
            outcome, body=outcome.body if wants_logprobs else without_logprobs(outcome.body)
        )
    if outcome.body:
        return replace(outcome, body=b"", stream=stream_of(_events(outcome.body)))
    pieces = [text[i : i + _CHARACTERS] for i in range(0, len(text), _CHARACTERS)] or [""]
    prompt_tokens = request.reading.tokens
    call = Call(CHAT, request.body, request.stream, request.id)
    reply = chat_reply(call, f"waggle-{outcome.attempt.provider or 'plan'}", pieces, prompt_tokens)
    if request.stream:
        return replace(outcome, stream=stream_of(reply.body))
    body = b"".join([piece async for piece in reply.body])
    return replace(outcome, body=body, usage=Usage(prompt_tokens, tokens_in(text)))


def stream_of(body: AsyncIterator[bytes]) -> Stream:
    """Wrap bytes that Waggle makes itself as the stream of a backend."""
    return Stream([], Cutter(), _NoConnection(), body)


async def _events(body: bytes) -> AsyncIterator[bytes]:
    """Turn a whole completion into the events of a stream."""
    completion = orjson.loads(body)
    base = {key: completion[key] for key in ("id", "created", "model") if key in completion}
    base["object"] = "chat.completion.chunk"
    for choice in completion.get("choices") or ():
        message = choice.get("message") or {}
        delta = {key: value for key, value in message.items() if value is not None}
        calls = delta.get("tool_calls")
        if isinstance(calls, list):
            delta["tool_calls"] = [{"index": n, **call} for n, call in enumerate(calls)]
        yield _event(base, {"index": choice.get("index", 0), "delta": delta}, None)
        finish = choice.get("finish_reason") or "stop"
        yield _event(base, {"index": choice.get("index", 0), "delta": {}}, finish)
    if isinstance(completion.get("usage"), dict):
        yield (
            b"data: " + orjson.dumps(base | {"choices": [], "usage": completion["usage"]}) + b"\n\n"
        )
    yield b"data: [DONE]\n\n"


def _event(base: dict[str, Any], choice: dict[str, Any], finish: str | None) -> bytes:
    choice = {**choice, "finish_reason": finish}
    return b"data: " + orjson.dumps(base | {"choices": [choice]}) + b"\n\n"


def unfinished(
    result: Result, attempts: Sequence[Attempt]
) -> tuple[int, str, str, str, float | None]:
    """HTTP status, error type, code, message and retry delay for a plan that gave no answer."""
    if result.stopped == "cost":
        message = f"The ceiling on cost let no step answer: {result.problem}."
        return 422, "invalid_request_error", "over_max_cost", message, None
    if result.stopped == "latency":
        message = f"The ceiling on time was over before an answer came: {result.problem}."
        return 504, "server_error", "over_max_latency", message, None
    if not attempts:
        message = f"This plan cannot answer the request: {result.problem}."
        return 400, "invalid_request_error", "plan_cannot_answer", message, None
    busy = all(a.fault in BUSY or a.status == 429 for a in attempts)
    tried = "; ".join(attempt.summary() for attempt in attempts if attempt.fault)
    message = f"The plan brought no answer: {result.problem}. Tried: {tried or 'nothing'}."
    if busy:
        return 429, "rate_limit_error", "backends_busy", message, 1.0
    return 503, "server_error", "no_backend_answered", message, 1.0
