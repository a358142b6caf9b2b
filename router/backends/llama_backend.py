"""Answers with a GGUF model that llama.cpp's server runs in this process.

The model loads at the first call. A call passes to the server as it came, less what llama.cpp would
do on a caller's command and OpenAI's protocol does not have. Generation ends within a second after
its caller left. The same fields with a seed, or without a temperature, give the same answer where
one answer is written at a time.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import orjson

from router.backends.llama_request import IDLE, body_for, is_idle
from router.backends.llama_server import LlamaServer
from router.backends.request_fields import fields_of_call
from router.config.llama import LlamaSettings
from router.domain import CHAT, Call, Fault, Reply
from router.wire.http_client import Connection
from router.wire.replica_headers import SWAP

_PARSER = "Unable to generate parser for this template. Automatic parser generation failed: "


class LlamaBackend:
    def __init__(self, settings: LlamaSettings) -> None:
        self.settings = settings
        self.server: LlamaServer | None = None
        self._loading = asyncio.Lock()
        self._idle: tuple[int, ...] = ()  # the model's tokens that say nothing in JSON
        self._connections: set[Connection] = set()
        self._left = asyncio.Event()  # set when a call has ended
        self._closed = False

    async def warm(self) -> None:
        """Load the model now."""
        await self._loaded()

    @asynccontextmanager
    async def send(self, call: Call) -> AsyncIterator[Reply]:
        if call.path != CHAT:
            raise Fault("bad_request", f"a llama backend answers {CHAT}, not {call.path}")
        fields = await fields_of_call(call)
        begun = time.monotonic()
        server = await self._loaded()
        swap = {SWAP: f"{time.monotonic() - begun:.6f}"}
        body = body_for(self.settings, fields, stream=call.stream, idle=self._idle)
        async with self._answer(server, "/v1" + CHAT, body) as connection:
            if connection.status != 200:
                raise _fault(connection.status, await connection.whole())
            kind = connection.headers.get(b"content-type", b"application/json").decode()
            yield Reply(200, kind.partition(";")[0], connection.pieces(), swap)

    async def close(self) -> None:
        self._closed = True
        for connection in self._connections:
            connection.abort()
        while self._connections:  # the server's end waits for theirs, and stops Python meanwhile
            self._left.clear()
            await self._left.wait()
        async with self._loading:
            server, self.server = self.server, None
        if server is not None:
            await asyncio.to_thread(server.close)

    async def _loaded(self) -> LlamaServer:
        async with self._loading:
            if self._closed:
                raise Fault("unavailable", f"{self.settings.name} was closed")
            if self.server is None:
                server = await asyncio.to_thread(partial(LlamaServer.start, self.settings))
                self._idle = await self._idle_in(server)
                self.server = server
            return self.server

    @asynccontextmanager
    async def _answer(
        self, server: LlamaServer, path: str, body: bytes
    ) -> AsyncIterator[Connection]:
        """The head of an answer. Leaving closes the connection, and llama.cpp ends its work."""
        loop = asyncio.get_running_loop()
        try:
            _, connection = await loop.create_unix_connection(
                lambda: Connection([]), str(server.socket)
            )
        except OSError as error:
            raise Fault("unavailable", f"the model's own server is gone: {error}") from None
        head = (
            b"POST %b HTTP/1.1\r\nhost: llama\r\ncontent-type: application/json\r\n"
            b"content-length: %d\r\n\r\n" % (path.encode(), len(body))
        )
        self._connections.add(connection)
        try:
            connection.start(head, body)
            await connection.head()
            yield connection
        finally:
            connection.abort()
            self._connections.discard(connection)
            self._left.set()

    async def _idle_in(self, server: LlamaServer) -> tuple[int, ...]:
        body = orjson.dumps({"content": IDLE, "add_special": False, "with_pieces": True})
        async with self._answer(server, "/tokenize", body) as connection:
            tokens = orjson.loads(await connection.whole()).get("tokens", [])
        return tuple(dict.fromkeys(token["id"] for token in tokens if is_idle(token["piece"])))


def _fault(status: int, body: bytes) -> Fault:
    try:
        error = orjson.loads(body)["error"]
        message = str(error["message"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return Fault("unavailable", f"llama.cpp answered {status}: {body[:200]!r}")
    if error.get("type") == "exceed_context_size_error":
        prompt, most = error.get("n_prompt_tokens"), error.get("n_ctx")
        message = f"the prompt has {prompt} tokens, and the context window holds {most}"
    message = message.removeprefix(_PARSER)
    return Fault("bad_request" if 400 <= status < 500 else "unavailable", message)
