"""Calls Gemini's `generateContent` for callers who speak OpenAI's dialect."""

from functools import partial
from urllib.parse import quote

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
from router.config.network import GeminiSettings
from router.dialects.gemini_reply import (
    GeminiStream,
    completion_from,
    error_of,
    retry_seconds,
)
from router.dialects.gemini_request import gemini_request
from router.domain import Call, Reply
from router.wire.chat_replies import in_one_piece


class GeminiBackend(ForeignBackend):
    api = "Gemini's API"

    def __init__(self, settings: GeminiSettings, endpoints: Endpoints) -> None:
        super().__init__(endpoints)
        self._options = settings.options
        self._path = f"/models/{quote(settings.model.removeprefix('models/'), safe='')}"

    def exchange(self, call: Call, created: int) -> Exchange:
        return Exchange(
            self._path + (":streamGenerateContent" if call.stream else ":generateContent"),
            orjson.dumps(gemini_request(fields_in(call), self._options)),
            GeminiStream(call.request_id, created),
            partial(completion_from, request_id=call.request_id, created=created),
            query="alt=sse" if call.stream else "",
        )

    def refusal(self, response: Response, body: bytes) -> Reply:
        answer = json_or_none(body)
        message, code = error_of(answer)
        headers = dict(passed_back(response))
        wait = retry_seconds(answer)
        if wait:
            headers.setdefault("retry-after", wait)
        written = error_of_openai(response.status, body, message, code)
        return Reply(response.status, JSON, in_one_piece(written), headers)
