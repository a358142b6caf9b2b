"""`/v1/knowledge/NAME/grants` and `/v1/knowledge/NAME/asks`: who may read a store, and who asks to.

Owners see and change grants, and answer asks; everybody may ask, and sees its own asks. A store
that is not the caller's looks like one that does not exist, except that anybody may ask for it.
"""

import asyncio
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar, cast

from pydantic import ValidationError

from router.api.auditing import record_act
from router.api.incoming import Admission, Incoming
from router.api.parse import parse_body
from router.audit_log import AuditLog
from router.config.knowledge_access import May, StandingGrant, seconds_of
from router.config.values import NAME_PATTERN, NAME_RULE
from router.engine.engine import Engine
from router.keys import Key
from router.knowledge.rights.advice import control, question, weighed, word_in
from router.knowledge.rights.asking import Asks, NoSuchAsk, TooManyAsks
from router.knowledge.rights.asks import MOST_OPEN, USUAL_SECONDS, AccessAsk, AccessWish
from router.knowledge.rights.declaring import changed_terms, terms_of
from router.knowledge.rights.grants import Allowed, Terms
from router.knowledge.rights.reader import Reader
from router.knowledge.rights.rights import NoSuchGrant, NotOwner, Rights
from router.wire.errors import BadRequest, NotFound, Refused

_Outcome = TypeVar("_Outcome")
_log = logging.getLogger("waggle")


@dataclass(frozen=True, slots=True)
class KnowledgeRightsEndpoint:
    engine: Engine
    admission: Admission
    audit: AuditLog | None = None
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    # -- grants ----------------------------------------------------------------------------------

    async def grants(self, incoming: Incoming) -> None:
        """The grants of a store, with who used it; with `?events=N`, its events after number N."""
        owner, _, name = await self._caller(incoming)
        after = incoming.query.get("events", "")
        if after and not after.isdigit():
            raise BadRequest("`events` is the number of an event: only later ones are listed.")

        def read() -> dict[str, Any]:
            rights, now = self._rights, self.engine.wall()
            ownership = rights.check_owner(rights.looking, owner, name)
            if after:
                return {"object": "list", "data": rights.events(name, after=int(after[:15]))}
            return {
                "object": "list",
                "store": name,
                "owner": ownership.owner,
                "visible": ownership.visible,
                "locale": ownership.locale,
                "data": [grant.shown(now) for grant in rights.grants(name)],
                "use": rights.uses(name),
            }

        await incoming.reply.json(200, await self._beside(name, read))

    async def grant(self, incoming: Incoming) -> None:
        owner, key, name = await self._caller(incoming)
        fields = parse_body(await self.admission.body(incoming))
        with_rule = _checked(lambda: StandingGrant.model_validate(fields))
        await self._own(owner, name)
        await self._record(key, "knowledge granted", name, fields)
        terms, by = terms_of(with_rule, self.engine.wall()), _by(key)
        made = await self._beside(
            name, lambda: self._rights.grant(owner, name, with_rule.who, terms, by=by)
        )
        await incoming.reply.json(200, made.shown(self.engine.wall()))

    async def change(self, incoming: Incoming) -> None:
        """Set the conditions that the body names; the others stay."""
        owner, key, name = await self._caller(incoming)
        number = _number(incoming)
        fields = parse_body(await self.admission.body(incoming))
        now = self.engine.wall()
        _checked(lambda: changed_terms(Terms(), fields, now))
        await self._beside(name, lambda: self._rights.grant_in(owner, name, number))
        await self._record(key, "knowledge grant changed", name, {"grant": number, **fields})
        changed = await self._beside(
            name,
            lambda: self._rights.change(
                owner, number, lambda before: changed_terms(before, fields, now), by=_by(key)
            ),
        )
        await incoming.reply.json(200, changed.shown(now))

    async def revoke(self, incoming: Incoming) -> None:
        owner, key, name = await self._caller(incoming)
        number = _number(incoming)
        await self._beside(name, lambda: self._rights.grant_in(owner, name, number))
        await self._record(key, "knowledge grant revoked", name, {"grant": number})
        ended = await self._beside(name, lambda: self._rights.revoke(owner, number, by=_by(key)))
        await incoming.reply.json(200, ended.shown(self.engine.wall()))

    # -- asks ------------------------------------------------------------------------------------

    async def ask(self, incoming: Incoming) -> None:
        asker, _, name = await self._caller(incoming)
        wish, reason = _wish_in(parse_body(await self.admission.body(incoming)))
        if not asker.key_id:
            message = "Without keys everybody may read every store, so nobody has to ask."
            raise BadRequest(message)
        if not re.fullmatch(NAME_PATTERN, name):
            raise BadRequest(f"`{name[:80]}`: {NAME_RULE}.", "name")
        asks, rights = self._asks, self._rights
        answer = await asyncio.to_thread(rights.may, asker, name, wish.may)
        if isinstance(answer, Allowed):
            raise BadRequest(f"This key may {wish.may} `{name}` already.")
        ask = await self._beside(
            name, lambda: _checked(lambda: asks.ask(asker, name, wish, reason))
        )
        self._have_advised(ask)
        await incoming.reply.json(200, ask.shown_to_asker())

    async def asks(self, incoming: Incoming) -> None:
        """To its owner, all asks for a store; to anybody else, the caller's own."""
        reader, _, name = await self._caller(incoming)

        def read() -> list[dict[str, Any]]:
            try:
                return [each.shown_to_owner() for each in self._asks.of_store(reader, name)]
            except NotOwner:
                own = self._asks.of_asker(reader)
                return [each.shown_to_asker() for each in own if each.store == name]

        asks = await self._beside(name, read)
        await incoming.reply.json(200, {"object": "list", "data": asks})

    async def decide(self, incoming: Incoming) -> None:
        """`{"answer": "yes" | "no", ...}`; with a yes, conditions other than those asked for."""
        owner, key, name = await self._caller(incoming)
        number, fields = _number(incoming), parse_body(await self.admission.body(incoming))
        answer = fields.pop("answer", None)
        if answer not in ("yes", "no"):
            raise BadRequest("`answer` is yes or no.", "answer")
        now = self.engine.wall()

        def waiting() -> AccessAsk:
            of_store = self._asks.of_store(owner, name)
            ask = next((each for each in of_store if each.number == number), None)
            if ask is None:
                raise NoSuchAsk(number)
            return ask

        ask = await self._beside(name, waiting)
        wished = Terms(ask.wish.may, until=now + ask.wish.seconds)
        terms = _checked(lambda: changed_terms(wished, fields, now))
        await self._record(key, "knowledge ask decided", name, {"ask": number, "answer": answer})
        decided = await self._beside(
            name,
            lambda: self._asks.decide(
                owner, number, cast(Literal["yes", "no"], answer), terms, _by(key)
            ),
        )
        await incoming.reply.json(200, decided.shown_to_owner())

    def _have_advised(self, ask: AccessAsk) -> None:
        """Ask the store's adviser beside the answer, if the ask waits for its owner."""
        access = self.engine.config.knowledge.get(ask.store)
        if access is not None and access.adviser and ask.state == "waiting":
            task = asyncio.ensure_future(self._advise(access.adviser, access.guidance, ask))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _advise(self, adviser: str, guidance: str, ask: AccessAsk) -> None:
        try:
            rules = await asyncio.to_thread(self._asks.rules, ask.store)
            prompt = question(guidance, rules, ask.wish, ask.reason)
            first = word_in(await self.engine.completion(adviser, prompt))
            under_control = first
            if first == "yes":
                checked = control(ask.wish, ask.reason)
                under_control = word_in(await self.engine.completion(adviser, checked))
            advice = weighed(first, under_control)
            await asyncio.to_thread(self._asks.advise, ask.number, advice)
        except Exception:  # an ask waits for its owner, with advice or without
            _log.exception("the adviser %s gave no advice on ask %d", adviser, ask.number)

    # -- what all of them do -----------------------------------------------------------------------

    @property
    def _rights(self) -> Rights:
        return self.engine.rights.rights

    @property
    def _asks(self) -> Asks:
        return Asks(self._rights)

    async def _caller(self, incoming: Incoming) -> tuple[Reader, Key, str]:
        """Who calls, by its key alone, and the name of the store in the path."""
        key = await self.admission.admit(incoming, "app")
        reader = await asyncio.to_thread(self.engine.rights.reader, key.id)
        return reader, key, incoming.params["name"]

    async def _own(self, owner: Reader, name: str) -> None:
        await self._beside(
            name, lambda: self._rights.check_owner(self._rights.looking, owner, name)
        )

    async def _beside(self, name: str, work: Callable[[], _Outcome]) -> _Outcome:
        """Some work on the file of rights in a thread; what fails in it is said to the caller."""
        try:
            return await asyncio.to_thread(work)
        except NotOwner:
            message = f"There is no store of knowledge `{name[:80]}` that you own."
            raise NotFound("store_not_found", message, "name") from None
        except NoSuchGrant as missing:
            message = f"There is no grant {missing} in a store `{name[:80]}` that you own."
            raise NotFound("grant_not_found", message, "number") from None
        except NoSuchAsk as missing:
            message = f"No ask {missing} waits for a store `{name[:80]}` that you own."
            raise NotFound("ask_not_found", message, "number") from None
        except TooManyAsks:
            message = f"{MOST_OPEN} asks of this key wait already: wait for their answers."
            raise Refused(429, "too_many_asks", message) from None

    async def _record(self, key: Key, what: str, subject: str, after: Mapping[str, Any]) -> None:
        """Write an owner's act to the audit log before it is carried out."""
        await record_act(self.audit, key, what, subject, wall=self.engine.wall(), after=after)


def _by(key: Key) -> str:
    return f"key {key.name}"


def _number(incoming: Incoming) -> int:
    number = incoming.params["number"]
    if not number.isdigit() or len(number) > 15:
        raise BadRequest(f"`{number[:40]}` is no number of a grant or an ask.", "number")
    return int(number)


def _checked(read: Callable[[], _Outcome]) -> _Outcome:
    try:
        return read()
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else None
        raise BadRequest(f"`{name}`: {first['msg']}.", name) from None
    except ValueError as error:
        raise BadRequest(f"{error}.") from None


def _wish_in(fields: Mapping[str, Any]) -> tuple[AccessWish, str]:
    """What is asked for, and why: `{"reason": ..., "may": "read", "for": "30d"}`."""
    unknown = sorted(set(fields) - {"reason", "may", "for"})
    if unknown:
        raise BadRequest(f"`{unknown[0][:40]}` is no part of an ask.", unknown[0][:40])
    reason, may, span = fields.get("reason"), fields.get("may", "read"), fields.get("for")
    if not isinstance(reason, str):
        raise BadRequest("`reason` must be a text: why access is needed.", "reason")
    if may not in ("read", "write"):
        raise BadRequest("`may` is read or write.", "may")
    seconds = USUAL_SECONDS if span is None else _checked(lambda: seconds_of(str(span)))
    return AccessWish(cast(May, may), seconds), reason
