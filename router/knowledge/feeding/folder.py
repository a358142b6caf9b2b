"""A store that follows a folder: each file is a document, and what is deleted there goes here too.

The store's table `files` says which state of each file was read last. A file is read before its
state is written down, so a killed process reads the file again, and the store sees that nothing
changed.
"""

import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from router.documents.formats import UnreadableDocument
from router.knowledge.feeding.fed_tables import drop_tables
from router.knowledge.feeding.files import (
    document_of,
    files_below,
    is_table,
    is_utf_8,
    may_be_read,
    stamp_of,
    tables_in,
    taken,
)
from router.knowledge.rows.keeping import TableTaken, put_table
from router.knowledge.store import KnowledgeStore
from router.value import value

_log = logging.getLogger("waggle")
BY = "folder"
_SETTLED_SECONDS = 2.0  # a file that cannot be read may be half written for so long


@value
class FolderReport:
    """What a look at a folder changed."""

    files: int = 0
    added: int = 0
    changed: int = 0
    removed: int = 0
    unsettled: int = 0  # files to be read again, and folders that came; look again soon


@value
class FolderDifference:
    """What a folder and a store do not have in common."""

    files: int
    fresh: Sequence[str]  # files that came or changed since they were read
    gone: Sequence[str]


class FolderFeed:
    def __init__(
        self,
        store: KnowledgeStore,
        folder: Path,
        *,
        keep: int,
        wall: Callable[[], float] = time.time,
        prefix: str = "",
    ) -> None:
        """`prefix`: stands before the names of all files, if this is the folder of another store
        that was merged into this one; no file's own name begins with `/`."""
        self._store, self.folder, self._keep, self._wall = store, folder.resolve(), keep, wall
        self._prefix = prefix

    def look(self, tell: Callable[[int, int, str], None] = lambda *_: None) -> FolderReport:
        """Bring the store up to the folder, and erase what was removed. `tell` hears the progress.
        Raises `OSError`."""
        difference = self.difference()
        removed = self.forget(difference.gone).removed
        report = self.read(difference.fresh, tell)
        removed += report.removed
        self._store.erase()
        return replace(report, files=difference.files, removed=removed)

    def difference(self) -> FolderDifference:
        """Compare the folder with the store. Raises `OSError`: a folder that is gone, such as a
        disk that is not mounted, or that cannot be listed, empties no store."""
        if not self.folder.is_dir():
            raise NotADirectoryError(f"{self.folder} is no folder")
        files = {
            self._prefix + name: stamp_of(facts)
            for name, facts in files_below(self.folder)
            if taken(name)
        }
        before = self._stamps()
        fresh = [name for name, stamp in files.items() if before.get(name) != stamp]
        gone = (set(before) | self._documents()) - set(files)
        return FolderDifference(len(files), fresh, sorted(gone))

    def read(
        self, fresh: Sequence[str], tell: Callable[[int, int, str], None] = lambda *_: None
    ) -> FolderReport:
        """Read files that a difference names."""
        counts = _counts()
        for done, name in enumerate(fresh):
            tell(done, len(fresh), name)
            self._read(name, counts)
        return FolderReport(**counts)

    def forget(self, gone: Sequence[str]) -> FolderReport:
        """Remove what files brought that are gone."""
        counts = _counts()
        self._forget(gone, counts)
        return FolderReport(**counts)

    def take(self, names: Iterable[str]) -> FolderReport:
        """Bring the store up to these files alone. A name of a folder that is gone means all its
        files; what is in a folder that came is left to the next look at everything."""
        counts = _counts()
        missing: list[str] = []
        for own_name in names:
            name, path = self._prefix + own_name, self.folder / own_name
            if taken(name) and may_be_read(path, self.folder):
                self._read(name, counts)
            elif os.path.isdir(path):  # noqa: PTH112 - `Path.is_dir` raises in a closed folder
                counts["unsettled"] += 1
            elif is_utf_8(path):
                missing.append(name)
        if missing and self.folder.is_dir():
            self._forget(self._at_or_below(missing), counts)
        return FolderReport(**counts)

    def errors(self) -> dict[str, str]:
        """The files that cannot be read, and why."""
        rows = self._store.looking.execute(
            "select path, error from files where error != '' order by path"
        )
        return dict(rows.fetchall())

    def _read(self, name: str, counts: dict[str, int]) -> None:
        error, path = "", self.folder / self._own(name)
        try:
            facts = path.stat() if may_be_read(path, self.folder) else None
        except OSError:
            facts = None
        if facts is None:  # the file went, or became a link that leads outside
            self._forget([name], counts)
            return
        try:
            self._put(name, counts)
        except sqlite3.Error:  # trouble of the store, such as a full disk
            raise
        except Exception as reason:  # no file stops the reading of the others
            if self._wall() - facts.st_mtime < _SETTLED_SECONDS:
                counts["unsettled"] += 1
                return
            error = _why(reason)
            _log.warning("%s is not read: %s", path, error)
            counts["removed"] += self._remove(name)
        with self._store.changing() as connection:
            connection.execute(
                "insert or replace into files values (?, ?, ?)", (name, stamp_of(facts), error)
            )

    def _put(self, name: str, counts: dict[str, int]) -> None:
        if not is_table(name):
            document = replace(document_of(self.folder, self._own(name)), id=name, source=name)
            change = self._store.put(document, by=BY, keep=self._keep)
            counts["added" if change.version == 1 else "changed"] += change.made
            return
        tables = tables_in(self.folder, self._own(name))
        for table in tables:
            changed = put_table(self._store, table, source=name, by=BY) is not None
            counts["changed"] += changed
        drop_tables(self._store, name, by=BY, kept={table.name for table in tables})

    def _remove(self, name: str) -> int:
        """Remove what a file brought; how much that was."""
        if is_table(name):
            return drop_tables(self._store, name, by=BY)
        document = self._store.document(name)
        if document is None or document.feed != BY:
            return 0
        return int(self._store.remove(name, by=BY) is not None)

    def _forget(self, names: Iterable[str], counts: dict[str, int]) -> None:
        for name in names:
            removed = self._remove(name)
            counts["removed"] += removed
            with self._store.changing() as connection:
                connection.execute("delete from files where path = ?", (name,))
                if removed and is_table(name):  # another file may wait for the name of its table
                    waiting = connection.execute("delete from files where error != ''")
                    counts["unsettled"] += waiting.rowcount

    def _stamps(self) -> dict[str, str]:
        rows = self._store.looking.execute("select path, stamp from files")
        return {path: stamp for path, stamp in rows if self._is_of_this_folder(path)}

    def _documents(self) -> set[str]:
        rows = self._store.looking.execute("select id from documents where feed = ?", (BY,))
        return {id_ for (id_,) in rows if self._is_of_this_folder(id_)}

    def _is_of_this_folder(self, name: str) -> bool:
        return name.startswith(self._prefix or "/") == bool(self._prefix)

    def _own(self, name: str) -> str:
        """The name of a file in its folder."""
        return name.removeprefix(self._prefix)

    def _at_or_below(self, names: Iterable[str]) -> list[str]:
        """The files that have these names, or that lay in folders with these names."""
        inside: set[str] = set()
        for name in names:
            rows = self._store.looking.execute(
                "select path from files where substr(path, 1, ?) = ?",
                (len(name) + 1, f"{name}/"),
            )
            inside.update(path for (path,) in rows)
            inside.add(name)
        return sorted(inside)


def _why(reason: Exception) -> str:
    """Why a file is not read; for an error that nobody foresaw, which may quote it, its kind."""
    foreseen = isinstance(reason, UnreadableDocument | OSError | TableTaken)
    return str(reason) if foreseen else f"it cannot be read ({type(reason).__name__})"


def _counts() -> dict[str, int]:
    return {"files": 0, "added": 0, "changed": 0, "removed": 0, "unsettled": 0}
