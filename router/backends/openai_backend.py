"""Calls any server that speaks OpenAI's protocol: vLLM, Ollama, llama.cpp, a cloud.

The request's bytes pass through unchanged, except the model's name and, in a stream, an option that
asks for the usage.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from router.backends.endpoints import Endpoints
from router.backends.request_fields import with_model
from router.config.backends import OpenAISettings
from router.domain import CHAT, COMPLETIONS, Call, Reply
from router.wire.beside import beside
from router.wire.multipart import FORM, boundary_of, with_field
from router.wire.splice import replaced, spans

_PASSED_BACK = (b"retry-after", b"x-request-id", b"openai-processing-ms")
_USAGE_WANTED = re.compile(rb'"include_usage"\s*:\s*true')


class OpenAIBackend:
    def __init__(self, settings: OpenAISettings, endpoints: Endpoints) -> None:
        self._model = settings.model
        self._endpoints = endpoints

    @asynccontextmanager
    async def send(self, call: Call) -> AsyncIterator[Reply]:
        body = await beside(len(call.body), partial(self._body, call))
        async with self._endpoints.post(call.path, body, headers=call.headers) as response:
            headers = response.headers
            yield Reply(
                status=response.status,
                content_type=headers.get(b"content-type", b"application/json").decode("latin-1"),
                body=response.pieces(),
                headers={
                    name.decode(): headers[name].decode("latin-1")
                    for name in _PASSED_BACK
                    if name in headers
                },
            )

    async def close(self) -> None:
        self._endpoints.close()

    def _body(self, call: Call) -> bytes:
        body, media = call.body, call.headers.get("content-type", "")
        if media.startswith(FORM):
            if self._model:
                body = with_field(body, boundary_of(media), "model", self._model.encode())
            return body
        if self._model:
            body = with_model(body, self._model)
        if call.stream and call.path in (CHAT, COMPLETIONS):
            options = self._stream_options(body)
            if options:
                body = replaced(body, {b'"stream_options"': options})
        return body

    @staticmethod
    def _stream_options(body: bytes) -> bytes:
        """The stream options with `include_usage` added; empty if the caller asks for the usage."""
        start, end = spans(body, (b'"stream_options"',)).get(b'"stream_options"', (0, 0))
        given = body[start:end]
        if _USAGE_WANTED.search(given):
            return b""
        wanted = {b'"include_usage"': b"true"}
        return replaced(given if given.startswith(b"{") else b"{}", wanted)
