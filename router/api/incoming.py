"""An incoming HTTP request, and the checks that an endpoint makes before it acts.

`Admission` refuses a caller who lacks the key or the scope, or who sends too much.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol
from urllib.parse import parse_qs

from router.api.held_bodies import HeldBodies
from router.api.replies import ReplyWriter
from router.api.tags import tags_in_header, tags_of
from router.batches.in_process import ACTING_KEY
from router.domain import Request
from router.engine.bindings import Binding, bindings, count_apart, of_tags
from router.engine.engine import Engine
from router.keys import Denied, Key, Keyring, KeyScope
from router.request.statistical import read_beside
from router.wire.asgi import BodyTooLarge, BodyTooSlow, Patience, Receive, Scope, read_body
from router.wire.beside import beside
from router.wire.errors import BadRequest, TooSlow
from router.wire.web_pages import LocalNames

# The caller of a service without keys, who may do everything.
_ANYONE = Key(id="", name="anyone", salt="00", digest="", scopes=("app", "analyst", "admin"))


@dataclass(slots=True)
class Incoming:
    """One HTTP request, with the writer of its reply."""

    scope: Scope
    headers: Mapping[bytes, bytes]
    receive: Receive
    reply: ReplyWriter
    id: str
    key_id: str = ""
    params: Mapping[str, str] = field(default_factory=dict)  # in its path
    held_bytes: int = 0  # its body's share of the bytes that the router may hold
    method: str = field(init=False)
    path: str = field(init=False)

    def __post_init__(self) -> None:
        self.method = self.scope["method"]
        self.path = self.scope["path"].rstrip("/") or "/"

    @property
    def declared_size(self) -> int | None:
        """The size of the body by its header; None if the body comes in chunks."""
        length = self.headers.get(b"content-length", b"")
        if length.isdigit():
            return int(length[:15])
        return None if b"transfer-encoding" in self.headers else 0

    @property
    def backend(self) -> str:
        """The backend that the caller names in a header or in the query; usually empty."""
        header = self.headers.get(b"x-llm-backend")
        if header:
            return header.decode("latin-1")
        return self.query.get("backend", "")

    @property
    def query(self) -> Mapping[str, str]:
        """The parameters of the query, each with its first value."""
        if not self.scope.get("query_string"):
            return {}
        values = parse_qs(self.scope["query_string"].decode("latin-1"))
        return {name: first for name, (first, *_) in values.items()}

    @property
    def wants_explanation(self) -> bool:
        return self.headers.get(b"x-waggle-explain", b"").lower() == b"true"


class Parse(Protocol):
    def __call__(
        self, body: bytes, headers: Mapping[bytes, bytes], *, request_id: str, key_id: str
    ) -> Request: ...


class Admission:
    """Checks keys and their scopes, limits, and the size of a body."""

    def __init__(self, engine: Engine, keys: Iterable[Key]) -> None:
        self._engine = engine
        self.patience = Patience()  # with slow senders
        self._bodies = HeldBodies(engine.config.server.max_held_bytes)
        self.replace_keys(keys)

    def replace_keys(self, keys: Iterable[Key]) -> None:
        """Take new keys, and the names of the present configuration."""
        self.keys = tuple(keys)
        self._keyring = Keyring(self.keys)
        settings = self._engine.config.keys
        # What binds each key alone, or its teams: nothing, for most.
        self._bound = {
            key.id: bool(key.team or key.limits.any or settings.limits.any)
            for key in (*self.keys, _ANYONE)
        }
        self._names = LocalNames(self._engine.config.server.hosts)
        self._bodies.most = self._engine.config.server.max_held_bytes

    def refuse_foreign_pages(self, incoming: Incoming) -> None:
        """Without keys, refuse what comes by a foreign name or from a foreign web page."""
        if not self._keyring.required:
            self._names.check(incoming.headers, http_version=incoming.scope["http_version"])

    def authorize(self, incoming: Incoming, scope: KeyScope) -> Key:
        if not self._keyring.required:
            return _ANYONE
        acting = incoming.scope.get(ACTING_KEY)  # work of this process in the name of a key
        if acting is None:
            key = self._keyring.identify(credentials_in(incoming.headers))
        else:
            key = self._keyring.by_id(acting)
        incoming.key_id = key.id  # set first, so that the record of a refusal names the key
        if scope not in key.scopes and "admin" not in key.scopes:
            message = f"This key has the scopes {', '.join(key.scopes)}, and lacks `{scope}`."
            raise Denied(403, "scope_missing", message)
        return key

    async def admit(self, incoming: Incoming, scope: KeyScope, *, count: str = "") -> Key:
        """Authorize the caller, and count the request in the budgets of its key, teams and tags.

        A request counts before its body is read, so a malformed request counts too. `count` names
        a count of its own, with the bound of the key.
        """
        key = self.authorize(incoming, scope)
        tags, keys = tags_in_header(incoming.headers), self._engine.config.keys
        if tags or self._bound[key.id]:
            budgets = count_apart(keys, key, count) if count else bindings(keys, key, tags)
            await self._count(incoming, budgets)
        return key

    async def _count(self, incoming: Incoming, budgets: Sequence[Binding]) -> None:
        anthropic = incoming.path.startswith("/v1/messages")
        incoming.reply.also = await self._engine.allowances.admit(
            budgets, incoming.id, anthropic=anthropic
        )

    async def body(self, incoming: Incoming, *, most: int | None = None) -> bytes:
        """The whole body. A large one first waits for its turn, and keeps it until `release`.
        `most` is the bound of a body with a bound of its own, `server.files.largest_bytes`."""
        name = "server.max_request_bytes" if most is None else "server.files.largest_bytes"
        most = self._engine.config.server.max_request_bytes if most is None else most
        size = incoming.declared_size
        incoming.held_bytes = await self._bodies.take(most if size is None else size)
        try:
            return await read_body(incoming.receive, most=most, patience=self.patience)
        except BodyTooLarge:
            message = f"The request is larger than {name} = {most}."
            raise BadRequest(message, status=413) from None
        except BodyTooSlow as slow:
            rule = f"send the whole request within {self.patience.first_seconds:g} s, or at "
            rule += f"{self.patience.bytes_per_second / 1024:g} KiB/s and more"
            raise TooSlow(f"Of the request, {slow.arrived} bytes arrived: {rule}.") from None

    def release(self, incoming: Incoming) -> None:
        """Give back what the body of an answered request held."""
        if incoming.held_bytes:
            self._bodies.give_back(incoming.held_bytes)

    async def request(
        self, incoming: Incoming, parse: Parse, *, asks: bool = True
    ) -> tuple[Key, Request]:
        """The caller's key and the request as the guards let it pass. It counts in all of its
        budgets. Without `asks`, no guard asks a backend."""
        key = await self.admit(incoming, "app")
        body = await self.body(incoming)
        engine = self._engine
        read = partial(read_request, parse, body, incoming, key.id, computes=engine.plans.compute)
        request = await self.in_budgets(incoming, key, await beside(len(body), read))
        return key, await engine.guarding.before(engine.config, request, asks=asks)

    async def in_budgets(self, incoming: Incoming, key: Key, request: Request) -> Request:
        """The request with its tags and its team, counted in the budgets of the tags."""
        tags = tags_of(incoming.headers, request.fields)
        if not tags and not key.team:
            return request
        await self._count(incoming, of_tags(self._engine.config.keys, key, tags))
        return replace(request, tags=tags, team=key.team)


def read_request(
    parse: Parse, body: bytes, incoming: Incoming, key_id: str, *, computes: bool
) -> Request:
    """The request in a body. Where a plan computes, a long message is read for figures, too."""
    request = parse(body, incoming.headers, request_id=incoming.id, key_id=key_id)
    if computes:
        read_beside(request)
    return request


def credentials_in(headers: Mapping[bytes, bytes]) -> str:
    """What the caller gives as its key: `Authorization`, or `x-api-key` as Anthropic's clients
    have it."""
    authorization = headers.get(b"authorization", b"").decode("latin-1")
    key = headers.get(b"x-api-key", b"").decode("latin-1").strip()
    return f"Bearer {key}" if key and not authorization else authorization
