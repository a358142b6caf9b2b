"""The values that the store of conversations keeps and gives back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Item = Mapping[str, Any]  # an item of OpenAI's Responses dialect, with its `id`


@dataclass(frozen=True, slots=True)
class NewResponse:
    """An answered request: its new input items, its output items, and the response without them.

    `previous` and `conversation` name what the response goes on with; at most one is given.
    """

    id: str
    response: Mapping[str, Any]
    input: Sequence[Item]
    output: Sequence[Item]
    previous: str = ""
    conversation: str = ""
    session: str = ""  # under which routing knows a chain that begins here
    stores: Sequence[str] = ()  # of knowledge, whose words it may hold


@dataclass(frozen=True, slots=True)
class KeptResponse:
    id: str
    thread: str
    previous: str
    conversation: str
    created: float
    response: Mapping[str, Any]  # with its output


@dataclass(frozen=True, slots=True)
class KeptConversation:
    id: str
    created: float
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Earlier:
    """What a request goes on with: the items so far, oldest first, and the thread they belong to.

    `forgotten` counts what was deleted from the thread until then; `session` is the name under
    which routing knows the thread.
    """

    thread: str = ""
    items: tuple[Item, ...] = ()
    forgotten: int = 0
    session: str = ""
    size: int = 0  # of the items, in bytes
    stores: tuple[str, ...] = ()  # of knowledge, whose words the thread may hold


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list a caller wants."""

    after: str = ""
    limit: int = 20
    order: Literal["asc", "desc"] = "desc"


@dataclass(frozen=True, slots=True)
class ListedItems:
    items: tuple[Item, ...]
    has_more: bool


@dataclass(frozen=True, slots=True)
class KeptSummary:
    """A summary of the first `covers` items of a thread, whose digest is `digest`."""

    digest: bytes
    covers: int
    text: str
    backend: str


@dataclass(frozen=True, slots=True)
class KeptThread:
    """A conversation or a chain of responses, as `waggle conversations list` shows it."""

    owner: str
    id: str
    kind: Literal["chain", "conversation"]
    created: float
    touched: float
    bytes: int
    responses: int
    items: int
    metadata: Mapping[str, str]


class NotKept(LookupError):
    """This owner keeps nothing under this id: it never existed, or it is forgotten."""


class BrokenChain(LookupError):
    """A response that an earlier turn of the chain builds on was deleted."""

    def __init__(self, missing: str) -> None:
        super().__init__(missing)
        self.missing = missing


class StoreFull(ValueError):
    """One thread alone would hold more than the whole store may."""
