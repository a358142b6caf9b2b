"""Any server that speaks OpenAI's protocol: vLLM, Ollama, llama.cpp, a cloud.

The body goes out as it came in, but for the model's name and, in streams, the request for usage.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Literal

import aiohttp
from pydantic import Field

from router.api.splice import replaced, spans
from router.backends.base import (
    Backend,
    BackendSettings,
    Call,
    Capability,
    Fault,
    Reply,
    SecretReader,
)

Secret = Annotated[
    str,
    Field(
        pattern=r"^\$\{[A-Za-z_][A-Za-z0-9_]*\}$",
        description="a reference to the environment, ${NAME}; never the secret itself",
    ),
]
_PASSED_BACK = ("retry-after", "x-request-id", "openai-processing-ms")
_USAGE_WANTED = re.compile(rb'"include_usage"\s*:\s*true')


class OpenAISettings(BackendSettings):
    kind: Literal["openai"]
    base_url: str = Field(pattern=r"^https?://[^\s]+$", description="up to and with /v1")
    model: str | None = Field(None, min_length=1, description="default: what the caller named")
    api_key: Secret | None = None
    capabilities: tuple[Capability, ...] = ("chat", "tools", "images", "json")

    def build(self, read_secret: SecretReader) -> Backend:
        return OpenAIBackend(self, read_secret(self.api_key) if self.api_key else "")

    @property
    def aliases(self) -> tuple[str, ...]:
        return (self.model,) if self.model else ()


class OpenAIBackend:
    def __init__(self, settings: OpenAISettings, api_key: str) -> None:
        self._settings = settings
        self._base = settings.base_url.rstrip("/")
        self._headers = {"content-type": "application/json"}
        if api_key:
            self._headers["authorization"] = f"Bearer {api_key}"
        self._session: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def send(self, call: Call) -> AsyncIterator[Reply]:
        times = self._settings.timeouts
        try:
            async with self._client().post(
                self._base + call.path,
                data=self._body(call),
                headers=self._headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(
                    total=times.total,
                    connect=times.connect,
                    sock_connect=times.connect,
                    sock_read=max(times.first, times.between) + 1,  # the host is stricter
                ),
            ) as answer:
                yield Reply(
                    status=answer.status,
                    content_type=answer.headers.get("content-type", "application/json"),
                    body=_pieces(answer),
                    headers={k: answer.headers[k] for k in _PASSED_BACK if k in answer.headers},
                )
        except aiohttp.ConnectionTimeoutError as error:
            detail = f"no connection to {self._base} within {times.connect} s"
            raise Fault("timeout", detail) from error
        except aiohttp.ClientConnectorError as error:
            detail = f"no connection to {self._base}: {error.os_error.strerror or error.os_error}"
            raise Fault("connect", detail) from error
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
            raise Fault("connect", f"{self._base} closed the connection: {error}") from error
        except aiohttp.ClientError as error:
            raise Fault("protocol", f"{self._base} broke the protocol: {error}") from error

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:  # aiohttp wants a running loop
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=30),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
            )
        return self._session

    def _body(self, call: Call) -> bytes:
        changes = {}
        if self._settings.model:
            changes[b'"model"'] = _quoted(self._settings.model)
        if call.stream:
            options = self._stream_options(call.body)
            if options:
                changes[b'"stream_options"'] = options
        return replaced(call.body, changes) if changes else call.body

    @staticmethod
    def _stream_options(body: bytes) -> bytes:
        """The stream options that also ask for usage; empty where the caller's already do."""
        start, end = spans(body).get(b'"stream_options"', (0, 0))
        given = body[start:end]
        if _USAGE_WANTED.search(given):
            return b""
        wanted = {b'"include_usage"': b"true"}
        return replaced(given if given.startswith(b"{") else b"{}", wanted)


def _quoted(text: str) -> bytes:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'.encode()


async def _pieces(answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    try:
        async for piece in answer.content.iter_any():
            yield piece
    except (aiohttp.ClientPayloadError, aiohttp.ClientConnectionError) as error:
        raise Fault("protocol", f"the answer ended early: {error}") from error
    except TimeoutError as error:
        raise Fault("timeout", "the answer stopped coming") from error
