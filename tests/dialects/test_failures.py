"""What an app gets when a server of a foreign dialect fails, or says what is not in its dialect."""

import asyncio
import json

import pytest

from tests.dialect_servers import (
    GeminiServer,
    anthropic_error,
    events_of,
    gemini_answer,
    gemini_error,
    gemini_events,
    message,
    named_event,
    text,
)
from tests.dialects.serving import serving

KINDS = pytest.mark.parametrize("kind", ["anthropic", "gemini"])
ANSWERS = {"anthropic": message(text("one two three")), "gemini": gemini_answer({"text": "a b c"})}
RETRY = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "13s"}
BAD_KEY = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}


def fails(body, status, **headers):
    async def script(wire):
        await wire.json(body, status, **headers)

    return script


async def send(wire, kind, event):
    """Send an event as this kind of server does."""
    await (named_event(wire, event) if kind == "anthropic" else wire.event(event))


def attempt_of(waggle):
    return waggle.journal.traces[-1].attempts[-1]


@pytest.mark.parametrize(
    ("kind", "body", "status", "words", "seen"),
    [
        ("anthropic", anthropic_error("rate_limit_error", "Too many."), 429, "Too many.", 429),
        ("anthropic", anthropic_error("overloaded_error", "Overloaded"), 529, "Overloaded", 529),
        ("anthropic", anthropic_error("authentication_error", "no"), 401, "credentials", 401),
        ("anthropic", b"<html>Bad gateway</html>", 502, "<html>Bad gateway", 502),
        ("gemini", gemini_error(429, "RESOURCE_EXHAUSTED", "Quota."), 429, "Quota.", 429),
        ("gemini", gemini_error(503, "UNAVAILABLE", "Overloaded."), 503, "Overloaded.", 503),
        ("gemini", gemini_error(400, "INVALID_ARGUMENT", "no", BAD_KEY), 400, "credentials", 401),
        ("gemini", gemini_error(400, "FAILED_PRECONDITION", "Billing."), 400, "credentials", 403),
        ("gemini", b"", 500, "the server said nothing more", 500),
    ],
)
async def test_a_failure_keeps_its_status_and_its_reason(kind, body, status, words, seen):
    async with serving(kind, fails(body, status)) as waggle:
        answer = await waggle.chat("hi")
        assert answer.status == 429 if seen == 429 else answer.status >= 500
        assert (attempt_of(waggle).status, attempt_of(waggle).fault) == (seen, "upstream")
        assert words in attempt_of(waggle).detail


@pytest.mark.parametrize(
    ("kind", "body", "headers"),
    [
        ("anthropic", anthropic_error("overloaded_error", "x"), {"retry_after": "13"}),
        ("gemini", gemini_error(429, "RESOURCE_EXHAUSTED", "x", RETRY), {}),
    ],
)
async def test_a_server_says_when_to_come_back(kind, body, headers):
    """A longer wait than `retry.longest` ends the tries at once."""
    retry = {"times": 2, "backoff": 0.001, "longest": 5}
    async with serving(kind, fails(body, 429, **headers), retry=retry) as waggle:
        await waggle.chat("hi")
        assert len(waggle.upstream.seen) == 1
    async with serving(kind, fails(anthropic_error("x", "x"), 429), retry=retry) as waggle:
        await waggle.chat("hi")
        assert len(waggle.upstream.seen) == 3


@pytest.mark.parametrize(
    ("kind", "body", "status", "code"),
    [
        (
            "anthropic",
            anthropic_error("invalid_request_error", "bad"),
            400,
            "invalid_request_error",
        ),
        (
            "anthropic",
            anthropic_error("invalid_request_error", "prompt is too long: 9 tokens > 8 maximum"),
            400,
            "context_length_exceeded",
        ),
        ("anthropic", anthropic_error("request_too_large", "bad"), 413, "request_too_large"),
        ("gemini", gemini_error(400, "INVALID_ARGUMENT", "bad"), 400, "INVALID_ARGUMENT"),
        (
            "gemini",
            gemini_error(400, "INVALID_ARGUMENT", "9 exceeds the maximum number of tokens 8"),
            400,
            "context_length_exceeded",
        ),
    ],
)
async def test_the_callers_mistake_comes_back_in_the_form_of_openai(kind, body, status, code):
    async with serving(kind, fails(body, status)) as waggle:
        answer = await waggle.chat("hi")
    assert answer.status == status
    assert answer.error["message"] == body["error"]["message"]
    assert (answer.error["type"], answer.error["code"]) == ("invalid_request_error", code)


@KINDS
@pytest.mark.parametrize("body", [b'{"conte', b"[]", b'{"type": "message"}', b"null"])
async def test_an_answer_that_is_none_is_a_failure(kind, body):
    async with serving(kind, fails(body, 200)) as waggle:
        answer = await waggle.chat("hi")
        assert answer.status >= 500
        assert attempt_of(waggle).fault == "malformed"


@pytest.mark.parametrize("reason", ["MALFORMED_FUNCTION_CALL", "OTHER"])
@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_that_gemini_gave_up_is_a_failure_and_not_a_short_answer(reason, stream):
    server = GeminiServer(gemini_answer({"text": "x"}, finish=reason))
    async with serving("gemini", server) as waggle:
        answer = await waggle.chat("hi", stream=stream)
        assert reason in (answer.body.decode() if stream else attempt_of(waggle).detail)
        assert b"[DONE]" not in answer.body


@KINDS
@pytest.mark.parametrize("how", ["close", "end", "error", "not json", "not an object"])
async def test_a_torn_stream_ends_in_an_error_and_never_as_a_short_answer(kind, how):
    whole = ANSWERS[kind]
    events = events_of(whole) if kind == "anthropic" else gemini_events(whole)
    error = (
        anthropic_error("overloaded_error", "Overloaded")
        if kind == "anthropic"
        else gemini_error(503, "UNAVAILABLE", "Overloaded")
    )

    async def script(wire):
        wire.events()
        for event in events[: 4 if kind == "anthropic" else 2]:
            await send(wire, kind, event)
        match how:
            case "close":
                wire.close()
            case "end":
                await wire.chunk(b"")
            case "error":
                await wire.chunk(f"event: error\ndata: {json.dumps(error)}\n\n".encode())
            case "not json":
                await wire.chunk(b'data: {"type": "mess\n\n')
            case "not an object":
                await wire.chunk(b"data: [1]\n\n")

    async with serving(kind, script) as waggle:
        answer = await waggle.chat("hi", stream=True)
        assert answer.status == 200  # it had begun
        assert "error" in answer.events[-1]
        assert '"finish_reason":"stop"' not in answer.body.decode()
        if how == "error":
            assert "Overloaded" in answer.body.decode()


@KINDS
async def test_a_stream_whose_first_event_is_an_error_is_a_failure_before_the_answer(kind):
    async def script(wire):
        wire.events()
        error = anthropic_error("overloaded_error", "Overloaded") | {"error": {"message": "Busy"}}
        await send(wire, kind, error)
        await wire.chunk(b"")

    async with serving(kind, script) as waggle:
        answer = await waggle.chat("hi", stream=True)
        assert answer.status >= 500
        assert "Busy" in attempt_of(waggle).detail


@KINDS
async def test_a_stream_that_comes_byte_by_byte_is_the_same(kind):
    whole = ANSWERS[kind]
    events = events_of(whole) if kind == "anthropic" else gemini_events(whole)

    async def script(wire):
        wire.events()
        for event in events:
            name = f"event: {event['type']}\r\n" if kind == "anthropic" else ""
            for byte in f"{name}data: {json.dumps(event)}\r\n\r\n".encode():
                await wire.chunk(bytes([byte]))
                await asyncio.sleep(0)
        await wire.chunk(b"")

    async with serving(kind, script) as waggle:
        answer = await waggle.chat("hi", stream=True)
    *chunks, done = answer.events
    pieces = [chunk["choices"][0]["delta"].get("content", "") for chunk in chunks]
    assert "".join(pieces) == ("one two three" if kind == "anthropic" else "a b c")
    assert (chunks[-1]["choices"][0]["finish_reason"], done) == ("stop", "[DONE]")


async def test_a_key_that_a_server_repeats_is_never_shown():
    words = "API key not valid: AIzaSyTopSecret123 and sk-ant-api03-topsecret"
    error = gemini_error(403, "PERMISSION_DENIED", words)
    async with serving("gemini", fails(error, 500)) as waggle:
        answer = await waggle.chat("hi")
        shown = attempt_of(waggle).detail + answer.body.decode()
    assert "API key not valid: (hidden)" in shown
    assert "TopSecret" not in shown
    assert "topsecret" not in shown


async def test_events_of_a_later_version_are_passed_over():
    events = events_of(ANSWERS["anthropic"])
    later = [
        {"type": "weather_report", "index": 0},
        {"type": "content_block_start", "index": 7, "content_block": {"type": "smell"}},
        {"type": "content_block_delta", "index": 7, "delta": {"type": "smell_delta", "s": "x"}},
        {"type": "content_block_stop", "index": 7},
    ]

    async def script(wire):
        wire.events()
        for event in [*events[:4], *later, *events[4:]]:
            await named_event(wire, event)
        await wire.chunk(b"")

    async with serving("anthropic", script) as waggle:
        answer = await waggle.chat("hi", stream=True)
    pieces = [c["choices"][0]["delta"].get("content", "") for c in answer.events[:-1]]
    assert "".join(pieces) == "one two three"
