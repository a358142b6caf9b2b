"""Calls Gemini's `generateContent` for callers who speak OpenAI's dialect.

A request that the API cannot express is refused with the field's name. A stream that ends before
its finish reason is a failure, never a short answer.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from urllib.parse import quote

import orjson

from router.backends.endpoints import Endpoints, Response
from router.backends.foreign import chunks, error_of_openai, json_or_none, passed_back, whole
from router.backends.request_fields import fields_in
from router.config.network import GeminiSettings
from router.dialects.completions import BadAnswer
from router.dialects.fields import Untranslatable
from router.dialects.gemini_reply import (
    GeminiStream,
    completion_from,
    error_of,
    retry_seconds,
)
from router.dialects.gemini_request import gemini_request
from router.domain import CHAT, Call, Fault, Reply
from router.wire.beside import beside
from router.wire.chat_replies import in_one_piece

_JSON = "application/json"


class GeminiBackend:
    def __init__(self, settings: GeminiSettings, endpoints: Endpoints) -> None:
        self._settings = settings
        self._endpoints = endpoints
        self._path = f"/models/{quote(settings.model.removeprefix('models/'), safe='')}"

    @asynccontextmanager
    async def send(self, call: Call) -> AsyncIterator[Reply]:
        if call.path != CHAT:
            raise Fault("bad_request", f"Gemini's API answers {CHAT}, not {call.path}")
        body = await beside(len(call.body), partial(self._body, call))
        created = int(time.time())
        method = ":streamGenerateContent" if call.stream else ":generateContent"
        query = "alt=sse" if call.stream else ""
        async with self._endpoints.post(self._path + method, body, query) as response:
            if response.status >= 300:
                yield await _refusal(response)
            elif call.stream:
                stream = chunks(response, GeminiStream(call.request_id, created))
                yield Reply(200, "text/event-stream", stream, passed_back(response))
            else:
                answer = await whole(response)
                try:
                    written = completion_from(answer, call.request_id, created)
                except BadAnswer as bad:
                    raise Fault(bad.kind, bad.detail) from None
                yield Reply(200, _JSON, in_one_piece(written), passed_back(response))

    async def close(self) -> None:
        self._endpoints.close()

    def _body(self, call: Call) -> bytes:
        try:
            return orjson.dumps(gemini_request(fields_in(call), self._settings.options))
        except Untranslatable as reason:
            raise Fault("bad_request", f"Gemini's API cannot express this: {reason}") from None


async def _refusal(response: Response) -> Reply:
    body = await response.error()
    answer = json_or_none(body)
    message, code = error_of(answer)
    headers = dict(passed_back(response))
    wait = retry_seconds(answer)
    if wait:
        headers.setdefault("retry-after", wait)
    written = error_of_openai(response.status, body, message, code)
    return Reply(response.status, _JSON, in_one_piece(written), headers)
