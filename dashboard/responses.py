"""Defines the site's responses as values, and sends the site's own requests to Dash."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import orjson

from router.wire.asgi import Message, Receive, Scope, Send

App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = tuple[tuple[bytes, bytes], ...]

JSON = (b"content-type", b"application/json")
HTML = (b"content-type", b"text/html; charset=utf-8")


@dataclass(frozen=True, slots=True)
class SiteResponse:
    status: int
    body: bytes = b""
    headers: Headers = ()


def refusal(status: int, words: str) -> SiteResponse:
    return SiteResponse(status, orjson.dumps({"error": words}), (JSON,))


def redirect(location: bytes, *headers: tuple[bytes, bytes]) -> SiteResponse:
    return SiteResponse(303, headers=((b"location", location), *headers))


def received(body: bytes) -> Receive:
    """A request's body as an app receives it, from a client that never disconnects."""
    requests: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        if not requests:
            await asyncio.Event().wait()  # wait forever
        return requests.pop()

    return receive


async def fetch(app: App, path: str) -> SiteResponse:
    """Send a plain GET request to the app, and return the app's response."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        **{"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http"},
        **{"method": "GET", "path": path, "raw_path": path.encode(), "root_path": ""},
        **{"query_string": b"", "headers": [], "client": None, "server": ("127.0.0.1", 80)},
    }
    await app(scope, received(b""), send)
    body = b"".join(message.get("body", b"") for message in sent)
    return SiteResponse(sent[0]["status"], body, tuple(sent[0]["headers"]))
