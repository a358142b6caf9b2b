"""Calls Anthropic's Messages API for callers who speak OpenAI's dialect."""

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
from router.backends.request_fields import fields_in
from router.config.network import AnthropicSettings
from router.dialects.anthropic_reply import AnthropicStream, completion_from, error_of
from router.dialects.anthropic_request import request_of
from router.domain import Call, Reply
from router.wire.chat_replies import in_one_piece

_TOO_LONG = ("prompt is too long", "exceed context limit", "maximum context length")


class AnthropicBackend(ForeignBackend):
    api = "Anthropic's API"

    def __init__(self, settings: AnthropicSettings, endpoints: Endpoints) -> None:
        super().__init__(endpoints)
        self._options = settings.options

    def exchange(self, call: Call, created: int) -> Exchange:
        request = request_of({**fields_in(call), "stream": call.stream}, self._options)
        by_tool = request.answers_by_tool
        return Exchange(
            "/messages",
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
