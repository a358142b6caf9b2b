"""A store that was merged into another one: archived, while its feeds go on in the other store.

A file in the archived folder names the other store. What the feeds of the merged store bring has
its name before the names of its documents: `/handbook/fees.md`. So it is told from
the other store's own documents, and taken out again when the merged store comes back.
"""

import contextlib

from router.files import write_durably
from router.knowledge.opening import StoreShelf
from router.knowledge.store import KnowledgeStore

MARK = "merged_into"
_MOST_STEPS = 20


def prefix_of(name: str) -> str:
    """What stands before the documents of a merged store. No file's own name begins like this."""
    return f"/{name}/"


def mark(shelf: StoreShelf, small: str, large: str) -> None:
    """Say, before a store is archived, into which store it is merged."""
    write_durably(shelf.place(small) / MARK, large.encode())


def unmark(shelf: StoreShelf, name: str) -> None:
    (shelf.place(name) / MARK).unlink(missing_ok=True)


def target_of(shelf: StoreShelf, name: str) -> str | None:
    """The store that the feeds of this store feed now: itself, or the store that it was merged
    into; None if it is archived."""
    for _ in range(_MOST_STEPS):
        if not shelf.is_archived(name):
            return name
        into = ""
        with contextlib.suppress(OSError):
            into = (shelf.archive_place(name) / MARK).read_text("utf-8")
        if not into:
            return None
        name = into
    return None


def take_out(store: KnowledgeStore, name: str) -> None:
    """Take everything that a merged store brought out of the store again."""
    prefix = prefix_of(name)
    documents = store.looking.execute(
        "select id from documents where substr(id, 1, ?) = ?", (len(prefix), prefix)
    ).fetchall()
    for (id_,) in documents:
        store.remove(id_, by="restored")
    with store.changing() as connection:
        connection.execute("delete from files where substr(path, 1, ?) = ?", (len(prefix), prefix))
    store.erase()
