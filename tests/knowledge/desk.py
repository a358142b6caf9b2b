"""A small backend over real stores and real rights, for tests of what may leave them.

It finds by words alone. What counts here is who asks: the key's id on the call, and nothing else.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import orjson

from router.backends.knowledge_backend import KnowledgeBackend
from router.config.backends import KnowledgeSettings
from router.config.values import OwnSettings
from router.documents.formats import Section
from router.domain import Call, Fault, Reply
from router.encoding.encodes import Encodes
from router.encoding.home import encoder_of
from router.keys import Key, new_key, save_keys
from router.knowledge.federated import opened_for
from router.knowledge.opening import NoSuchStore, Readable, StoreShelf, TooOften
from router.knowledge.rights.grants import Terms
from router.knowledge.rights.reader import Readers
from router.knowledge.rights.rights import Rights
from router.knowledge.stored import KeptPassage, NewDocument
from router.knowledge.vectors import StoreVectors
from router.request.text import last_user_text
from router.wire.chat_replies import chat_reply
from tests.rig import Rig, rig

_WORD = re.compile(r"\w{3,}")


class DeskSettings(OwnSettings):
    kind: Literal["knowledge"] = "knowledge"
    stores: tuple[str, ...] = ()

    @property
    def asks_stores(self) -> tuple[str, ...]:
        return self.stores


@dataclass
class DeskBackend:
    shelf: StoreShelf
    readers: Readers
    stores: tuple[str, ...]
    calls: list[Call] = field(default_factory=list)

    @asynccontextmanager
    async def send(self, call: Call) -> AsyncIterator[Reply]:
        self.calls.append(call)
        fields = orjson.loads(call.body)
        named = (fields.get("knowledge") or {}).get("stores") or ()
        try:
            readable = opened_for(self.shelf, self.readers.reader(call.key_id), self.stores, named)
        except NoSuchStore as error:
            raise Fault("bad_request", str(error)) from None
        except TooOften as error:
            raise Fault("rate_limited", str(error), retry_after=error.retry_after) from None
        words = _WORD.findall(last_user_text(fields).lower())
        passages = [(each, passage) for each in readable for passage in _best(each, words)]
        text = "\n\n".join(f"[{n}] {p.text}" for n, (_, p) in enumerate(passages, 1))
        citations = [
            {"n": n, "store": each.name, "source": p.document, "must_cite": each.must_cite}
            for n, (each, p) in enumerate(passages, 1)
        ]
        more = {"knowledge": {"found": bool(citations), "citations": citations}}
        yield chat_reply(call, "waggle-knowledge", [text or "Nothing."], 1, more=more)

    async def close(self) -> None:
        pass


def _best(readable: Readable, words: list[str]) -> list[KeptPassage]:
    return readable.store.passages(readable.store.by_words(words, 2))


SECRET = {"handbook": "zirconium", "orders": "palladium", "menu": "rhubarb"}
CONFIG = """
server: {{data: {data}}}
telemetry: {{prompts: true, answers: true}}
reuse: {{mode: exact, keep: all}}
backends:
  desk: {{kind: generator}}
  writer: {{kind: openai, base_url: "{url}", model: m, api_key: "${{KEY}}"}}
plans:
  ask-desk: {{ask: desk}}
  write-desk: {{pipeline: [{{ask: desk}}, {{ask: writer}}]}}
  plain: {{ask: writer}}
keys: {{teams: {{law: {{}}, sales: {{}}}}}}
knowledge:
  handbook: {{owner: alice}}
  orders: {{owner: alice}}
  menu: {{owner: alice, visible: locale}}
"""


@dataclass
class Desk:
    r: Rig
    shelf: StoreShelf
    backend: Any  # a `DeskBackend`, or the one of the service
    tokens: dict[str, str]
    keys: dict[str, Key]

    def headers(self, who: str) -> dict[str, str]:
        return {"authorization": f"Bearer {self.tokens[who]}"}

    async def post(self, who: str, path: str, body: Any) -> Any:
        return await self.r.post(path, body, **self.headers(who))

    async def get(self, who: str, path: str) -> Any:
        return await self.r.get(path, **self.headers(who))

    async def chat(self, who: str, text: str, model: str = "ask-desk", **more: Any) -> Any:
        return await self.r.chat(text, model=model, headers=self.headers(who), **more)

    def give(self, who: str, store: str, **terms: Any) -> int:
        admin = self.r.engine.rights.reader(self.keys["root"].id)
        rights = self.r.engine.rights.rights
        return rights.grant(admin, store, f"key:{who}", Terms(**terms), by="test").number

    def take_away(self, number: int) -> None:
        admin = self.r.engine.rights.reader(self.keys["root"].id)
        self.shelf.rights.revoke(admin, number, by="test")


@asynccontextmanager
async def desk(
    folder: Path,
    url: str = "http://127.0.0.1:9/v1",
    wall: Callable[[], float] = time.time,
    encoders: Path | None = None,
    more: str = "",
) -> AsyncIterator[Desk]:
    """A service with a desk over three stores; Alice owns them, Ann is of her team, Bob is not.

    With a folder of encoders, the desk is the backend of the service. `more`: configuration."""
    made = {
        name: new_key(name, "2026-01-01", **given)
        for name, given in (
            ("alice", {"team": "law"}),
            ("ann", {"team": "law"}),
            ("bob", {"team": "sales", "shares": "both"}),
            ("carl", {"team": "sales", "shares": "both"}),
            ("root", {"scopes": ("admin",)}),
        )
    }
    keys = {name: key for name, (_, key) in made.items()}
    save_keys(folder / "keys.json", keys.values())
    shelf = StoreShelf(folder / "knowledge", Rights(folder / "knowledge", wall=wall))
    for name, secret in SECRET.items():
        text = f"The price of the metal in question is kept secret: {secret}."
        sections = [Section("prices", text)]
        shelf.kept(name).put(NewDocument(f"{name}.md", name, f"{name}.md", sections, {}), by="t")
    text = CONFIG.format(data=folder, url=url) + more
    async with rig(text, keys=[*keys.values()], wall=wall) as r:
        settings: OwnSettings = DeskSettings(stores=tuple(SECRET))
        backend: Any = DeskBackend(shelf, Readers(folder / "keys.json"), tuple(SECRET))
        if encoders is not None:
            settings = _real_settings(folder, encoders)
            await asyncio.to_thread(_encode, shelf, encoder_of(None, str(encoders)))
            backend = KnowledgeBackend(settings, wall=wall)
        backends = {**r.engine.config.backends, "desk": settings}
        config = r.engine.config.model_copy(update={"backends": backends})
        r.router.reconfigure(config, keys.values())
        r.backends.hosts["desk"].backend = backend
        yield Desk(r, shelf, backend, {name: text for name, (text, _) in made.items()}, keys)
    shelf.close()


def _encode(shelf: StoreShelf, encoder: Encodes) -> None:
    for name in SECRET:
        vectors = StoreVectors(shelf.kept(name))
        vectors.use(encoder)
        while vectors.fill(encoder):
            pass


def _real_settings(folder: Path, encoders: Path) -> KnowledgeSettings:
    return KnowledgeSettings(
        kind="knowledge",
        stores=tuple(SECRET),
        home=str(folder / "knowledge"),
        keys=str(folder / "keys.json"),
        encoders=str(encoders),
    )


def secrets_in(answer: Any) -> set[str]:
    """The stores whose secret word stands anywhere in an answer: its head or its body."""
    content = answer.body.decode() + str(answer.headers)
    return {store for store, secret in SECRET.items() if secret in content}
