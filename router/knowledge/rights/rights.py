"""The rights of all stores: one SQLite file that every process reads at each question.

Nothing is remembered between two questions, so what one process revokes is gone for all at once.
Every change is one transaction with its event. A store that nobody declared, or that does not
exist, is barred like one that the reader may not see, after the same look-up.

Not covered: a process that may write the file may grant itself anything.
"""

import contextlib
import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from router.config.knowledge_access import May
from router.knowledge.rights.grants import Allowed, Barred, Grant, Ownership, Terms, way_in
from router.knowledge.rights.reader import Reader
from router.knowledge.rights.rows import (
    RightsNews,
    add_event,
    add_grant,
    count_use,
    end_grant,
    events_to_tell,
    grants_where,
    ownership_of,
    terms_row,
    use_grant,
    uses_to_tell,
    wait_for,
)
from router.knowledge.rights.tables import FILE, connect, create
from router.sqlite_file import SqliteFile


class NotOwner(Exception):
    """The store is not the reader's to give, or does not exist: callers see no difference."""


class NoSuchGrant(LookupError):
    """No grant in force has this number in a store of this owner."""


class Rights(SqliteFile):
    """The file, opened at its first use; and the decision over one act of one reader."""

    def __init__(self, folder: Path, *, wall: Callable[[], float] = time.time) -> None:
        super().__init__()
        self._folder, self.wall = folder, wall

    def _open(self, *, first: bool) -> sqlite3.Connection:
        if first:
            create(self._folder)
        return connect(self._folder / FILE)

    # -- may a reader act? -------------------------------------------------------------------------

    def may(self, reader: Reader, store: str, act: May) -> Allowed | Barred:
        """Whether the reader may act now; counts nothing."""
        return self._decide(self._connection, reader, store, act, self.wall())

    def take(self, reader: Reader, store: str, act: May) -> Allowed | Barred:
        """Whether the reader may act now, counted as a use of the store if it may."""
        now = self.wall()
        first = self.may(reader, store, act)
        if isinstance(first, Barred):  # strangers never take the file's lock
            return first
        with self.quickly_changing() as connection:
            answer = self._decide(connection, reader, store, act, now)
            if isinstance(answer, Allowed):
                count_use(connection, reader, store, act, now)
                if answer.grant:
                    use_grant(connection, answer.grant, reader, now)
        return answer

    def may_demand_citation(self, reader: Reader, store: str) -> bool:
        """Whether any grant by which the reader may read the store now demands a citation: uses in
        the same moment may leave it as the only one."""
        usable = self._usable(self._connection, reader, store, "read", self.wall())
        return not isinstance(usable, Allowed) and any(each.terms.must_cite for each in usable)

    def has_right(self, reader: Reader, store: str) -> bool:
        """Whether the reader has a right to read the store, were its uses of this hour over."""
        usable = self._usable(self._connection, reader, store, "read", self.wall())
        return isinstance(usable, Allowed) or bool(usable)

    def readable(self, reader: Reader, stores: Sequence[str]) -> tuple[str, ...]:
        """Those of these stores that the reader has a right to read now."""
        return tuple(store for store in stores if self.has_right(reader, store))

    def owns(self, reader: Reader, store: str) -> bool:
        """Whether the reader is the owner of a declared store, or an admin."""
        ownership = self.ownership(store)
        return ownership is not None and ownership.is_owner(reader)

    def ownership(self, store: str) -> Ownership | None:
        return ownership_of(self._connection, store)

    def _decide(
        self, connection: sqlite3.Connection, reader: Reader, store: str, act: May, now: float
    ) -> Allowed | Barred:
        usable = self._usable(connection, reader, store, act, now)
        if isinstance(usable, Allowed):
            return usable
        waits: list[float] = []
        for grant in usable:
            wait = wait_for(connection, grant, reader, now)
            if wait <= 0:
                return Allowed(grant.number, grant.terms.must_cite)
            waits.append(wait)
        return Barred(min(waits) if waits else None)

    def _usable(
        self, connection: sqlite3.Connection, reader: Reader, store: str, act: May, now: float
    ) -> list[Grant] | Allowed:
        grants = grants_where(
            connection,
            "store = ? and may = ? and revoked is null and who in ('everybody', ?, ?)",
            (store, act, f"key:{reader.name}", f"locale:{reader.locale}"),
        )
        return way_in(reader, ownership_of(connection, store), grants, act, now)

    # -- what happened -----------------------------------------------------------------------------

    def events(self, store: str | None = None, *, after: int = 0, most: int = 1000) -> list[Any]:
        """The events of a store, or of all stores, past a number, the oldest first."""
        rows = self._connection.execute(
            "select number, at, store, kind, by, grant_number, ask, detail from events "
            "where number > ? and (? is null or store = ?) order by number limit ?",
            (after, store, store, most),
        )
        names = ("number", "at", "store", "kind", "by", "grant", "ask")
        return [
            {n: v for n, v in zip(names, row[:7], strict=True) if v is not None}
            | json.loads(row[7])
            for row in rows
        ]

    def uses(self, store: str | None = None) -> list[dict[str, Any]]:
        """Who used what, by day, newest day first; counts, and no words."""
        rows = self._connection.execute(
            "select day, store, key_name, locale, reads, writes from knowledge_use "
            "where ? is null or store = ? order by day desc, store, key_name",
            (store, store),
        )
        names = ("day", "store", "key", "locale", "reads", "writes")
        return [dict(zip(names, row, strict=True)) for row in rows]

    def news(self) -> list[RightsNews]:
        """The events and uses that telemetry does not have yet; it has them from now on. Any number
        of processes may ask, and each news goes to one of them."""
        last, newest = self._connection.execute(
            "select coalesce((select max(number) from told), 0), "
            "coalesce((select max(number) from events), 0)"
        ).fetchone()
        untold = "reads > reads_told or writes > writes_told"
        some = self._connection.execute(f"select 1 from uses where {untold} limit 1").fetchone()
        if last == newest and some is None:
            return []
        with self.quickly_changing() as connection:
            return [*events_to_tell(connection), *uses_to_tell(connection, self.wall())]

    def grants(self, store: str | None = None) -> list[Grant]:
        """All grants ever made, the newest first."""
        self.note_ends()
        rows = grants_where(self._connection, "? is null or store = ?", (store, store))
        return sorted(rows, key=lambda grant: -grant.number)

    # -- the owner's acts --------------------------------------------------------------------------

    def grant(
        self,
        owner: Reader,
        store: str,
        who: str,
        terms: Terms,
        *,
        by: str,
        source: str = "owner",
        ask: int | None = None,
    ) -> Grant:
        """Give access. Raises `NotOwner`."""
        now = self.wall()
        with self.changing() as connection:
            self.check_owner(connection, owner, store)
            number = add_grant(connection, store, who, terms, now, by=by, source=source, ask=ask)
        return self._grant_of(number)

    def change(
        self, owner: Reader, number: int, new: Terms | Callable[[Terms], Terms], *, by: str
    ) -> Grant:
        """Set the conditions of a grant that is not revoked, or work them out from those it has.
        Its idle days begin anew. Raises `NoSuchGrant`."""
        now = self.wall()
        with self.changing() as connection:
            grant = self._owned(connection, owner, number)
            terms = new if isinstance(new, Terms) else new(grant.terms)
            connection.execute(
                "update grants set may = ?, rate = ?, until = ?, idle_days = ?, must_cite = ?, "
                "since = ?, noted = 0 where number = ?",
                (*terms_row(terms), now, number),
            )
            detail = {"before": grant.terms.shown(), "after": terms.shown()}
            add_event(connection, now, grant.store, "changed", by, detail, grant=number)
        return self._grant_of(number)

    def revoke(self, owner: Reader, number: int, *, by: str) -> Grant:
        """End a grant at once, for every process. Raises `NoSuchGrant`."""
        now = self.wall()
        with self.changing() as connection:
            grant = self._owned(connection, owner, number)
            end_grant(connection, grant, now, by)
        return self._grant_of(number)

    def grant_in(self, owner: Reader, store: str, number: int) -> Grant:
        """A grant of this store that is not revoked. Raises `NoSuchGrant`."""
        grant = self._owned(self._connection, owner, number)
        if grant.store != store:
            raise NoSuchGrant(number)
        return grant

    def note_ends(self) -> None:
        """Write an event for each grant that ended or lapsed since the last look."""
        now = self.wall()
        unnoted = "revoked is null and noted = 0 and (until is not null or idle_days is not null)"
        over = [
            grant
            for grant in grants_where(self._connection, unnoted, ())
            if grant.state(now) != "in force"
        ]
        if not over:
            return
        with self.changing() as connection:
            for grant in over:
                noted = connection.execute(
                    "update grants set noted = 1 where number = ? and noted = 0", (grant.number,)
                )
                if noted.rowcount:
                    state = grant.state(now)
                    add_event(connection, now, grant.store, state, "time", {}, grant=grant.number)

    def check_owner(self, connection: sqlite3.Connection, owner: Reader, store: str) -> Ownership:
        ownership = ownership_of(connection, store)
        if ownership is None or not ownership.is_owner(owner):
            raise NotOwner(store)
        return ownership

    def _owned(self, connection: sqlite3.Connection, owner: Reader, number: int) -> Grant:
        for grant in grants_where(connection, "number = ? and revoked is null", (number,)):
            ownership = ownership_of(connection, grant.store)
            if ownership is not None and ownership.is_owner(owner):
                return grant
        raise NoSuchGrant(number)

    def _grant_of(self, number: int) -> Grant:
        return grants_where(self._connection, "number = ?", (number,))[0]

    @contextlib.contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """A change of rights: all or nothing, and on the disk before it is acknowledged."""
        with self._transaction() as connection:
            yield connection

    @property
    def looking(self) -> sqlite3.Connection:
        """This thread's connection, for questions alone."""
        return self._connection

    @contextlib.contextmanager
    def quickly_changing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that a killed process cannot lose, and a power cut may."""
        self._connection.execute("pragma synchronous = normal")
        try:
            with self._transaction() as connection:
                yield connection
        finally:
            self._connection.execute("pragma synchronous = full")
