"""One store: its documents with their versions, their passages by words, its numbered events.

Any process may change a store, one at a time: SQLite holds the others back. A change that changes
nothing is no event, so a feed may bring everything again after a crash. What is removed is erased
from the file: only the event stays, which holds no words.

Not covered: copies that a backup or the file system's snapshots took.
"""

import contextlib
import re
import sqlite3
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from router.knowledge import changes
from router.knowledge.changes import DOCUMENT_COLUMNS, document_in
from router.knowledge.store_tables import FILE, connect, create
from router.knowledge.stored import (
    DocumentVersion,
    KeptPassage,
    NewDocument,
    StoredDocument,
    StoreEvent,
    StoreTable,
)
from router.sqlite_file import SqliteFile
from router.value import value

_PASSAGE = "id, document, version, n, title, text, alike, event"


@value
class Change:
    """What became of a document: its event, or the earlier event that already says the same."""

    number: int
    version: int
    made: bool  # False: the store held exactly this already


class KnowledgeStore(SqliteFile):
    def __init__(
        self, folder: Path, *, wall: Callable[[], float] = time.time, make: bool = True
    ) -> None:
        """`make`: make the store if it is missing; else opening it fails, as for a store that is
        archived in this moment."""
        super().__init__()
        self.folder, self.wall, self._make = folder, wall, make

    def _open(self, *, first: bool) -> sqlite3.Connection:
        if first and self._make:
            create(self.folder)
        return connect(self.folder / FILE)

    # -- changing ----------------------------------------------------------------------------------

    def put(self, document: NewDocument, *, by: str, keep: int = 5) -> Change:
        """Add a document, or make it the newest version of the document with its id."""
        hash_ = changes.hash_of(document)
        with self._transaction() as connection:
            before = changes.document_row(connection, document.id)
            if before is not None and before.hash == hash_:
                return Change(before.event, before.version, made=False)
            at = self.wall()
            event = changes.write_document(
                connection, document, hash_, before, at, by=by, keep=keep
            )
            after = changes.document_row(connection, document.id)
        return Change(event, after.version if after else 0, made=True)

    def remove(self, id_: str, *, by: str) -> Change | None:
        """Remove a document; None if there is none. `erase` then takes its words off the disk."""
        with self._transaction() as connection:
            before = changes.document_row(connection, id_)
            if before is None:
                return None
            event = changes.remove_document(connection, before, self.wall(), by=by)
        return Change(event, before.version, made=True)

    def erase(self) -> None:
        """Take the words of removed and changed documents off the disk: out of the index of words,
        and out of the log.

        While another process reads, the log stays; whoever erases next empties it.
        """
        while self.erase_part():
            pass

    def erase_part(self) -> bool:
        """Do a short part of `erase`; whether there is more. Changes may come in between."""
        if not changes.has_removed_words(self._connection):
            return False
        with self._transaction() as connection:
            more = changes.erase_removed_words(connection)
        if not more:
            self._connection.execute("pragma wal_checkpoint(truncate)").fetchall()
        return more

    @contextlib.contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """One change: all or nothing, and on the disk at its end."""
        with self._transaction() as connection:
            yield connection

    @property
    def looking(self) -> sqlite3.Connection:
        """This thread's connection, for questions alone."""
        return self._connection

    # -- reading -----------------------------------------------------------------------------------

    @property
    def newest(self) -> int:
        """The number of the newest event; 0 for a store that never changed."""
        (number,) = self._connection.execute(
            "select coalesce(max(number), 0) from events"
        ).fetchone()
        return int(number)

    def document(self, id_: str) -> StoredDocument | None:
        return changes.document_row(self._connection, id_)

    def documents(self, *, after: str = "", most: int = 1_000_000) -> list[StoredDocument]:
        """The documents by their ids, those after an id alone."""
        rows = self._connection.execute(
            f"select {DOCUMENT_COLUMNS} from documents where id > ? order by id limit ?",
            (after, most),
        )
        return [document_in(row) for row in rows]

    def titles(self, ids: Collection[str]) -> dict[str, tuple[str, str]]:
        """The titles and the sources of these documents."""
        marks = ", ".join("?" * len(ids))
        rows = self._connection.execute(
            f"select id, title, source from documents where id in ({marks})", tuple(ids)
        )
        return {id_: (title, source) for id_, title, source in rows}

    def versions(self, document: str) -> list[DocumentVersion]:
        """The versions of a document that are kept, the newest first."""
        rows = self._connection.execute(
            "select document, version, title, hash, metadata, at, text, event from versions "
            "where document = ? order by version desc",
            (document,),
        )
        return [
            DocumentVersion(id_, version, title, hash_, orjson.loads(metadata), at, text, event)
            for id_, version, title, hash_, metadata, at, text, event in rows
        ]

    def events(self, *, after: int = 0, most: int = 1000) -> list[StoreEvent]:
        """The events past a number, the oldest first."""
        rows = self._connection.execute(
            "select number, at, kind, document, version, hash, source, by, detail from events "
            "where number > ? order by number limit ?",
            (after, most),
        )
        return [
            StoreEvent(number, at, kind, id_, version, hash_, source, by, orjson.loads(detail))
            for number, at, kind, id_, version, hash_, source, by, detail in rows
        ]

    def tables(self) -> list[StoreTable]:
        rows = self._connection.execute(
            "select name, source, columns, rows, event from tables order by name"
        )
        return [
            StoreTable(name, source, orjson.loads(columns), count, event)
            for name, source, columns, count, event in rows
        ]

    def passages(self, ids: Sequence[int]) -> list[KeptPassage]:
        """The passages with these numbers that there still are, in this order."""
        marks = ", ".join("?" * len(ids))
        rows = self._connection.execute(
            f"select {_PASSAGE} from passages where id in ({marks})", tuple(ids)
        )
        by_id = {row[0]: KeptPassage(*row) for row in rows}
        return [by_id[id_] for id_ in ids if id_ in by_id]

    def passages_of(self, document: str) -> list[KeptPassage]:
        rows = self._connection.execute(
            f"select {_PASSAGE} from passages where document = ? order by n", (document,)
        )
        return [KeptPassage(*row) for row in rows]

    def all_passages(self, *, after: int = 0) -> Iterator[KeptPassage]:
        """Every passage past a number, by its number."""
        while True:
            rows = self._connection.execute(
                f"select {_PASSAGE} from passages where id > ? order by id limit 1000", (after,)
            ).fetchall()
            if not rows:
                return
            yield from (KeptPassage(*row) for row in rows)
            after = rows[-1][0]

    def by_words(self, words: Sequence[str], most: int) -> list[int]:
        """The passages with any of these base forms of words, the best first by BM25."""
        quoted = [f'"{word}"' for word in dict.fromkeys(words) if '"' not in word]
        if not quoted:
            return []
        rows = self._connection.execute(
            "select rowid from passages_fts where passages_fts match ? "
            "order by bm25(passages_fts) limit ?",
            (" OR ".join(quoted), most),
        )
        return [int(id_) for (id_,) in rows]

    def holding(self, words: Sequence[str]) -> dict[str, int]:
        """How many passages hold each of these base forms; a form of several parts: its rarest."""
        parts = {word: re.findall(r"\w+", word) for word in words}
        terms = sorted({part for own in parts.values() for part in own})
        marks = ", ".join("?" * len(terms))
        counts = dict(
            self._connection.execute(
                f"select term, doc from vocabulary where term in ({marks})", terms
            ).fetchall()
        )
        return {
            word: min((counts.get(part, 0) for part in own), default=0)
            for word, own in parts.items()
        }

    def count(self) -> dict[str, Any]:
        """How many documents, passages and tables there are, and how many repeat another."""
        sizes = {
            name: int(self._connection.execute(f"select count(*) from {name}").fetchone()[0])
            for name in ("documents", "passages", "tables")
        }
        (doubles,) = self._connection.execute(
            "select count(*) from passages where alike != id"
        ).fetchone()
        return sizes | {"doubles": int(doubles)}
