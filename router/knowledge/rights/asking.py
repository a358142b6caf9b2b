"""Asks for access in the file of rights: written down, answered by rules, decided by owners.

An ask for a store that does not exist is kept like any other, and never answered, so that asking
tells nobody which stores there are.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any, Literal

from router.config.knowledge_access import AskRule
from router.knowledge.rights.asks import (
    CLOSED,
    DENIED,
    GRANTED,
    LONGEST_REASON,
    MOST_OPEN,
    WAITING,
    AccessAsk,
    AccessWish,
    rule_for,
    terms_by,
)
from router.knowledge.rights.grants import Ownership, Terms
from router.knowledge.rights.reader import Reader
from router.knowledge.rights.rights import NotOwner, Rights
from router.knowledge.rights.rows import add_event, add_grant, ownership_of, rules_of

Advice = Literal["yes", "no", "unsure"]
_COLUMNS = (
    "number, at, store, key_id, name, locale, may, seconds, reason, state, advice, decided_by, "
    "coalesce(grant_number, 0)"
)


class TooManyAsks(Exception):
    """This key has as many asks waiting as a key may have."""


class NoSuchAsk(LookupError):
    """No waiting ask has this number for a store of this owner."""


class Asks:
    def __init__(self, rights: Rights) -> None:
        self._rights = rights

    def ask(self, asker: Reader, store: str, wish: AccessWish, reason: str) -> AccessAsk:
        """Write an ask down, and answer it if a rule does. Raises `TooManyAsks`, `ValueError`."""
        reason = reason.strip()
        if not reason or len(reason) > LONGEST_REASON:
            raise ValueError(f"a reason has 1 to {LONGEST_REASON} characters")
        now, by = self._rights.wall(), f"key {asker.name}"
        with self._rights.changing() as connection:
            (waiting,) = connection.execute(
                "select count(*) from asks where key_id = ? and state in (?, ?)",
                (asker.key_id, WAITING, CLOSED),
            ).fetchone()
            if waiting >= MOST_OPEN:
                raise TooManyAsks(MOST_OPEN)
            cursor = connection.execute(
                "insert into asks (at, store, key_id, name, locale, may, seconds, reason, state, "
                "advice, decided_by) values (?, ?, ?, ?, ?, ?, ?, ?, ?, '', '')",
                (
                    *(now, store, asker.key_id, asker.name, asker.locale),
                    *(wish.may, wish.seconds, reason, WAITING),
                ),
            )
            number = int(cursor.lastrowid or 0)
            detail = {"may": wish.may, "seconds": wish.seconds}
            add_event(connection, now, store, "asked", by, detail, ask=number)
            ownership = ownership_of(connection, store)
            if ownership is not None:
                self._by_rule(connection, ownership, self._numbered(connection, number), now)
            return self._numbered(connection, number)

    def of_asker(self, asker: Reader) -> list[AccessAsk]:
        """The asks of one key, the newest first."""
        return self._where("key_id = ? order by number desc limit 100", (asker.key_id,))

    def of_store(self, owner: Reader, store: str) -> list[AccessAsk]:
        """The asks for a store, for its owner, the newest first. Raises `NotOwner`."""
        self._rights.check_owner(self._rights.looking, owner, store)
        return self._where("store = ? order by number desc limit 500", (store,))

    def waiting_for(self, owner: Reader) -> list[AccessAsk]:
        """All asks that wait for this owner, the oldest first."""
        waiting = self._where("state = ? order by number limit 1000", (WAITING,))
        return [each for each in waiting if self._rights.owns(owner, each.store)]

    def decide(
        self, owner: Reader, number: int, answer: Literal["yes", "no"], terms: Terms | None, by: str
    ) -> AccessAsk:
        """Answer an ask. Without `terms`, a yes grants what was asked for. An owner may also answer
        what a rule closed. Raises `NoSuchAsk`."""
        now = self._rights.wall()
        with self._rights.changing() as connection:
            ask = self._open(connection, number)
            try:
                self._rights.check_owner(connection, owner, ask.store)
            except NotOwner:
                raise NoSuchAsk(number) from None
            if answer == "yes":
                asked_terms = Terms(ask.wish.may, until=now + ask.wish.seconds)
                self._grant(connection, ask, terms or asked_terms, now, by, "owner")
            else:
                self._close(connection, ask, DENIED, now, by)
            return self._numbered(connection, number)

    def advise(self, number: int, advice: Advice) -> None:
        """Keep the adviser's word for the owner; it decides nothing."""
        now = self._rights.wall()
        with self._rights.changing() as connection:
            ask = self._numbered(connection, number)
            connection.execute("update asks set advice = ? where number = ?", (advice, number))
            detail = {"advice": advice}
            add_event(connection, now, ask.store, "advised", "adviser", detail, ask=number)

    def forget(self, key_ids: Sequence[str]) -> int:
        """Erase the reasons that these keys gave; what was asked and decided stays."""
        count = 0
        with self._rights.changing() as connection:
            for key_id in key_ids:
                count += connection.execute(
                    "update asks set reason = '' where key_id = ? and reason != ''", (key_id,)
                ).rowcount
        return count

    def rules(self, store: str) -> tuple[AskRule, ...]:
        return rules_of(self._rights.looking, store)

    def _by_rule(
        self, connection: sqlite3.Connection, ownership: Ownership, ask: AccessAsk, now: float
    ) -> None:
        rules = rules_of(connection, ask.store)
        place = rule_for(rules, ownership, ask.asker, ask.wish)
        if place is None:
            return
        by = f"rule {place + 1}"
        if rules[place].answer == "yes":
            self._grant(connection, ask, terms_by(rules[place], ask.wish, now), now, by, "rule")
        else:
            self._close(connection, ask, CLOSED, now, by)

    def _grant(
        self,
        connection: sqlite3.Connection,
        ask: AccessAsk,
        terms: Terms,
        now: float,
        by: str,
        source: str,
    ) -> None:
        who = f"key:{ask.asker.name}"
        grant = add_grant(
            connection, ask.store, who, terms, now, by=by, source=source, ask=ask.number
        )
        self._close(connection, ask, GRANTED, now, by, grant)

    def _close(
        self,
        connection: sqlite3.Connection,
        ask: AccessAsk,
        state: str,
        now: float,
        by: str,
        grant: int | None = None,
    ) -> None:
        connection.execute(
            "update asks set state = ?, decided_by = ?, decided_at = ?, grant_number = ? "
            "where number = ?",
            (state, by, now, grant, ask.number),
        )
        detail = {"answer": "yes" if state == GRANTED else "no"}
        add_event(connection, now, ask.store, "decided", by, detail, grant=grant, ask=ask.number)

    def _open(self, connection: sqlite3.Connection, number: int) -> AccessAsk:
        ask = self._numbered(connection, number)
        if ask.state not in (WAITING, CLOSED):
            raise NoSuchAsk(number)
        return ask

    def _numbered(self, connection: sqlite3.Connection, number: int) -> AccessAsk:
        for ask in _read(connection, "number = ?", (number,)):
            return ask
        raise NoSuchAsk(number)

    def _where(self, where: str, values: Sequence[Any]) -> list[AccessAsk]:
        return _read(self._rights.looking, where, values)


def _read(connection: sqlite3.Connection, where: str, values: Sequence[Any]) -> list[AccessAsk]:
    rows = connection.execute(f"select {_COLUMNS} from asks where {where}", values)
    return [
        AccessAsk(
            number,
            at,
            store,
            Reader(key_id, name, locale),
            AccessWish(may, seconds),
            reason,
            state,
            advice,
            decided_by,
            grant,
        )
        for (
            number,
            at,
            store,
            key_id,
            name,
            locale,
            may,
            seconds,
            reason,
            state,
            advice,
            decided_by,
            grant,
        ) in rows
    ]
