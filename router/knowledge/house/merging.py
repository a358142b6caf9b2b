"""Merging a store into another one of the same owner: one store with both feeds, one archived.

The folder of the merged store feeds the other store from then on, and documents that came by the
API are copied. Who may read the merged store alone loses it: no right moves along.
"""

from router.documents.formats import Section
from router.knowledge.house.archive import CannotMove, archive
from router.knowledge.merged import mark, prefix_of
from router.knowledge.opening import StoreShelf
from router.knowledge.rights.reader import Reader
from router.knowledge.store import KnowledgeStore
from router.knowledge.stored import NewDocument, StoredDocument


def merge(shelf: StoreShelf, owner: Reader, small: str, large: str, *, by: str) -> None:
    """Merge a store into a larger one. Raises `NotOwner`, `CannotMove`."""
    for name in (small, large):
        shelf.rights.check_owner(shelf.rights.looking, owner, name)
        if shelf.is_archived(name) or not shelf.exists(name):
            raise CannotMove(f"{name} is archived, or holds nothing")
    source, target = shelf.kept(small), shelf.kept(large)
    for document in source.documents():
        if document.feed == "api":  # the feeder brings the others, with those of earlier merges
            target.put(_copied(source, document, small), by=by)
    mark(shelf, small, large)
    archive(shelf, owner, small, by=by)


def _copied(store: KnowledgeStore, document: StoredDocument, name: str) -> NewDocument:
    passages = store.passages_of(document.id)
    return NewDocument(
        prefix_of(name) + document.id.lstrip("/"),
        document.title,
        document.source,
        [Section(passage.title, passage.text) for passage in passages],
        document.metadata,
    )
