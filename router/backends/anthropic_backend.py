"""Calls Anthropic's Messages API for callers who speak OpenAI's dialect, or Anthropic's own.

A request in Anthropic's dialect passes through with every byte as it came, except the model's name,
and so does its answer.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import orjson

from router.backends.endpoints import Endpoints, Response
from router.backends.foreign import (
    JSON,
    Exchange,
    ForeignBackend,
    error_of_openai,
    json_or_none,
    passed_back,
)
from router.backends.request_fields import fields_in, with_model
from router.config.network import AnthropicSettings
from router.dialects.anthropic_reply import AnthropicStream, completion_from, error_of
from router.dialects.anthropic_request import request_of
from router.domain import COUNT_TOKENS, MESSAGES, Call, Reply
from router.wire.beside import beside
from router.wire.chat_replies import in_one_piece

_TOO_LONG = ("prompt is too long", "exceed context limit", "maximum context length")


class AnthropicBackend(ForeignBackend):
    api = "Anthropic's API"

    def __init__(self, settings: AnthropicSettings, endpoints: Endpoints) -> None:
        super().__init__(endpoints)
        self._options = settings.options

    @asynccontextmanager
    async def send(self, call: Call) -> AsyncIterator[Reply]:
        if call.path not in (MESSAGES, COUNT_TOKENS):
            async with super().send(call) as reply:
                yield reply
            return
        body = await beside(len(call.body), partial(with_model, call.body, self._options.model))
        async with self._endpoints.post(call.path, body, headers=call.headers) as response:
            kind = response.headers.get(b"content-type", b"application/json").decode("latin-1")
            yield Reply(response.status, kind, response.pieces(), passed_back(response))

    def exchange(self, call: Call, created: int) -> Exchange:
        request = request_of({**fields_in(call), "stream": call.stream}, self._options)
        by_tool = request.answers_by_tool
        return Exchange(
            MESSAGES,
            orjson.dumps(request.body),
            AnthropicStream(created, answers_by_tool=by_tool),
            partial(completion_from, created=created, answers_by_tool=by_tool),
        )

    def refusal(self, response: Response, body: bytes) -> Reply:
        message, code = error_of(json_or_none(body))
        if any(words in message for words in _TOO_LONG):
            code = "context_length_exceeded"
        written = error_of_openai(response.status, body, message, code)
        return Reply(response.status, JSON, in_one_piece(written), passed_back(response))
