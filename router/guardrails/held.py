"""A stream that was held back: the whole answer in it, and its events with what guards changed."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from router.guardrails.streams import (
    Channel,
    choices_of,
    delta_of,
    get_text,
    is_completion,
    number_of,
    put_text,
    texts_of_delta,
)
from router.wire.sse import data_of


def completion_of(events: list[bytes]) -> dict[str, Any]:
    """The completion that a stream's events make; each choice has all of its text."""
    messages: dict[int, dict[str, Any]] = {}
    for chunk in _chunks(events):
        for choice in choices_of(chunk):
            message = messages.setdefault(number_of(choice), {"role": "assistant"})
            for path, text in texts_of_delta(delta_of(choice)):
                put_text(message, path, get_text(message, path) + text)
    choices = [{"index": index, "message": message} for index, message in sorted(messages.items())]
    return {"object": "chat.completion", "choices": choices}


def rewritten(
    events: list[bytes], before: Mapping[str, Any], after: Mapping[str, Any]
) -> list[bytes]:
    """The events with the changed texts: the first piece of a changed text has it whole, and its
    other pieces are empty."""
    changed = {
        channel: text for channel, text in _by_channel(after) if text != _text_at(before, channel)
    }
    if not changed:
        return events
    return [_with(event, changed) for event in events]


def _with(event: bytes, changed: dict[Channel, str]) -> bytes:
    data = data_of(event)
    if not data.startswith(b"{"):
        return event
    chunk = orjson.loads(data)
    for choice in choices_of(chunk):
        if choice.get("logprobs") is not None:
            choice["logprobs"] = None
        delta = delta_of(choice)
        for path, _ in list(texts_of_delta(delta)):
            channel = (number_of(choice), *path)
            if channel in changed:
                put_text(delta, path, changed[channel])
                changed[channel] = ""
        if is_completion(choice):
            choice["text"] = delta["text"]
    return b"data: " + orjson.dumps(chunk)


def _by_channel(completion: Mapping[str, Any]) -> Iterator[tuple[Channel, str]]:
    for choice in choices_of(completion):
        for path, text in texts_of_delta(choice["message"], empty=True):
            yield (choice["index"], *path), text


def _text_at(completion: Mapping[str, Any], channel: Channel) -> str:
    for choice in choices_of(completion):
        if choice["index"] == channel[0]:
            return get_text(choice["message"], channel[1:])
    return ""


def _chunks(events: list[bytes]) -> Iterator[dict[str, Any]]:
    for event in events:
        data = data_of(event)
        if data.startswith(b"{"):
            yield orjson.loads(data)
