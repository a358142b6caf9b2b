"""What a change does to the rows of a store: each function runs within a caller's transaction."""

import hashlib
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from router.documents.chunking import Passage, passages_of
from router.documents.languages import language_of
from router.documents.passage_index import words_of
from router.knowledge.alike import repeated, samples_of
from router.knowledge.stored import EventKind, NewDocument, StoredDocument

_REMOVED = "removed words"  # the setting that says how far their erasing is
_MERGED_PAGES = 64  # of the index of words, written at once
_HOLDERS = 8  # passages with a certain run of words that a new passage is compared with
DOCUMENT_COLUMNS = "id, version, title, source, hash, metadata, feed, added_at, changed_at, event"


def hash_of(document: NewDocument) -> str:
    """A hash of everything that a document says, its metadata and its place included."""
    sections = [[section.title, section.text] for section in document.sections]
    content = [document.title, document.source, sections, dict(document.metadata)]
    written = orjson.dumps(content, option=orjson.OPT_SORT_KEYS, default=str)
    return hashlib.blake2b(written, digest_size=16).hexdigest()


def add_event(
    connection: sqlite3.Connection,
    at: float,
    kind: EventKind,
    document: str,
    version: int,
    *,
    hash_: str = "",
    source: str = "",
    by: str = "",
    detail: Mapping[str, Any] | None = None,
) -> int:
    cursor = connection.execute(
        "insert into events (at, kind, document, version, hash, source, by, detail) "
        "values (?, ?, ?, ?, ?, ?, ?, ?)",
        (at, kind, document, version, hash_, source, by, orjson.dumps(detail or {}).decode()),
    )
    return int(cursor.lastrowid or 0)


def document_row(connection: sqlite3.Connection, id_: str) -> StoredDocument | None:
    row = connection.execute(
        f"select {DOCUMENT_COLUMNS} from documents where id = ?", (id_,)
    ).fetchone()
    return None if row is None else document_in(row)


def document_in(row: Sequence[Any]) -> StoredDocument:
    id_, version, title, source, hash_, metadata, feed, added_at, changed_at, event = row
    stated = orjson.loads(metadata)
    return StoredDocument(
        id_, version, title, source, hash_, stated, feed, added_at, changed_at, event
    )


def write_document(
    connection: sqlite3.Connection,
    document: NewDocument,
    hash_: str,
    before: StoredDocument | None,
    at: float,
    *,
    by: str,
    keep: int,
) -> int:
    """Write a new document or a new version, and return the number of the event."""
    version = _latest_version(connection, document.id) + 1
    kind: EventKind = "added" if before is None else "changed"
    event = add_event(
        connection, at, kind, document.id, version, hash_=hash_, source=document.source, by=by
    )
    if before is not None:
        take_out_passages(connection, document.id)
    metadata = orjson.dumps(dict(document.metadata), default=str).decode()
    added_at = at if before is None else before.added_at
    connection.execute(
        f"insert or replace into documents ({DOCUMENT_COLUMNS}) "
        "values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(document.id, version, document.title, document.source, hash_, metadata),
            *(document.feed, added_at, at, event),
        ),
    )
    text = "\n\n".join(
        f"{section.title}\n{section.text}" if section.title else section.text
        for section in document.sections
    )
    connection.execute(
        "insert into versions (document, version, title, hash, metadata, at, text, event) "
        "values (?, ?, ?, ?, ?, ?, ?, ?)",
        (document.id, version, document.title, hash_, metadata, at, text, event),
    )
    connection.execute(
        "delete from versions where document = ? and version <= ?", (document.id, version - keep)
    )
    for n, passage in enumerate(passages_of(document.id, document.sections)):
        _write_passage(connection, passage, version, n, event, at)
    return event


def remove_document(
    connection: sqlite3.Connection, before: StoredDocument, at: float, *, by: str
) -> int:
    """Remove a document with everything that it said, and return the number of the event."""
    take_out_passages(connection, before.id)
    connection.execute("delete from versions where document = ?", (before.id,))
    connection.execute("delete from documents where id = ?", (before.id,))
    return add_event(
        connection, at, "removed", before.id, before.version, source=before.source, by=by
    )


def has_removed_words(connection: sqlite3.Connection) -> bool:
    """Whether words that were removed may still be on the disk."""
    row = connection.execute("select 1 from settings where name = ?", (_REMOVED,)).fetchone()
    return row is not None


def note_removed_words(connection: sqlite3.Connection) -> None:
    connection.execute(
        "insert into settings values (?, 'waits') on conflict (name) do update "
        "set value = iif(value = 'merges', 'merges, and waits', value)",
        (_REMOVED,),
    )


def erase_removed_words(connection: sqlite3.Connection) -> bool:
    """Write a few pages of the index of words anew, without removed words; whether there is more.

    FTS5 only marks a removed word; the word goes when its part of the index is merged with another.
    What was removed while the parts are merged waits for the next merge.
    """
    (state,) = connection.execute(
        "select value from settings where name = ?", (_REMOVED,)
    ).fetchone()
    begins = state == "waits"
    before = connection.total_changes
    connection.execute(
        "insert into passages_fts (passages_fts, rank) values ('merge', ?)",
        (-_MERGED_PAGES if begins else _MERGED_PAGES,),
    )
    if begins:
        state = "merges"
    elif connection.total_changes - before < 2:  # so FTS5 says that there was nothing to merge
        state = "waits" if state.endswith("waits") else ""
    if state:
        connection.execute("update settings set value = ? where name = ?", (state, _REMOVED))
    else:
        connection.execute("delete from settings where name = ?", (_REMOVED,))
    return bool(state)


def take_out_passages(connection: sqlite3.Connection, document: str) -> None:
    note_removed_words(connection)
    ids = [
        id_
        for (id_,) in connection.execute("select id from passages where document = ?", (document,))
    ]
    for id_ in ids:
        connection.execute("delete from passages_fts where rowid = ?", (id_,))
        connection.execute("delete from passages where id = ?", (id_,))
        for table in ("samples", "vectors", "pending"):
            connection.execute(f"delete from {table} where passage = ?", (id_,))
        connection.execute("insert into gone (passage) values (?)", (id_,))


def _latest_version(connection: sqlite3.Connection, document: str) -> int:
    """The last version that the document ever had: a document that comes back goes on from it."""
    (latest,) = connection.execute(
        "select coalesce(max(version), 0) from events where document = ? and kind in "
        "('added', 'changed')",
        (document,),
    ).fetchone()
    return int(latest)


def _write_passage(
    connection: sqlite3.Connection, passage: Passage, version: int, n: int, event: int, at: float
) -> None:
    samples = samples_of(passage.text)
    first = _first_alike(connection, passage.text, samples)
    cursor = connection.execute(
        "insert into passages (document, version, n, title, text, alike, event) "
        "values (?, ?, ?, ?, ?, ?, ?)",
        (passage.source, version, n, passage.title, passage.text, first or 0, event),
    )
    id_ = int(cursor.lastrowid or 0)
    if not first:
        connection.execute("update passages set alike = ? where id = ?", (id_, id_))
    words = " ".join(words_of(passage, language_of(f"{passage.title} {passage.text}")))
    connection.execute("insert into passages_fts (rowid, words) values (?, ?)", (id_, words))
    connection.execute("insert into pending values (?, ?, ?)", (id_, event, at))
    connection.executemany(
        "insert or ignore into samples values (?, ?)", [(hash_, id_) for hash_ in samples]
    )


def _first_alike(connection: sqlite3.Connection, text: str, samples: Sequence[int]) -> int | None:
    """The number that alike passages share, if there is a passage that this text repeats."""
    # Some runs of words are in very many passages, so only the first holders of each are compared.
    holders = " union ".join(
        [f"select * from (select passage from samples where hash = ? limit {_HOLDERS})"]
        * len(samples)
    )
    rows = connection.execute(
        f"select text, alike from passages where id in ({holders}) order by id", samples
    ).fetchall()
    first = next(repeated(text, (other for other, _ in rows)), None)
    return None if first is None else int(rows[first][1])
