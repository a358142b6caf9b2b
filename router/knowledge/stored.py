"""The values that go into a store and come out of it."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from router.documents.chunking import Passage
from router.documents.formats import BETWEEN_HEADINGS, Section
from router.value import value

Feed = Literal["api", "folder"]
EventKind = Literal["added", "changed", "removed", "rows", "settings"]


@value
class NewDocument:
    """A document as a feed brings it. `id` is its name within the store."""

    id: str
    title: str
    source: str
    sections: Sequence[Section]
    metadata: Mapping[str, Any]
    feed: Feed = "api"


@value
class StoredDocument:
    id: str
    version: int
    title: str
    source: str
    hash: str
    metadata: Mapping[str, Any]
    feed: Feed
    added_at: float
    changed_at: float
    event: int


@value
class DocumentVersion:
    """A document as it was from one change to the next."""

    document: str
    version: int
    title: str
    hash: str
    metadata: Mapping[str, Any]
    at: float
    text: str
    event: int


@value
class KeptPassage:
    """A passage of the newest version of a document. Passages that say the same have the same
    `alike`: the number of the first of them."""

    id: int
    document: str
    version: int
    n: int
    title: str
    text: str
    alike: int
    event: int

    @property
    def heading(self) -> str:
        return self.title.rpartition(BETWEEN_HEADINGS)[2]

    @property
    def passage(self) -> Passage:
        return Passage(self.document, self.title, self.text)


@value
class StoreEvent:
    """One change of a store. It holds names and hashes, and no words of a document."""

    number: int
    at: float
    kind: EventKind
    document: str
    version: int
    hash: str
    source: str
    by: str
    detail: Mapping[str, Any]


@value
class StoreTable:
    """A table of a store: its columns with their types, and how many rows it has."""

    name: str
    source: str
    columns: Sequence[Mapping[str, Any]]
    rows: int
    event: int


@value
class Lag:
    """How far the vectors are behind the events. Words follow within the same transaction."""

    newest: int
    reached: int
    seconds: float  # since the first event that the vectors have not reached

    @property
    def events(self) -> int:
        return self.newest - self.reached
