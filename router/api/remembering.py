"""`POST /v1/responses` with a memory: what was said before comes first, and the answer is kept.

A request that goes on with a response or a conversation is read with all earlier items before its
own, so whichever backend answers sees the same memory. The answer is kept before the caller gets
it, and before the last event of a stream. Where it cannot be kept, the response says so in `store`.
"""

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import orjson

from router.api.ask import AskEndpoint
from router.api.dialects.responses import ResponsesDialect
from router.api.fitting import Fitted, Fitting, Long
from router.api.incoming import Admission, Incoming, read_request
from router.api.parse import parse_body, session_id
from router.conversations.chains import ChainTooLong
from router.conversations.items import REFERENCE, as_input, items_in
from router.conversations.kept import BrokenChain, Earlier, Item, NewResponse, NotKept
from router.conversations.memory import ConversationMemory
from router.conversations.new_ids import with_id
from router.conversations.wanted import (
    Wanted,
    conversation_not_found,
    item_not_found,
    previous_deleted,
    previous_not_found,
    wanted_of,
)
from router.domain import Request
from router.engine.engine import Engine
from router.keys import Key
from router.request.json_body import json_of
from router.wire.beside import beside
from router.wire.errors import BadRequest, Refused
from router.wire.sse import Cutter, data_of

_FIRST = (b"event: response.created", b"event: response.in_progress", b"event: response.queued")
_LAST = (b"event: response.completed", b"event: response.incomplete")
_log = logging.getLogger("waggle")


@dataclass(frozen=True, slots=True)
class Turn:
    """A request that may be kept, and what it goes on with."""

    owner: str
    wanted: Wanted
    earlier: Earlier
    new: Sequence[Item]
    session: str = ""

    @property
    def is_kept(self) -> bool:
        return self.wanted.store or bool(self.wanted.conversation)


@dataclass(frozen=True, slots=True)
class RememberingEndpoint:
    engine: Engine
    admission: Admission
    dialect: ResponsesDialect
    memory: ConversationMemory

    async def post(self, incoming: Incoming) -> None:
        key = await self.admission.admit(incoming, "app")
        body = await self.admission.body(incoming)
        given = await beside(len(body), partial(parse_body, body))
        no_store = b"no-store" in incoming.headers.get(b"cache-control", b"").lower()
        wanted = wanted_of(given, no_store=no_store)
        if not self.memory.settings.enabled:
            wanted = _without_memory(wanted)
        earlier = await self._earlier(key.id, wanted)
        given = await self._resolved(key.id, given)
        turn = Turn(key.id, wanted, earlier, items_in(given.get("input")))
        fitted = await self._fitted(incoming, key, given, body, turn)
        request = await self.engine.guarding.before(self.engine.config, fitted.request)
        request = self._named(request, turn)
        turn = replace(turn, session=request.session)
        incoming.reply.also = [*incoming.reply.also, *fitted.headers]
        keeping = Keeping(self.memory, turn, self.engine)
        await AskEndpoint(self.engine, self.admission, self.dialect).answer(
            incoming, key, request, keeping
        )

    async def _fitted(
        self, incoming: Incoming, key: Key, given: Mapping[str, Any], body: bytes, turn: Turn
    ) -> Fitted:
        """The request with what was said before, as much of it as can be answered."""

        def read(items: Sequence[Item], own: Sequence[Item] | None) -> Request:
            whole, text = given, body
            if items or own or turn.wanted.goes_on:
                whole = _joined(given if own is None else {**given, "input": as_input(own)}, items)
                text = orjson.dumps(whole)
            parse = partial(self.dialect.read, whole)
            computes = self.engine.plans.compute
            request = read_request(parse, text, incoming, key.id, computes=computes)
            # The memory itself does what `truncation` says, whoever answers.
            left_out = tuple(name for name in request.left_out if name != "truncation")
            return replace(request, left_out=left_out, stores=turn.earlier.stores)

        size = len(body) + turn.earlier.size
        request = await beside(size, partial(read, turn.earlier.items, None))
        request = await self.admission.in_budgets(incoming, key, request)

        def read_again(items: Sequence[Item], own: Sequence[Item] | None) -> Request:
            return replace(read(items, own), tags=request.tags, team=request.team)

        long = Long(key.id, turn.earlier, turn.new, given, read_again)
        return await Fitting(self.engine, self.memory).fit(
            long,
            request,
            turn.wanted.truncation,
            backend=incoming.backend,
            allowed=key.plans,
        )

    def _named(self, request: Request, turn: Turn) -> Request:
        """The request, as part of the session of its thread, unless the caller names a session."""
        session = turn.earlier.session
        if turn.wanted.conversation:
            session = session_id(turn.owner, turn.wanted.conversation)
        if not session or request.session_given:
            return request
        return replace(request, session=session, session_given=True, continues=True)

    async def _earlier(self, owner: str, wanted: Wanted) -> Earlier:
        now, previous, conversation = self.engine.wall(), wanted.previous, wanted.conversation
        try:
            if previous:
                return await self.memory.look(lambda store: store.earlier(owner, previous, now))
            if conversation:
                return await self.memory.look(
                    lambda store: store.conversed(owner, conversation, now)
                )
        except NotKept:
            if previous:
                raise previous_not_found(previous) from None
            raise conversation_not_found(conversation) from None
        except BrokenChain as broken:
            raise previous_deleted(previous, broken.missing) from None
        except ChainTooLong as error:
            message = f"The conversation holds {error}, and cannot go on: begin a new one."
            raise BadRequest(
                message, "previous_response_id" if previous else "conversation"
            ) from None
        return Earlier()

    async def _resolved(self, owner: str, given: dict[str, Any]) -> dict[str, Any]:
        """The fields, with each item that is named by its id alone replaced by the kept item."""
        items, now = given.get("input"), self.engine.wall()
        ids = (
            [id_ for item in items if (id_ := _reference(item))] if isinstance(items, list) else []
        )
        if not ids or not isinstance(items, list):
            return given
        try:
            kept = await self.memory.look(
                lambda store: {id_: store.referenced(owner, id_, now) for id_ in ids}
            )
        except NotKept as error:
            missing = str(error)
            raise item_not_found(missing if missing in ids else ids[0]) from None
        return {**given, "input": [kept.get(_reference(item), item) for item in items]}


@dataclass(slots=True)
class Keeping:
    """Keeps the answer to a turn, and writes into it what the caller asked of the memory."""

    memory: ConversationMemory
    turn: Turn
    engine: Engine
    stores: Sequence[str] = ()

    def of_stores(self, stores: Sequence[str]) -> None:
        self.stores = stores

    @property
    def idle(self) -> bool:
        return not self.turn.is_kept and not self.turn.wanted.goes_on

    async def whole(self, body: bytes) -> bytes:
        """The body of an answer, which is kept if it is a response."""
        response = await beside(len(body), partial(json_of, body))
        if not isinstance(response, dict) or response.get("object") != "response":
            return body
        echoed = self._echoed(response, stored=await self._keep(response))
        return body if echoed == response else orjson.dumps(echoed)

    async def events(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The events of a stream; its response is kept before the last event goes out."""
        cutter = Cutter()
        try:
            async for piece in pieces:
                events = cutter.cut(piece)
                if events:
                    yield b"".join([await self._event(event) + b"\n\n" for event in events])
            if cutter.rest:
                yield cutter.rest
        finally:
            await pieces.aclose()  # type: ignore[attr-defined]  # every stream is a generator

    async def _event(self, event: bytes) -> bytes:
        if not event.startswith((*_FIRST, *_LAST)):
            return event
        data = orjson.loads(data_of(event))
        response = data.get("response")
        if not isinstance(response, dict):
            return event
        last = event.startswith(_LAST)
        stored = await self._keep(response) if last else self.turn.wanted.store
        echoed = self._echoed(response, stored=stored)
        if echoed == response:
            return event
        data["response"] = echoed
        name, _, _ = event.partition(b"\n")
        return name + b"\ndata: " + orjson.dumps(data)

    def _echoed(self, response: dict[str, Any], *, stored: bool) -> dict[str, Any]:
        wanted = self.turn.wanted
        echo: dict[str, Any] = {"store": stored, "previous_response_id": wanted.previous or None}
        if wanted.conversation:
            echo["conversation"] = {"id": wanted.conversation}
        return {**response, **echo}

    async def _keep(self, response: Mapping[str, Any]) -> bool:
        """Whether the response is now kept. A store that fails costs nobody an answer."""
        turn, wanted = self.turn, self.turn.wanted
        if not turn.is_kept or response.get("status") not in ("completed", "incomplete"):
            return False
        new = NewResponse(
            id=str(response["id"]),
            response=self._echoed(dict(response), stored=True) if wanted.store else {},
            input=turn.new,
            output=[with_id(item) for item in response.get("output") or ()],
            previous=wanted.previous,
            conversation=wanted.conversation,
            session=turn.session,
            stores=self.stores,
        )
        thread, now = wanted.conversation or turn.earlier.thread, self.engine.wall()
        try:
            await self.memory.keep(lambda store: store.add_response(turn.owner, new, thread, now))
        except (Refused, NotKept) as error:
            _log.warning("response %s was not kept: %s", new.id, error)
            self.engine.metrics.count("waggle_responses_not_kept_total")
            return False
        return wanted.store


def _without_memory(wanted: Wanted) -> Wanted:
    """What a service without memory can do of what is wanted; refuse the rest by name."""
    if not wanted.goes_on:
        return replace(wanted, store=False)
    name = "previous_response_id" if wanted.previous else "conversation"
    message = (
        f"`{name}` needs the memory of conversations, which is off here (`conversations.enabled`): "
        "send the earlier items as `input`."
    )
    raise BadRequest(message, name)


def _joined(given: Mapping[str, Any], earlier: Sequence[Item]) -> dict[str, Any]:
    """The request's fields with the earlier items before its own."""
    own = given.get("input")
    new = [{"role": "user", "content": own}] if isinstance(own, str) else own
    left = {n: v for n, v in given.items() if n not in ("previous_response_id", "conversation")}
    if not isinstance(new, list):
        return left
    return {**left, "input": [*as_input(earlier), *new]}


def _reference(item: Any) -> str:
    """The id in a reference to an item; empty for any other item."""
    if not isinstance(item, dict) or not isinstance(item.get("id"), str):
        return ""
    kind = item.get("type")
    return item["id"] if kind == REFERENCE or (kind is None and set(item) <= {"id", "type"}) else ""
