"""The pages' way to the service: checks what a page sends, and passes it on.

The playground may ask which plans there are, what each would cost, and for one plan's answer, and
may say how good an answer was; the page about growth may approve, remove or forbid a made plan,
the page about trials a written function or node, and the page about knowledge what is proposed.
Nothing else reaches the service. `Site` lets only the dashboard's own pages send.
The dashboard has no key: the page sends along the key of whoever pays or of an admin, and nobody
keeps that key.
A request is sent once and never again, because it may cost money.

Not covered: what a plan may cost. The service bounds it, by what the viewer agreed to.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import orjson

from dashboard.responses import SiteResponse, refusal
from router.domain import Fault
from router.wire.asgi import Receive, Scope, Send, WhileConnected, read_body
from router.wire.http_client import Connection, ConnectionPool

PREFIX = "/service/"
LONGEST = 2**20  # bytes of a request of the page
_MOST_TOKENS = 100_000
_KEPT_HEADERS = (b"content-type", b"retry-after")


class BadMessage(ValueError):
    """The page sent something else than it should. The message says what."""


@dataclass(frozen=True, slots=True)
class ServiceRequest:
    """A request for the service: what one message of the page becomes."""

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def head(self, host: str, authorization: str, content: bytes) -> bytes:
        lines = [f"{self.method} {self.path} HTTP/1.1", f"host: {host}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        lines += [f"content-length: {len(content)}", "content-type: application/json"]
        if authorization:
            lines.append(f"authorization: {authorization}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


@dataclass(frozen=True, slots=True)
class Playground:
    """Passes messages of the page to the service at this address; there may be no service."""

    url: str = ""
    session: Callable[[], str] = lambda: secrets.token_hex(8)  # a name of its own for each answer

    async def respond(self, scope: Scope, receive: Receive, send: Send) -> SiteResponse | None:
        """The response, or None if it was sent already, piece by piece."""
        name, method = scope["path"].removeprefix(PREFIX), scope["method"]
        if name not in _MESSAGES:
            return refusal(
                404, f"The playground knows {', '.join(_MESSAGES)}, and not {name!r:.60}."
            )
        wanted, reader = _MESSAGES[name]
        if method != wanted:
            return refusal(405, f"/service/{name} takes {wanted}, not {method}.")
        if not self.url:
            return refusal(503, _NO_SERVICE)
        headers = dict(scope["headers"])
        content = b""
        if wanted == "POST":
            if headers.get(b"content-type", b"").partition(b";")[0] != b"application/json":
                return refusal(415, "`Content-Type` must be application/json.")
            content = await read_body(receive, most=LONGEST)
        try:
            request = reader(_fields(content), self.session())
        except BadMessage as bad:
            return refusal(400, str(bad))
        authorization = headers.get(b"authorization", b"").decode("latin-1")
        async with WhileConnected(receive):
            return await self._pass_on(request, authorization, send)
        return None

    async def _pass_on(
        self, request: ServiceRequest, authorization: str, send: Send
    ) -> SiteResponse | None:
        place = urlsplit(self.url)
        pool = ConnectionPool(place.hostname or "", place.port or 80)
        body = b"" if request.body is None else orjson.dumps(request.body)
        try:
            connection = await pool.send(request.head(place.netloc, authorization, body), body)
        except Fault as fault:
            return refusal(502, f"The service at {self.url} does not answer: {fault.detail}.")
        try:
            headers = _passed_back(connection)
            if b"text/event-stream" in connection.headers.get(b"content-type", b""):
                await _stream(connection, headers, send)
                return None
            return SiteResponse(connection.status, await connection.whole(), tuple(headers))
        except Fault as fault:
            return refusal(502, f"The service at {self.url} broke off: {fault.detail}.")
        finally:
            connection.abort()


async def _stream(connection: Connection, headers: list[tuple[bytes, bytes]], send: Send) -> None:
    status = connection.status
    await send({"type": "http.response.start", "status": status, "headers": headers})
    try:
        async for piece in connection.pieces():
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    except Fault as fault:
        error = {"error": {"message": f"The service broke off: {fault.detail}."}}
        await send(_last(b"\n\ndata: " + orjson.dumps(error) + b"\n\n"))
        return
    await send(_last(b""))


def _last(body: bytes) -> dict[str, Any]:
    return {"type": "http.response.body", "body": body}


def _passed_back(connection: Connection) -> list[tuple[bytes, bytes]]:
    return [
        (b"cache-control", b"no-store"),
        *(
            (name, value)
            for name, value in connection.headers.items()
            if name in _KEPT_HEADERS or name.startswith(b"x-waggle-")
        ),
    ]


def _fields(content: bytes) -> Mapping[str, Any]:
    if not content:
        return {}
    try:
        fields = orjson.loads(content)
    except orjson.JSONDecodeError:
        raise BadMessage("The body must be JSON: reload the page.") from None
    if not isinstance(fields, dict):
        raise BadMessage("The body must be a JSON object: reload the page.")
    return fields


def _text(fields: Mapping[str, Any], name: str, *, default: str | None = None) -> str:
    value = fields.get(name, default)
    if not isinstance(value, str) or (default is None and not value.strip()):
        raise BadMessage(f"`{name}` is empty: write something there.")
    return value


def _question(fields: Mapping[str, Any], model: str) -> dict[str, Any]:
    """The chat request of the viewer's prompt."""
    prompt, system = _text(fields, "prompt"), _text(fields, "system", default="")
    most = fields.get("max_tokens")
    if type(most) is not int or not 1 <= most <= _MOST_TOKENS:
        raise BadMessage(f"`max_tokens` must be a whole number from 1 to {_MOST_TOKENS}.")
    messages = [{"role": "system", "content": system}] if system.strip() else []
    messages.append({"role": "user", "content": prompt})
    return {"model": model, "messages": messages, "max_tokens": most}


def _models(fields: Mapping[str, Any], session: str) -> ServiceRequest:  # noqa: ARG001
    return ServiceRequest("GET", "/v1/models")


def _route(fields: Mapping[str, Any], session: str) -> ServiceRequest:  # noqa: ARG001
    return ServiceRequest("POST", "/v1/route", _question(fields, "auto"))


def _answer(fields: Mapping[str, Any], session: str) -> ServiceRequest:
    """A plan's answer. Each answer has a session of its own, so that a question to several plans
    does not count as a question that a caller repeats."""
    body = _question(fields, _text(fields, "plan"))
    body |= {"stream": True, "stream_options": {"include_usage": True}}
    headers = {"x-waggle-compare": "true", "x-waggle-reuse": "off", "x-session-id": session}
    most = fields.get("most_usd")
    if most is not None:
        if isinstance(most, bool) or not isinstance(most, int | float) or not 0 <= most < 1e6:
            raise BadMessage("`most_usd` must be the dollars that the viewer agreed to, or null.")
        headers["x-waggle-max-cost"] = f"{most:.12g}"
    return ServiceRequest("POST", "/v1/chat/completions", body, headers)


def _feedback(fields: Mapping[str, Any], session: str) -> ServiceRequest:  # noqa: ARG001
    thumbs = fields.get("thumbs")
    if thumbs not in ("up", "down"):
        raise BadMessage("`thumbs` must be up or down.")
    body = {"request_id": _text(fields, "request_id"), "thumbs": thumbs, "source": "playground"}
    return ServiceRequest("POST", "/v1/feedback", body)


_Reader = Callable[[Mapping[str, Any], str], ServiceRequest]


def _act(path: str, *does: str) -> _Reader:
    """What an operator does with a thing of some name. The service wants an admin's key for it."""

    def read(fields: Mapping[str, Any], session: str) -> ServiceRequest:  # noqa: ARG001
        do = fields.get("do")
        if do not in does:
            raise BadMessage(f"`do` must be one of {', '.join(does)}: reload the page.")
        return ServiceRequest("POST", path, {"do": do, "name": _text(fields, "plan")})

    return read


_MESSAGES: Mapping[str, tuple[str, _Reader]] = {
    "models": ("GET", _models),
    "route": ("POST", _route),
    "answer": ("POST", _answer),
    "feedback": ("POST", _feedback),
    "growth": ("POST", _act("/v1/growth", "approve", "remove", "forbid")),
    "routes": ("POST", _act("/v1/routes", "approve", "remove")),
    "learned": ("POST", _act("/v1/learned", "promote", "rollback")),
    "proposals": ("POST", _act("/v1/proposals", "accept", "refuse")),
}
_ACTS = ("growth", "routes", "learned", "proposals")


def is_act(path: str) -> bool:
    """Whether a message to this path changes what pages show."""
    return path.removeprefix(PREFIX) in _ACTS


_NO_SERVICE = (
    "This dashboard shows a folder of telemetry and belongs to no service: `waggle serve` starts a "
    "dashboard that can ask one."
)
