"""OpenAI's Responses at the door: each request by itself, without what was said before.

A request goes to a backend that speaks the dialect as it came, and to every other one in the chat
form. Reasoning that Waggle packed for the caller is taken out of what goes to OpenAI's servers,
because only Waggle can read it.
"""

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from router.api.dialects.dialect import OpenAIErrors
from router.api.parse import chat_request, parse_body
from router.dialects.fields import Untranslatable
from router.dialects.responses_events import ResponseEvents
from router.dialects.responses_input import joined
from router.dialects.responses_items import identity_of
from router.dialects.responses_reply import response_from
from router.dialects.responses_request import ResponsesRequest, request_of
from router.dialects.responses_thoughts import is_ours
from router.domain import RESPONSES, Native, Request
from router.request.json_body import json_of
from router.wire.errors import BadRequest
from router.wire.sse import Cutter, data_of

_NAMES_OF_EARLIER = ("previous_response_id", "conversation")
_PING = b": the answer is being made\n\n"


@dataclass(frozen=True, slots=True)
class ResponsesDialect(OpenAIErrors):
    now: Callable[[], float] = time.time
    name: str = "responses"

    def parse(
        self, body: bytes, headers: Mapping[bytes, bytes], *, request_id: str, key_id: str
    ) -> Request:
        return self.read(parse_body(body), body, headers, request_id=request_id, key_id=key_id)

    def read(
        self,
        given: Mapping[str, Any],
        body: bytes,
        headers: Mapping[bytes, bytes],
        *,
        request_id: str,
        key_id: str,
        earlier: Sequence[Any] | None = None,
    ) -> Request:
        """The request with these fields; `body` is how they are written, and `earlier` are the
        items of its conversation before its input, if they were kept."""
        try:
            read = request_of(given, earlier)
        except Untranslatable as error:
            raise BadRequest(f"{error}.", error.field) from None
        # These are for Waggle: OpenAI's chat takes metadata only with `store`, others never.
        for_waggle = {"metadata": given.get("metadata"), "conversation": _conversation(given)}
        fields = {**read.chat, **{name: value for name, value in for_waggle.items() if value}}
        request = chat_request(
            fields,
            orjson.dumps(read.chat),
            headers,
            request_id=request_id,
            key_id=key_id,
            native=Native(
                self.name,
                RESPONSES,
                _as_openai_reads_it(given, body, earlier),
                needs=tuple(f"`{name}` ({rule})" for name, rule in read.native.items()),
                read=read,
            ),
            left_out=read.left_out,
        )
        return replace(request, no_store=True) if given.get("store") is False else request

    def whole(self, request: Request, completion: bytes) -> bytes:
        answer = json_of(completion)
        identity = identity_of(request.id)
        return orjson.dumps(response_from(_read(request), answer, identity, now=self.now()))

    async def events(self, request: Request, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        events, cutter = ResponseEvents(_read(request), identity_of(request.id), self.now), Cutter()
        async for piece in chunks:
            written = b"".join(_taken(events, event) for event in cutter.cut(piece))
            yield written or _PING
        last = _taken(events, cutter.rest) + events.end()
        if last:
            yield last

    def broken(self, body: bytes) -> bytes:
        return ResponseEvents.error_event(orjson.loads(body)["error"], 0)


def _conversation(given: Mapping[str, Any]) -> Any:
    """What the caller calls this conversation; Codex names its sessions in a place of its own."""
    of_codex = given.get("client_metadata")
    session = of_codex.get("session_id") if isinstance(of_codex, dict) else None
    return given.get("conversation") or session


def _taken(events: ResponseEvents, event: bytes) -> bytes:
    data = data_of(event)
    return events.take(orjson.loads(data)) if data.startswith(b"{") else b""


def _read(request: Request) -> ResponsesRequest:
    assert request.native is not None
    read = request.native.read
    assert isinstance(read, ResponsesRequest)
    return read


def _as_openai_reads_it(
    given: Mapping[str, Any], body: bytes, earlier: Sequence[Any] | None
) -> bytes:
    """The body with the whole conversation in its input, and without what only Waggle can read."""
    items = given.get("input") if earlier is None else joined(earlier, given.get("input") or [])
    ours = isinstance(items, list) and any(map(is_ours, items))
    if earlier is None and not ours:
        return body
    kept = {n: v for n, v in given.items() if earlier is None or n not in _NAMES_OF_EARLIER}
    return orjson.dumps({**kept, "input": [item for item in items or () if not is_ours(item)]})
