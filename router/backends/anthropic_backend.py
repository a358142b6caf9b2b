"""Calls Anthropic's Messages API for callers who speak OpenAI's dialect.

A request that the API cannot express is refused with the field's name. A stream that ends before
its last event is a failure, never a short answer.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import orjson

from router.backends.endpoints import Endpoints, Response
from router.backends.foreign import (
    chunks,
    error_of_openai,
    json_or_none,
    passed_back,
    whole,
)
from router.backends.request_fields import fields_in
from router.config.network import AnthropicSettings
from router.dialects.anthropic_reply import AnthropicStream, completion_from, error_of
from router.dialects.anthropic_request import request_of
from router.dialects.completions import BadAnswer
from router.dialects.fields import Untranslatable
from router.domain import CHAT, Call, Fault, Reply
from router.wire.beside import beside
from router.wire.chat_replies import in_one_piece

_JSON = "application/json"
_TOO_LONG = ("prompt is too long", "exceed context limit", "maximum context length")


class AnthropicBackend:
    def __init__(self, settings: AnthropicSettings, endpoints: Endpoints) -> None:
        self._settings = settings
        self._endpoints = endpoints

    @asynccontextmanager
    async def send(self, call: Call) -> AsyncIterator[Reply]:
        if call.path != CHAT:
            raise Fault("bad_request", f"Anthropic's API answers {CHAT}, not {call.path}")
        body, by_tool = await beside(len(call.body), partial(self._body, call))
        created = int(time.time())
        async with self._endpoints.post("/messages", body) as response:
            if response.status >= 300:
                yield await _refusal(response)
            elif call.stream:
                events = AnthropicStream(created, answers_by_tool=by_tool)
                stream = chunks(response, events)
                yield Reply(200, "text/event-stream", stream, passed_back(response))
            else:
                answer = await whole(response)
                try:
                    written = completion_from(answer, created, answers_by_tool=by_tool)
                except BadAnswer as bad:
                    raise Fault(bad.kind, bad.detail) from None
                yield Reply(200, _JSON, in_one_piece(written), passed_back(response))

    async def close(self) -> None:
        self._endpoints.close()

    def _body(self, call: Call) -> tuple[bytes, bool]:
        fields = fields_in(call)
        try:
            request = request_of({**fields, "stream": call.stream}, self._settings.options)
        except Untranslatable as reason:
            raise Fault("bad_request", f"Anthropic's API cannot express this: {reason}") from None
        return orjson.dumps(request.body), request.answers_by_tool


async def _refusal(response: Response) -> Reply:
    body = await response.error()
    message, code = error_of(json_or_none(body))
    if any(words in message for words in _TOO_LONG):
        code = "context_length_exceeded"
    written = error_of_openai(response.status, body, message, code)
    return Reply(response.status, _JSON, in_one_piece(written), passed_back(response))
