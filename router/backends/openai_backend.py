"""Calls any server that speaks OpenAI's protocol: vLLM, Ollama, llama.cpp, a cloud.

The request's bytes pass through unchanged, except the model's name and, in a stream, an option that
asks for the usage.
"""

import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from urllib.parse import urlsplit

from router.config.backends import OpenAISettings
from router.domain import Call, Reply
from router.wire.beside import beside
from router.wire.http_client import ConnectionPool
from router.wire.splice import replaced, replaced_only, spans

_PASSED_BACK = (b"retry-after", b"x-request-id", b"openai-processing-ms")
_USAGE_WANTED = re.compile(rb'"include_usage"\s*:\s*true')


class OpenAIBackend:
    def __init__(self, settings: OpenAISettings, api_key: str) -> None:
        url = urlsplit(settings.base_url)
        self._model = settings.model
        self._base = url.path.rstrip("/")
        tls = url.scheme == "https"
        port = url.port or (443 if tls else 80)
        context = ssl.create_default_context() if tls else None
        seconds = settings.timeouts.connect
        self._pool = ConnectionPool(url.hostname or "", port, context=context, seconds=seconds)
        lines = [f"host: {url.netloc.rpartition('@')[2]}", "content-type: application/json"]
        lines += ["accept: application/json, text/event-stream", "user-agent: waggle"]
        if api_key:
            lines.append(f"authorization: Bearer {api_key}")
        self._headers = "\r\n".join(lines).encode("latin-1")

    @asynccontextmanager
    async def send(self, call: Call) -> AsyncIterator[Reply]:
        body = await beside(len(call.body), partial(self._body, call))
        head = b"POST %b%b HTTP/1.1\r\n%b\r\ncontent-length: %d\r\n\r\n" % (
            self._base.encode(), call.path.encode(), self._headers, len(body),
        )  # fmt: skip
        connection = await self._pool.send(head, body)
        try:
            headers = connection.headers
            yield Reply(
                status=connection.status,
                content_type=headers.get(b"content-type", b"application/json").decode("latin-1"),
                body=connection.pieces(),
                headers={
                    name.decode(): headers[name].decode("latin-1")
                    for name in _PASSED_BACK
                    if name in headers
                },
            )
        finally:
            connection.finish()

    async def close(self) -> None:
        self._pool.close()

    def _body(self, call: Call) -> bytes:
        body = call.body
        if self._model:
            body = replaced_only(body, b'"model"', _quoted(self._model))
        if call.stream:
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


def _quoted(text: str) -> bytes:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'.encode()
