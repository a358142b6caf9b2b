"""`/v1/responses/{id}` and what belongs to it: read and delete what was kept of a response."""

from collections.abc import Sequence
from dataclasses import dataclass

from router.api.incoming import Admission, Incoming
from router.api.item_pages import item_list, no_includes, page_of, query_of, sliced
from router.conversations.kept import BrokenChain, Item, NotKept
from router.conversations.memory import ConversationMemory
from router.conversations.wanted import item_not_found, previous_deleted, response_not_found
from router.engine.engine import Engine
from router.wire.errors import BadRequest


@dataclass(frozen=True, slots=True)
class KeptResponsesEndpoint:
    engine: Engine
    admission: Admission
    memory: ConversationMemory

    async def get(self, incoming: Incoming) -> None:
        key = await self.admission.admit(incoming, "app")
        id_, now, query = incoming.params["id"], self.engine.wall(), query_of(incoming)
        no_includes(query)
        if query.get("stream", ["false"])[-1].lower() == "true":
            message = (
                "`stream` = true would repeat the events of a response in the background, and "
                "Waggle runs none there: leave it out to get the whole response."
            )
            raise BadRequest(message, "stream")
        try:
            kept = await self.memory.look(lambda store: store.response(key.id, id_, now))
        except NotKept:
            raise response_not_found(id_) from None
        await incoming.reply.json(200, kept.response)

    async def delete(self, incoming: Incoming) -> None:
        key = await self.admission.admit(incoming, "app")
        id_, now = incoming.params["id"], self.engine.wall()
        try:
            await self.memory.look(lambda store: store.delete_response(key.id, id_, now))
        except NotKept:
            raise response_not_found(id_) from None
        await incoming.reply.json(200, {"id": id_, "object": "response", "deleted": True})

    async def input_items(self, incoming: Incoming) -> None:
        key = await self.admission.admit(incoming, "app")
        id_, query = incoming.params["id"], query_of(incoming)
        no_includes(query)
        page = page_of(query)
        items = await self._input(key.id, id_)
        try:
            listed = sliced(items, page)
        except NotKept as error:
            raise item_not_found(str(error)) from None
        await incoming.reply.json(200, item_list(listed))

    async def cancel(self, incoming: Incoming) -> None:
        key = await self.admission.admit(incoming, "app")
        id_, now = incoming.params["id"], self.engine.wall()
        try:
            await self.memory.look(lambda store: store.response(key.id, id_, now))
        except NotKept:
            raise response_not_found(id_) from None
        message = (
            "Only a response in the background can be cancelled, and Waggle runs none there: "
            "close the connection to end a response that is being made."
        )
        raise BadRequest(message, "response_id")

    async def _input(self, owner: str, id_: str) -> Sequence[Item]:
        now = self.engine.wall()
        try:
            return await self.memory.look(lambda store: store.input_items(owner, id_, now))
        except NotKept:
            raise response_not_found(id_) from None
        except BrokenChain as broken:
            raise previous_deleted(id_, broken.missing) from None
