"""Anthropic's Messages at the door: `POST /v1/messages`.

A request becomes a chat request, whose fields say no less; a backend of Anthropic's dialect gets
the caller's own bytes. Every error of the path has Anthropic's form.
"""

from collections.abc import AsyncIterator, Mapping

import orjson

from router.api.parse import chat_request, parse_body
from router.dialects.fields import Untranslatable
from router.dialects.messages_events import MessageEvents, event
from router.dialects.messages_reply import Wanted, error_from, message_from
from router.dialects.messages_request import ChatForm, chat_of, without_unsigned_thoughts
from router.domain import MESSAGES, Native, Request
from router.wire.asgi import HeaderList
from router.wire.errors import BadRequest
from router.wire.sse import data_of

VERSIONS = ("2026-10-21", "2023-06-01")
_PASSED_ON = (b"anthropic-beta", b"anthropic-version")
_SESSION = b"x-claude-code-session-id"
_NO_THOUGHTS = ("disabled", None)


class MessagesDialect:
    name = "messages"

    def parse(
        self, body: bytes, headers: Mapping[bytes, bytes], *, request_id: str, key_id: str
    ) -> Request:
        check_version(headers)
        fields = parse_body(body)
        form = read_messages(fields)
        needs = tuple(form.only_native)
        return chat_request(
            dict(form.fields),
            orjson.dumps(form.fields),
            with_session(headers, fields),
            request_id=request_id,
            key_id=key_id,
            native=Native(
                self.name, MESSAGES, _native_body(fields, body), passed_on(headers), needs
            ),
            left_out=form.left_out,
        )

    def whole(self, request: Request, completion: bytes) -> bytes:
        return orjson.dumps(message_from(orjson.loads(completion), _wanted(request)))

    async def events(self, request: Request, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        events = MessageEvents(_wanted(request))
        async for piece in chunks:
            written = b"".join(
                part for chunk in piece.split(b"\n\n") if chunk for part in self._of(events, chunk)
            )
            if written:
                yield written

    def _of(self, events: MessageEvents, chunk: bytes) -> list[bytes]:
        data = data_of(chunk)
        if not data:
            return [events.waits(chunk)]
        if data == b"[DONE]":
            return list(events.end())
        content = orjson.loads(data)
        if content.get("error"):
            return [self.broken(data)]
        return list(events.take(content))

    def headers(self, request_id: str) -> HeaderList:
        return [(b"request-id", request_id.encode())]

    def error(self, status: int, body: bytes, request_id: str) -> bytes:
        return error_from(status, body, request_id)

    def broken(self, body: bytes) -> bytes:
        return event("error", error=orjson.loads(error_from(500, body))["error"])


def read_messages(fields: Mapping[str, object]) -> ChatForm:
    try:
        return chat_of(fields)
    except Untranslatable as reason:
        raise BadRequest(f"{reason}.", reason.field) from None


def check_version(headers: Mapping[bytes, bytes]) -> None:
    """Refuse versions of Anthropic's API that nobody here speaks."""
    version = headers.get(b"anthropic-version")
    if version is not None and version.decode("latin-1") not in VERSIONS:
        shown = version[:40].decode("latin-1")
        rule = f"must be {' or '.join(VERSIONS)}, not {shown!r}"
        raise BadRequest(f"`anthropic-version` {rule}.", "anthropic-version")


def passed_on(headers: Mapping[bytes, bytes]) -> dict[str, str]:
    """The headers that a backend of Anthropic's dialect gets as they came."""
    return {
        name.decode(): headers[name].decode("latin-1") for name in _PASSED_ON if name in headers
    }


def with_session(
    headers: Mapping[bytes, bytes], fields: Mapping[str, object]
) -> Mapping[bytes, bytes]:
    """The headers, with the session that Claude Code names in its own ways."""
    if b"x-session-id" in headers:
        return headers
    session = headers.get(_SESSION) or _session_in(fields.get("metadata"))
    return {**headers, b"x-session-id": session} if session else headers


def _session_in(metadata: object) -> bytes:
    """The session in the `user_id` of Claude Code: JSON with a `session_id`, or in older versions
    `user_…_session_…`."""
    user = metadata.get("user_id") if isinstance(metadata, Mapping) else None
    if not isinstance(user, str):
        return b""
    if user.startswith("{"):
        try:
            session = orjson.loads(user).get("session_id")
        except orjson.JSONDecodeError:
            return b""
        return session.encode("utf-8", "replace") if isinstance(session, str) else b""
    _, separator, session = user.rpartition("_session_")
    return session.encode("utf-8", "replace") if separator else b""


def _native_body(fields: Mapping[str, object], body: bytes) -> bytes:
    changed = without_unsigned_thoughts(fields)
    return body if changed is None else orjson.dumps(changed)


def _wanted(request: Request) -> Wanted:
    fields = request.fields
    thinking, stops = fields.get("thinking"), fields.get("stop")
    kind = thinking.get("type") if isinstance(thinking, dict) else None
    return Wanted(
        request.id,
        request.model,
        thinks=kind not in _NO_THOUGHTS,
        stops=tuple(stops) if isinstance(stops, list) else (),
        prompt_tokens=request.reading.tokens,
    )
