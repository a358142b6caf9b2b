"""What callers may do with stores, by the ids of their keys: for whoever holds an id and no key."""

import logging
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from router.config.knowledge_access import May, StoreAccess
from router.knowledge.rights.declaring import declare
from router.knowledge.rights.given import note_given, stores_given
from router.knowledge.rights.grants import Allowed, Barred
from router.knowledge.rights.reader import Reader, Readers
from router.knowledge.rights.rights import Rights
from router.knowledge.rights.rows import RightsNews
from router.knowledge.rights.tables import FILE

_log = logging.getLogger("waggle")


class CallerRights:
    """The rights of stores beside the key file; both are read anew at each question."""

    def __init__(
        self, folder: Path, keys_file: Path, *, wall: Callable[[], float] = time.time
    ) -> None:
        """`folder`: of all knowledge, which holds the file of rights."""
        self._folder = folder
        self.rights, self.readers = Rights(folder, wall=wall), Readers(keys_file)

    def declare(self, stores: Mapping[str, StoreAccess]) -> None:
        """Bring what the configuration says of its stores into force. A file of rights that cannot
        be written stays as it was, and one that cannot be read gives nobody a right."""
        if not stores and not (self._folder / FILE).exists():
            return
        try:
            declare(self.rights, stores, self.readers.team_of)
        except (OSError, sqlite3.Error):
            _log.exception("the owners and grants of the configuration are not in force")

    def reader(self, key_id: str) -> Reader:
        return self.readers.reader(key_id)

    def may(self, key_id: str, store: str, act: May) -> Allowed | Barred:
        return self.rights.may(self.reader(key_id), store, act)

    def reads(self, key_id: str, store: str) -> bool:
        """Whether the caller has a right to read the store: a rate bounds uses, and neither hides
        a store nor takes back what was read."""
        return self.rights.has_right(self.reader(key_id), store)

    def readable(self, key_id: str, stores: Iterable[str]) -> tuple[str, ...]:
        """Those of these stores that the caller has a right to read now."""
        reader = self.reader(key_id)
        return self.rights.readable(reader, tuple(stores))

    def must_cite(self, key_id: str, stores: Iterable[str]) -> bool:
        """Whether a grant by which the caller may read one of these stores demands citations."""
        reader = self.reader(key_id)
        return any(self.rights.may_demand_citation(reader, store) for store in stores)

    def gave(self, key_id: str, text: str, session: str, stores: Iterable[str]) -> None:
        """Write down that an answer to this caller, and what goes on in its session, may hold words
        of these stores. If that fails, the answer goes out all the same, since its caller may read
        them."""
        try:
            note_given(self.rights, key_id, text, session, stores)
        except (OSError, sqlite3.Error):
            _log.exception("it is not written down which stores an answer was made from")

    def given(self, key_id: str, answers: Sequence[str], session: str) -> tuple[str, ...]:
        """The stores whose words may stand in these earlier answers to this caller."""
        return stores_given(self.rights, key_id, answers, session)

    def news(self) -> list[RightsNews]:
        """What telemetry does not have yet of rights and uses; nothing if it cannot be read."""
        if not (self._folder / FILE).exists():
            return []
        try:
            self.rights.note_ends()
            return self.rights.news()
        except (OSError, sqlite3.Error):
            _log.exception("telemetry lacks the latest events of rights")
            return []

    def close(self) -> None:
        self.rights.close()
