"""`/v1/knowledge/NAME`: the documents of a store, for whoever may read or write it.

A store that the caller may not use looks like one that does not exist. A document that a watched
folder brought changes with its file alone.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from router.api.incoming import Admission, Incoming
from router.api.listing import Query
from router.api.parse import parse_body
from router.config.config import Config
from router.documents.formats import Section
from router.documents.front_matter import plain_metadata
from router.engine.engine import Engine
from router.knowledge.opening import NoSuchStore, StoreShelf, TooOften
from router.knowledge.rights.grants import Allowed
from router.knowledge.rights.reader import Reader
from router.knowledge.store import KnowledgeStore
from router.knowledge.stored import NewDocument, StoredDocument
from router.knowledge.vectors import StoreVectors
from router.wire.errors import BadRequest, NotFound, Refused

_Outcome = TypeVar("_Outcome")
_MOST_ID, _MOST_TITLE = 512, 512
_LISTED, _MOST_LISTED = 100, 1000


@dataclass(slots=True)
class KnowledgeEndpoint:
    engine: Engine
    admission: Admission
    _shelf: StoreShelf | None = None

    async def get(self, incoming: Incoming) -> None:
        """What the store holds and its lag; the documents after the id `after`."""
        query = Query.of(incoming)
        limit = query.number("limit", default=_LISTED, most=_MOST_LISTED)

        def read(store: KnowledgeStore) -> dict[str, Any]:
            lag = StoreVectors(store).lag()
            documents = store.documents(after=query.values.get("after", ""), most=limit)
            tables = [
                {"name": each.name, "columns": each.columns, "rows": each.rows}
                for each in store.tables()
            ]
            return {
                "object": "list",
                "store": incoming.params["name"],
                **store.count(),
                "event": lag.newest,
                "lag": {"events": lag.events, "seconds": round(lag.seconds, 3)},
                "table_list": tables,
                "data": [_shown(each) for each in documents],
            }

        await incoming.reply.json(200, await self._act(incoming, "read", read))

    async def post(self, incoming: Incoming) -> None:
        """`{"id", "text", "title", "source", "metadata"}`: add a document or a version of it."""
        reader, key_name = await self._caller(incoming)
        document = _document(parse_body(await self.admission.body(incoming)))
        settings = self.engine.config.knowledge.get(incoming.params["name"])

        def put(store: KnowledgeStore) -> dict[str, Any]:
            _check_feed(store, document.id)
            keep = 5 if settings is None else settings.versions
            change = store.put(document, by=f"key {key_name}", keep=keep)
            return {
                "object": "knowledge.document",
                "id": document.id,
                "version": change.version,
                "event": change.number,
                "changed": change.made,
            }

        await incoming.reply.json(200, await self._act(incoming, "write", put, reader))

    async def delete(self, incoming: Incoming) -> None:
        """Remove the document `?id=`, with all of its versions, and erase it from the disk."""
        reader, key_name = await self._caller(incoming)
        id_ = incoming.query.get("id", "")
        if not id_:
            raise BadRequest("Which document? Add `?id=` and its id to the address.", "id")

        def remove(store: KnowledgeStore) -> dict[str, Any]:
            _check_feed(store, id_)
            change = store.remove(id_, by=f"key {key_name}")
            if change is None:
                message = f"The store has no document `{id_[:80]}`."
                raise NotFound("document_not_found", message, "id")
            store.erase()
            return {"object": "knowledge.document", "id": id_, "deleted": True}

        await incoming.reply.json(200, await self._act(incoming, "write", remove, reader))

    async def _caller(self, incoming: Incoming) -> tuple[Reader, str]:
        key = await self.admission.admit(incoming, "app")
        reader = await asyncio.to_thread(self.engine.rights.reader, key.id)
        return reader, key.name

    async def _act(
        self,
        incoming: Incoming,
        act: Any,
        work: Callable[[KnowledgeStore], _Outcome],
        reader: Reader | None = None,
    ) -> _Outcome:
        """Open the store for this caller, and work on it in a thread."""
        if reader is None:
            reader, _ = await self._caller(incoming)
        config, name = self.engine.config, incoming.params["name"]
        caller = reader

        def opened() -> _Outcome:
            shelf = self._opened(config)
            allowed = isinstance(shelf.rights.may(caller, name, act), Allowed)
            if allowed and name in config.knowledge:
                shelf.kept(name).newest  # noqa: B018  (a store that nothing has fed yet is made)
            return work(shelf.opened(name, caller, act).store)

        try:
            return await asyncio.to_thread(opened)
        except NoSuchStore as missing:
            message = f"{str(missing)[:1].upper()}{str(missing)[1:]} that you may {act}."
            raise NotFound("store_not_found", message, "name") from None
        except TooOften as error:
            raise Refused(429, "rate_limit_exceeded", f"{error}.") from None

    def _opened(self, config: Config) -> StoreShelf:
        if self._shelf is None:
            self._shelf = StoreShelf(config.knowledge_folder, self.engine.rights.rights)
        return self._shelf


def _check_feed(store: KnowledgeStore, id_: str) -> None:
    before = store.document(id_)
    if before is not None and before.feed == "folder":
        message = f"`{id_[:80]}` comes from the store's folder: change the file."
        raise Refused(409, "document_of_folder", message)


def _document(fields: Mapping[str, Any]) -> NewDocument:
    """The document that a request brings. Raises `BadRequest`."""
    id_, text = fields.get("id"), fields.get("text")
    if not isinstance(id_, str) or not id_.strip() or len(id_) > _MOST_ID:
        raise BadRequest(f"`id` must be a text of 1 to {_MOST_ID} characters.", "id")
    if not isinstance(text, str) or not text.strip():
        raise BadRequest("`text` must be a text that is not empty.", "text")
    title = fields.get("title") or id_
    source = fields.get("source") or id_
    for name, value in (("title", title), ("source", source)):
        if not isinstance(value, str) or len(value) > _MOST_TITLE:
            raise BadRequest(f"`{name}` must be a text of at most {_MOST_TITLE} characters.", name)
    metadata = fields.get("metadata") or {}
    if not isinstance(metadata, dict):
        raise BadRequest('`metadata` must be an object, such as {"team": "law"}.', "metadata")
    heading = title if fields.get("title") else ""
    return NewDocument(id_, title, source, [Section(heading, text)], plain_metadata(metadata))


def _shown(document: StoredDocument) -> dict[str, Any]:
    return {
        "id": document.id,
        "title": document.title,
        "source": document.source,
        "version": document.version,
        "metadata": document.metadata,
        "changed_at": document.changed_at,
        "event": document.event,
    }
