"""Turns the chunks of a chat stream into the events of OpenAI's Responses dialect. Pure.

An answer begins with its first chunk, and ends with the last event even where it broke off.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson

from router.dialects.responses_items import (
    Identity,
    annotations_in,
    logprobs_in,
    reasoning_in,
)
from router.dialects.responses_output import OutputEvents
from router.dialects.responses_reply import beginning, ending, incomplete_reason
from router.dialects.responses_request import ResponsesRequest


class ResponseEvents:
    """The events of one response. Each method gives the bytes that go out next."""

    def __init__(
        self, request: ResponsesRequest, identity: Identity, now: Callable[[], float]
    ) -> None:
        self._request, self._identity, self._now = request, identity, now
        self._output = OutputEvents(request, identity)
        self._last: dict[str, Any] = {}  # what chunks said of the whole answer
        self._finish: Any = None
        self._begun = self._ended = False

    def take(self, chunk: Mapping[str, Any]) -> bytes:
        """The events that follow from a chunk, which may also be an error."""
        if self._ended:
            return b""
        if chunk.get("error"):
            error = chunk["error"]
            return self.fail(error if isinstance(error, dict) else {"message": str(error)})
        for name in ("created", "model", "service_tier", "usage", "waggle"):
            if chunk.get(name) is not None:
                self._last[name] = chunk[name]
        events = [] if self._begun else self._begin()
        choices = chunk.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, dict) and not choice.get("index"):
                events += self._take(choice)
        return b"".join(events)

    def end(self) -> bytes:
        """The last events of an answer that came whole; nothing after one that broke off."""
        if self._ended:
            return b""
        self._ended = True
        events = [] if self._begun else self._begin()
        reason = incomplete_reason(self._finish)
        if self._output.open is None and not self._output.items:
            events += self._output.open_message()
            events += self._output.open_part("output_text")
        events += self._output.close("incomplete" if reason else "completed")
        response = self._response() | ending(reason, self._last, now=self._now())
        kind = "incomplete" if reason else "completed"
        return b"".join([*events, self._output.event(f"response.{kind}", response=response)])

    def fail(self, error: Mapping[str, Any]) -> bytes:
        """The last events of an answer that broke off."""
        self._ended = True
        events = [] if self._begun else self._begin()
        events.append(self.error_event(error, self._output.number))
        self._output.number += 1
        message = str(error.get("message"))
        failure = {"code": "server_error", "message": message}
        response = self._response() | {"status": "failed", "error": failure}
        return b"".join([*events, self._output.event("response.failed", response=response)])

    @staticmethod
    def error_event(error: Mapping[str, Any], number: int) -> bytes:
        members = {name: error.get(name) for name in ("code", "message", "param")}
        event = {"type": "error", "sequence_number": number} | members
        return b"event: error\ndata: " + orjson.dumps(event) + b"\n\n"

    def _response(self) -> dict[str, Any]:
        response = beginning(self._request, self._identity, self._last)
        return response | {"output": list(self._output.items)}

    def _begin(self) -> list[bytes]:
        self._begun = True
        response = self._response()
        return [
            self._output.event("response.created", response=response),
            self._output.event("response.in_progress", response=response),
        ]

    def _take(self, choice: Mapping[str, Any]) -> Iterator[bytes]:
        if choice.get("finish_reason") is not None:
            self._finish = choice["finish_reason"]
        delta = choice.get("delta")
        if not isinstance(delta, dict):
            return
        text, blocks = reasoning_in(delta), delta.get("thinking_blocks")
        if text or (isinstance(blocks, list) and blocks):
            yield from self._output.think(text, blocks if isinstance(blocks, list) else [])
        for kind, name in (("output_text", "content"), ("refusal", "refusal")):
            words = delta.get(name)
            if isinstance(words, str) and words:
                logprobs = choice.get("logprobs") if self._request.logprobs else None
                yield from self._output.speak(kind, words, logprobs_in(logprobs))
        self._output.annotate(annotations_in(delta.get("annotations")))
        calls = delta.get("tool_calls")
        for call in calls if isinstance(calls, list) else ():
            if isinstance(call, dict):
                yield from self._output.call(call)
