"""Lists of items in pages, as OpenAI's API has them: `after`, `limit`, `order` and `include`."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

from router.api.incoming import Incoming
from router.conversations.kept import Item, ListedItems, NotKept, Page
from router.wire.errors import BadRequest

_MOST = 100
# What OpenAI adds to items only where it is asked for. Waggle gives every item back whole.
_INCLUDABLE = frozenset(
    (
        *("web_search_call.action.sources", "web_search_call.results", "file_search_call.results"),
        *("code_interpreter_call.outputs", "computer_call_output.output.image_url"),
        *("message.input_image.image_url", "message.output_text.logprobs"),
        "reasoning.encrypted_content",
    )
)
Query = Mapping[str, list[str]]


def query_of(incoming: Incoming) -> Query:
    return parse_qs(incoming.scope.get("query_string", b"").decode("latin-1"))


def page_of(query: Query) -> Page:
    limit, order = query.get("limit", ["20"])[-1], query.get("order", ["desc"])[-1]
    if not (limit.isdigit() and len(limit) < 4 and 1 <= int(limit) <= _MOST):
        raise BadRequest(f"`limit` must be a number from 1 to {_MOST}, not {limit!r:.80}.", "limit")
    if order not in ("asc", "desc"):
        raise BadRequest(f"`order` must be asc or desc, not {order!r:.80}.", "order")
    after = query.get("after", [""])[-1]
    return Page(after, int(limit), "asc" if order == "asc" else "desc")


def no_includes(query: Query) -> None:
    """Check `include`: everything that an item has is always in it."""
    for value in (*query.get("include", ()), *query.get("include[]", ())):
        if value not in _INCLUDABLE:
            names = ", ".join(sorted(_INCLUDABLE))
            raise BadRequest(f"`include` knows {names}, and not {value!r:.80}.", "include")


def sliced(items: Sequence[Item], page: Page) -> ListedItems:
    """One page of these items, which are oldest first. Raises `NotKept` for an unknown `after`."""
    ordered = list(items) if page.order == "asc" else list(reversed(items))
    start = 0
    if page.after:
        ids = [item.get("id") for item in ordered]
        if page.after not in ids:
            raise NotKept(page.after)
        start = ids.index(page.after) + 1
    shown = ordered[start : start + page.limit]
    return ListedItems(tuple(shown), len(ordered) > start + page.limit)


def item_list(listed: ListedItems) -> dict[str, Any]:
    ids = [item["id"] for item in listed.items]
    return {
        "object": "list",
        "data": list(listed.items),
        "first_id": ids[0] if ids else None,
        "last_id": ids[-1] if ids else None,
        "has_more": listed.has_more,
    }
