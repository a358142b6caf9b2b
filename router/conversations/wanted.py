"""What a request of the Responses dialect wants of the memory. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from router.wire.errors import BadRequest, NotFound

_FIELDS = ("previous_response_id", "conversation")


@dataclass(frozen=True, slots=True)
class Wanted:
    """`store`: whether the response shall be kept. `truncation`: what the caller says of a window
    that is too small; empty where the caller says nothing."""

    store: bool
    previous: str = ""
    conversation: str = ""
    truncation: str = ""

    @property
    def goes_on(self) -> bool:
        return bool(self.previous or self.conversation)


def wanted_of(fields: Mapping[str, Any], *, no_store: bool = False) -> Wanted:
    """Read a request's fields. As OpenAI has it, a response is kept unless `store` is false."""
    previous, conversation = fields.get("previous_response_id"), fields.get("conversation")
    if isinstance(conversation, dict):
        conversation = conversation.get("id", conversation)
    for name, value in zip(_FIELDS, (previous, conversation), strict=True):
        if value is not None and not (isinstance(value, str) and 0 < len(value) <= 256):
            rule = "the id of a response" if name == _FIELDS[0] else "the id of a conversation"
            raise BadRequest(f"`{name}` must be {rule}, not {value!r:.80}.", name)
    if previous and conversation:
        message = (
            "`previous_response_id` and `conversation` exclude each other: each names what the "
            "request goes on with. Send one of them."
        )
        raise BadRequest(message, "previous_response_id")
    store, truncation = fields.get("store"), fields.get("truncation")
    if store is not None and not isinstance(store, bool):
        raise BadRequest(f"`store` must be true or false, not {store!r:.80}.", "store")
    if truncation not in (None, "auto", "disabled"):
        rule = "`truncation` must be auto or disabled"
        raise BadRequest(f"{rule}, not {truncation!r:.80}.", "truncation")
    keep = store is not False and not no_store
    return Wanted(keep, previous or "", conversation or "", truncation or "")


def previous_not_found(id_: str) -> BadRequest:
    """As OpenAI says it: a response of somebody else never existed."""
    error = BadRequest(f"Previous response with id '{id_}' not found.", "previous_response_id")
    error.code = "previous_response_not_found"
    return error


def previous_deleted(id_: str, missing: str) -> BadRequest:
    message = (
        f"Response '{id_}' goes on with '{missing}', which was deleted. Begin anew without "
        "`previous_response_id`, and send what shall be remembered as `input`."
    )
    error = BadRequest(message, "previous_response_id")
    error.code = "previous_response_deleted"
    return error


def response_not_found(id_: str) -> NotFound:
    return NotFound("response_not_found", f"Response with id '{id_}' not found.", "response_id")


def conversation_not_found(id_: str) -> NotFound:
    message = f"Conversation with id '{id_}' not found."
    return NotFound("conversation_not_found", message, "conversation_id")


def item_not_found(id_: str) -> NotFound:
    return NotFound("item_not_found", f"Item with id '{id_}' not found.", "item_id")
