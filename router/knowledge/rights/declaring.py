"""What the configuration says about stores, brought into the file of rights.

Whoever starts or reloads a service declares. A line of `grants:` is granted once: if its owner
revokes the grant, it stays revoked until the line is taken out and written again. A line that is
taken out revokes its grant, and a store that is taken out revokes all of its grants, so that a new
store of this name begins with none.
"""

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import orjson

from router.config.knowledge_access import StandingGrant, StoreAccess, until_of
from router.knowledge.rights.grants import EVERYBODY, Ownership, Terms
from router.knowledge.rights.rights import Rights
from router.knowledge.rights.rows import (
    add_event,
    add_grant,
    end_grant,
    grants_where,
    ownership_of,
)

BY = "configuration"


def declare(
    rights: Rights, stores: Mapping[str, StoreAccess], team_of: Callable[[str], str]
) -> None:
    """Bring owners, visibility, standing grants and rules into force. `team_of`: a key's team."""
    now = rights.wall()
    with rights.changing() as connection:
        for name, access in stores.items():
            locale = access.locale or (team_of(access.owner) if access.owner else "")
            ownership = Ownership(access.owner or "", access.visible, locale)
            _own(connection, name, ownership, access, now)
            _stand(connection, name, access, now)
        for (name,) in connection.execute("select name from stores").fetchall():
            if name not in stores:
                _remove(connection, name, now)


def changed_terms(before: Terms, written: Mapping[str, Any], now: float) -> Terms:
    """Terms with the written conditions in place of their own. Raises `ValidationError`."""
    names = set(written) - {"who"}
    new = terms_of(StandingGrant.model_validate({**written, "who": EVERYBODY}), now)
    return replace(before, **{name: getattr(new, name) for name in names})


def _own(
    connection: sqlite3.Connection, name: str, new: Ownership, access: StoreAccess, now: float
) -> None:
    rules = orjson.dumps([rule.model_dump(mode="json") for rule in access.rules]).decode()
    before = ownership_of(connection, name)
    connection.execute(
        "insert or replace into stores (name, owner, visible, locale, rules) "
        "values (?, ?, ?, ?, ?)",
        (name, new.owner, new.visible, new.locale, rules),
    )
    if new != before:
        detail = {"owner": new.owner, "visible": new.visible, "locale": new.locale}
        add_event(connection, now, name, "declared", BY, detail)


def _stand(connection: sqlite3.Connection, name: str, access: StoreAccess, now: float) -> None:
    """Grant the lines that are new, and revoke the grants whose lines are gone."""
    lines = {grant.model_dump_json(): grant for grant in access.grants}
    standing = {
        line: number
        for number, line in connection.execute(
            "select number, line from grants where store = ? and line != '' and number not in "
            "(select grant_number from events where kind = 'revoked' and by = ? "
            "and grant_number is not null) order by number",
            (name, BY),
        )
    }
    for line, grant in lines.items():
        if line not in standing:
            terms = terms_of(grant, now)
            add_grant(connection, name, grant.who, terms, now, by=BY, source=BY, line=line)
    for line, number in standing.items():
        if line not in lines:
            for each in grants_where(connection, "number = ?", (number,)):
                if each.revoked is None:
                    end_grant(connection, each, now, BY)
                else:  # its owner revoked it first: the line may be granted again
                    add_event(connection, now, name, "revoked", BY, {}, grant=number)


def _remove(connection: sqlite3.Connection, name: str, now: float) -> None:
    for grant in grants_where(connection, "store = ? and revoked is null", (name,)):
        end_grant(connection, grant, now, BY)
    connection.execute("delete from stores where name = ?", (name,))
    connection.execute(
        "update asks set state = 'closed', decided_by = ?, decided_at = ? "
        "where store = ? and state = 'waiting'",
        (BY, now, name),
    )
    add_event(connection, now, name, "removed", BY, {})


def terms_of(grant: StandingGrant, now: float) -> Terms:
    """The terms that a written grant has from `now` on."""
    until = None if grant.until is None else until_of(grant.until, now)
    return Terms(grant.may, grant.rate, until, grant.idle_days, grant.must_cite)
