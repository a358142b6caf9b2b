"""Pages of a list, as OpenAI has them: `limit`, `order`, and `after` the last one of a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from urllib.parse import parse_qs

from router.api.incoming import Incoming
from router.wire.errors import BadRequest


class Named(Protocol):
    @property
    def id(self) -> str: ...


T = TypeVar("T", bound=Named)


@dataclass(frozen=True, slots=True)
class Query:
    """The parameters behind the question mark of an address; the last value of each counts."""

    values: dict[str, str]

    @classmethod
    def of(cls, incoming: Incoming) -> "Query":
        text = incoming.scope.get("query_string", b"").decode("latin-1")
        return cls({name: values[-1] for name, values in parse_qs(text).items()})

    def number(self, name: str, *, default: int, most: int) -> int:
        text = self.values.get(name, str(default))
        if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= most):
            rule = f"a whole number from 1 to {most}"
            raise BadRequest(f"`{name}` must be {rule}, not {text[:80]!r}.", name)
        return int(text)

    def choice(self, name: str, choices: Sequence[str], default: str) -> str:
        text = self.values.get(name, default)
        if text not in choices:
            rule = " or ".join(choices)
            raise BadRequest(f"`{name}` must be {rule}, not {text[:80]!r}.", name)
        return text


def page(query: Query, newest_first: Sequence[T], *, limit: int) -> tuple[Sequence[T], bool]:
    """The items of one page, and whether more follow."""
    ascending = query.choice("order", ("desc", "asc"), "desc") == "asc"
    items = newest_first[::-1] if ascending else newest_first
    after = query.values.get("after")
    if after is not None:
        places = [place for place, item in enumerate(items) if item.id == after]
        if not places:
            raise BadRequest(f"There is nothing `{after[:80]}` to list what is after it.", "after")
        items = items[places[0] + 1 :]
    return items[:limit], len(items) > limit


def listed(rows: Sequence[dict[str, Any]], *, more: bool) -> dict[str, Any]:
    return {
        "object": "list",
        "data": list(rows),
        "first_id": rows[0]["id"] if rows else None,
        "last_id": rows[-1]["id"] if rows else None,
        "has_more": more,
    }
