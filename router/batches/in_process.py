"""Asks the router of this very process, without a network, in the name of a key.

The request takes the whole way of any other: limits, routing, rows. The mark in its scope names the
key; nobody outside this process can set a scope.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from router.batches.asking import NO_HEADERS, BatchReply
from router.batches.jobs import V1
from router.domain import Fault
from router.wire.asgi import Message, Receive, Scope, Send

ACTING_KEY = "waggle.acting_key"  # in a scope: the id of the key in whose name it is asked
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass
class InProcess:
    app: AsgiApp
    key_id: str

    async def send(
        self, path: str, body: bytes, headers: Mapping[str, str] = NO_HEADERS
    ) -> BatchReply:
        exchange = _Exchange(body)
        own = {"host": "localhost", "content-type": "application/json", **headers}
        own["content-length"] = str(len(body))
        scope: Scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "POST",
            "path": V1 + path,
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in own.items()],
            ACTING_KEY: self.key_id,
        }
        await self.app(scope, exchange.receive, exchange.send)
        return exchange.reply()


@dataclass
class _Exchange:
    """The two ends of one request that never leaves the process."""

    body: bytes
    status: int = 0
    headers: Mapping[bytes, bytes] = field(default_factory=dict)
    pieces: list[bytes] = field(default_factory=list)
    received: bool = False

    async def receive(self) -> Message:
        if self.received:
            await asyncio.Event().wait()  # this caller hangs up only by being cancelled
        self.received = True
        return {"type": "http.request", "body": self.body}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], dict(message["headers"])
        else:
            self.pieces.append(message.get("body", b""))

    def reply(self) -> BatchReply:
        if not self.status:
            raise Fault("protocol", "the router gave no answer")
        return BatchReply(self.status, self.headers, b"".join(self.pieces))
