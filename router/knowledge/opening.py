"""The one way to the words and rows of a store: by its name, for one reader, with one intent.

Nothing else opens a store for a caller. A store that the reader may not see is refused with the
same words as a store that does not exist.
"""

import contextlib
import re
import threading
from pathlib import Path

from router.config.knowledge_access import May
from router.config.values import NAME_PATTERN
from router.knowledge.rights.grants import Barred
from router.knowledge.rights.reader import Reader
from router.knowledge.rights.rights import Rights
from router.knowledge.store import KnowledgeStore
from router.knowledge.store_tables import FILE
from router.value import value


class NoSuchStore(LookupError):
    """There is no such store, or none for this reader: the message does not say which."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no store of knowledge `{name[:80]}`")


class TooOften(Exception):
    """A grant allows this reader no further use now."""

    def __init__(self, name: str, retry_after: float) -> None:
        super().__init__(f"the grant for `{name}` allows no further use for {retry_after:.0f} s")
        self.retry_after = retry_after


@value
class Readable:
    """A store that one reader may use now. `must_cite`: an answer must cite the store."""

    name: str
    store: KnowledgeStore
    must_cite: bool = False


class StoreShelf:
    """All stores below one folder, `DATA/knowledge`."""

    def __init__(self, folder: Path, rights: Rights | None = None) -> None:
        self.folder = folder
        self.rights = rights or Rights(folder)
        self._stores: dict[str, tuple[KnowledgeStore, tuple[int, int] | None]] = {}
        self._lock = threading.Lock()

    def opened(self, name: str, reader: Reader, act: May = "read") -> Readable:
        """The store, counted as a use by this reader. Raises `NoSuchStore`, `TooOften`."""
        answer = self.rights.take(reader, name, act)
        if isinstance(answer, Barred):
            if answer.retry_after is not None:
                raise TooOften(name, answer.retry_after)
            raise NoSuchStore(name)
        if not self.exists(name):
            raise NoSuchStore(name)
        return Readable(name, self.kept(name), answer.must_cite)

    def claimed(self, name: str, reader: Reader) -> KnowledgeStore | None:
        """The store, to see whether it holds an answer, which is no use of it; None if the reader
        may not read it now, or if it is moved away in this moment."""
        if self.exists(name) and not isinstance(self.rights.may(reader, name, "read"), Barred):
            with contextlib.suppress(NoSuchStore):
                return self.kept(name)
        return None

    def exists(self, name: str) -> bool:
        return bool(re.fullmatch(NAME_PATTERN, name)) and (self.place(name) / FILE).is_file()

    def kept(self, name: str) -> KnowledgeStore:
        """The store for its feeds and its index, which act for no reader; made if it is missing.

        Raises `NoSuchStore` for a store that is archived.
        """
        if self.is_archived(name):
            raise NoSuchStore(name)
        file = self._file_of(name)
        with self._lock:
            store, opened = self._stores.get(name, (None, None))
            if store is None or opened not in (None, file):  # the file of an earlier store is gone
                store = KnowledgeStore(self.place(name))
            self._stores[name] = store, file
            return store

    def _file_of(self, name: str) -> tuple[int, int] | None:
        """What tells the file of a store from that of an earlier store of its name."""
        try:
            stat = (self.place(name) / FILE).stat()
        except OSError:
            return None
        return stat.st_dev, stat.st_ino

    def place(self, name: str) -> Path:
        return self.folder / "stores" / name

    def archive_place(self, name: str) -> Path:
        return self.folder / "archived" / name

    def is_archived(self, name: str) -> bool:
        return self.archive_place(name).is_dir()

    def close(self) -> None:
        with self._lock:
            for store, _ in self._stores.values():
                store.close()
            self._stores.clear()
        self.rights.close()
