"""`/v1/conversations`: a key's conversations, with their items and metadata, as OpenAI has them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from router.api.incoming import Admission, Incoming
from router.api.item_pages import item_list, no_includes, page_of, query_of
from router.api.parse import parse_body
from router.conversations.items import REFERENCE, as_kept
from router.conversations.kept import Item, KeptConversation, ListedItems, NotKept
from router.conversations.memory import ConversationMemory
from router.conversations.new_ids import conversation_id
from router.conversations.store import ConversationStore
from router.conversations.wanted import conversation_not_found, item_not_found
from router.engine.engine import Engine
from router.request.kind_of_value import kind_of_value
from router.wire.errors import BadRequest, Refused

_MOST_ITEMS = 20  # at a time, as OpenAI has it
_MOST_PAIRS, _KEY_LETTERS, _VALUE_LETTERS = 16, 64, 512
_Outcome = TypeVar("_Outcome")


@dataclass(frozen=True, slots=True)
class ConversationsEndpoint:
    engine: Engine
    admission: Admission
    memory: ConversationMemory

    async def create(self, incoming: Incoming) -> None:
        owner = await self._owner(incoming)
        fields = parse_body(await self.admission.body(incoming) or b"{}")
        metadata = metadata_in(fields.get("metadata"))
        items = items_to_add(fields.get("items"))
        id_, now = conversation_id(), self.engine.wall()
        if not self.memory.settings.enabled:
            raise Refused(
                400,
                "conversations_disabled",
                "The memory of conversations is off here (`conversations.enabled`): send the "
                "earlier items as `input`.",
            )
        await self.memory.keep(
            lambda store: store.add_conversation(owner, id_, metadata, items, now)
        )
        await incoming.reply.json(200, _shown(KeptConversation(id_, now, metadata)))

    async def get(self, incoming: Incoming) -> None:
        owner, id_ = await self._owner(incoming), incoming.params["id"]
        now = self.engine.wall()
        kept = await self._look(id_, lambda store: store.conversation(owner, id_, now))
        await incoming.reply.json(200, _shown(kept))

    async def update(self, incoming: Incoming) -> None:
        owner, id_ = await self._owner(incoming), incoming.params["id"]
        fields = parse_body(await self.admission.body(incoming))
        if "metadata" not in fields:
            raise BadRequest("`metadata` must be an object, and it is missing.", "metadata")
        metadata, now = metadata_in(fields["metadata"]), self.engine.wall()
        kept = await self._look(
            id_, lambda store: store.rename_conversation(owner, id_, metadata, now)
        )
        await incoming.reply.json(200, _shown(kept))

    async def delete(self, incoming: Incoming) -> None:
        owner, id_ = await self._owner(incoming), incoming.params["id"]
        now = self.engine.wall()
        await self._look(id_, lambda store: store.delete_conversation(owner, id_, now))
        receipt = {"id": id_, "object": "conversation.deleted", "deleted": True}
        await incoming.reply.json(200, receipt)

    async def add_items(self, incoming: Incoming) -> None:
        owner, id_ = await self._owner(incoming), incoming.params["id"]
        no_includes(query_of(incoming))
        fields = parse_body(await self.admission.body(incoming))
        if not fields.get("items"):
            kind = kind_of_value(fields.get("items"))
            raise BadRequest(f"`items` must be a list of at least one item, not {kind}.", "items")
        items, now = items_to_add(fields["items"]), self.engine.wall()
        added = await self._look(id_, lambda store: store.add_items(owner, id_, items, now))
        await incoming.reply.json(200, item_list(ListedItems(added, has_more=False)))

    async def items(self, incoming: Incoming) -> None:
        owner, id_ = await self._owner(incoming), incoming.params["id"]
        query = query_of(incoming)
        no_includes(query)
        page, now = page_of(query), self.engine.wall()
        listed = await self._look(
            id_, lambda store: store.items(owner, id_, page, now), item=page.after
        )
        await incoming.reply.json(200, item_list(listed))

    async def item(self, incoming: Incoming) -> None:
        owner, id_ = await self._owner(incoming), incoming.params["id"]
        item_id, now = incoming.params["item"], self.engine.wall()
        no_includes(query_of(incoming))
        item = await self._look(
            id_, lambda store: store.item(owner, id_, item_id, now), item=item_id
        )
        await incoming.reply.json(200, item)

    async def delete_item(self, incoming: Incoming) -> None:
        owner, id_ = await self._owner(incoming), incoming.params["id"]
        item_id, now = incoming.params["item"], self.engine.wall()
        kept = await self._look(
            id_, lambda store: store.delete_item(owner, id_, item_id, now), item=item_id
        )
        await incoming.reply.json(200, _shown(kept))

    async def _owner(self, incoming: Incoming) -> str:
        return (await self.admission.admit(incoming, "app")).id

    async def _look(
        self, id_: str, work: Callable[[ConversationStore], _Outcome], *, item: str = ""
    ) -> _Outcome:
        """Some work on a conversation. `item` is the id of an item that may not be in it."""
        try:
            return await self.memory.look(work)
        except NotKept as error:
            if item and str(error) == item != id_:
                raise item_not_found(item) from None
            raise conversation_not_found(id_) from None


def _shown(kept: KeptConversation) -> dict[str, Any]:
    return {
        "id": kept.id,
        "object": "conversation",
        "created_at": int(kept.created),
        "metadata": dict(kept.metadata),
    }


def items_to_add(value: Any) -> list[Item]:
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > _MOST_ITEMS:
        what = kind_of_value(value) if not isinstance(value, list) else f"{len(value)} items"
        raise BadRequest(f"`items` must be a list of at most {_MOST_ITEMS}, not {what}.", "items")
    for index, item in enumerate(value):
        where = f"items[{index}]"
        if not isinstance(item, dict):
            raise BadRequest(f"`{where}` must be an object, not {kind_of_value(item)}.", where)
        _check_item(item, where)
    return [as_kept(item) for item in value]


def _check_item(item: Mapping[str, Any], where: str) -> None:
    kind = item.get("type", "message" if "role" in item else None)
    if not isinstance(kind, str) or not kind:
        rule = "must be the type of an item, such as message or function_call"
        raise BadRequest(f"`{where}.type` {rule}, not {kind_of_value(kind)}.", f"{where}.type")
    if kind == REFERENCE:
        rule = "an item itself, and not a reference to an item"
        raise BadRequest(f"`{where}` must be {rule}.", f"{where}.type")
    if kind == "message":
        content = item.get("content")
        if not isinstance(item.get("role"), str):
            got = kind_of_value(item.get("role"))
            raise BadRequest(f"`{where}.role` must be a string, not {got}.", f"{where}.role")
        if not isinstance(content, str | list):
            got = kind_of_value(content)
            rule = "a string or a list of parts"
            raise BadRequest(f"`{where}.content` must be {rule}, not {got}.", f"{where}.content")
    id_ = item.get("id")
    if id_ is not None and not (isinstance(id_, str) and 0 < len(id_) <= 256):
        raise BadRequest(f"`{where}.id` must be a string of at most 256.", f"{where}.id")


def metadata_in(value: Any) -> dict[str, str]:
    """The metadata of a conversation: at most 16 pairs of short strings."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadRequest(f"`metadata` must be an object, not {kind_of_value(value)}.", "metadata")
    if len(value) > _MOST_PAIRS:
        raise BadRequest(f"`metadata` may have {_MOST_PAIRS} pairs, not {len(value)}.", "metadata")
    for name, text in value.items():
        if len(name) > _KEY_LETTERS:
            rule = f"a key of at most {_KEY_LETTERS} characters"
            raise BadRequest(f"`metadata` must have {rule}, not {name!r:.80}.", "metadata")
        if not isinstance(text, str) or len(text) > _VALUE_LETTERS:
            rule = f"a string of at most {_VALUE_LETTERS} characters"
            where = f"metadata.{name}"
            raise BadRequest(f"`{where}` must be {rule}, not {kind_of_value(text)}.", where)
    return value
