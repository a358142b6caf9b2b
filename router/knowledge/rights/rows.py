"""The rows of the file of rights: each function runs within a caller's transaction."""

import json
import sqlite3
import time
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter

from router.config.knowledge_access import AskRule, May
from router.knowledge.rights.grants import HOUR, Grant, Ownership, Terms
from router.knowledge.rights.reader import Reader
from router.value import value

_COLUMNS = (
    "number, store, who, may, rate, until, idle_days, must_cite, since, used, by, source, revoked"
)
_RULES = TypeAdapter(tuple[AskRule, ...])


@value
class RightsNews:
    """An event of rights for telemetry, under an id that it always has. It holds no words."""

    id: str
    at: float
    store: str
    state: str
    detail: Mapping[str, Any]


def add_event(
    connection: sqlite3.Connection,
    at: float,
    store: str,
    kind: str,
    by: str,
    detail: Mapping[str, Any],
    *,
    grant: int | None = None,
    ask: int | None = None,
) -> None:
    connection.execute(
        "insert into events (at, store, kind, by, grant_number, ask, detail) "
        "values (?, ?, ?, ?, ?, ?, ?)",
        (at, store, kind, by, grant, ask, json.dumps(detail)),
    )


def add_grant(
    connection: sqlite3.Connection,
    store: str,
    who: str,
    terms: Terms,
    now: float,
    *,
    by: str,
    source: str,
    ask: int | None = None,
    line: str = "",
) -> int:
    cursor = connection.execute(
        "insert into grants (store, who, may, rate, until, idle_days, must_cite, since, used, by, "
        "source, line) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (store, who, *terms_row(terms), now, now, by, source, line),
    )
    number = int(cursor.lastrowid or 0)
    detail = {"who": who} | terms.shown()
    add_event(connection, now, store, "granted", by, detail, grant=number, ask=ask)
    return number


def end_grant(connection: sqlite3.Connection, grant: Grant, now: float, by: str) -> None:
    connection.execute("update grants set revoked = ? where number = ?", (now, grant.number))
    add_event(connection, now, grant.store, "revoked", by, {"who": grant.who}, grant=grant.number)


def rules_of(connection: sqlite3.Connection, store: str) -> tuple[AskRule, ...]:
    row = connection.execute("select rules from stores where name = ?", (store,)).fetchone()
    return () if row is None else _RULES.validate_json(row[0])


def ownership_of(connection: sqlite3.Connection, store: str) -> Ownership | None:
    row = connection.execute(
        "select owner, visible, locale from stores where name = ?", (store,)
    ).fetchone()
    return None if row is None else Ownership(*row)


def grants_where(connection: sqlite3.Connection, where: str, values: Sequence[Any]) -> list[Grant]:
    rows = connection.execute(f"select {_COLUMNS} from grants where {where}", values)
    return [
        Grant(
            number,
            store,
            who,
            Terms(may, rate, until, idle_days, bool(must_cite)),
            since,
            used,
            by,
            source,
            revoked,
        )
        for (
            number,
            store,
            who,
            may,
            rate,
            until,
            idle_days,
            must_cite,
            since,
            used,
            by,
            source,
            revoked,
        ) in rows
    ]


def terms_row(terms: Terms) -> tuple[Any, ...]:
    return terms.may, terms.rate, terms.until, terms.idle_days, int(terms.must_cite)


def wait_for(connection: sqlite3.Connection, grant: Grant, reader: Reader, now: float) -> float:
    """Seconds until the reader may use the grant again, by its rate; 0: now."""
    rate = grant.terms.rate
    if rate is None:
        return 0.0
    latest = connection.execute(
        "select at from last_hour where grant_number = ? and key_id = ? and at > ? "
        "order by at desc limit ?",
        (grant.number, reader.key_id, now - HOUR, rate),
    ).fetchall()
    return 0.0 if len(latest) < rate else float(latest[-1][0]) + HOUR - now


def count_use(
    connection: sqlite3.Connection, reader: Reader, store: str, act: May, now: float
) -> None:
    column = "reads" if act == "read" else "writes"
    connection.execute(
        "insert into uses (day, store, key_id, name, locale, reads, writes) "
        "values (?, ?, ?, ?, ?, 0, 0) on conflict do nothing",
        (day := _day(now), store, reader.key_id, reader.name, reader.locale),
    )
    connection.execute(
        f"update uses set {column} = {column} + 1 where day = ? and store = ? and key_id = ?",
        (day, store, reader.key_id),
    )


def use_grant(connection: sqlite3.Connection, number: int, reader: Reader, now: float) -> None:
    connection.execute("update grants set used = ? where number = ?", (now, number))
    connection.execute("delete from last_hour where at <= ?", (now - HOUR,))
    connection.execute("insert into last_hour values (?, ?, ?)", (number, reader.key_id, now))


def events_to_tell(connection: sqlite3.Connection) -> list[RightsNews]:
    (last,) = connection.execute("select coalesce(max(number), 0) from told").fetchone()
    rows = connection.execute(
        "select number, at, store, kind, by, grant_number, ask, detail from events "
        "where number > ? order by number",
        (last,),
    ).fetchall()
    if rows:
        connection.execute("delete from told")
        connection.execute("insert into told values (?)", (rows[-1][0],))
    news = []
    for number, at, store, kind, by, grant, ask, detail in rows:
        facts = {"number": number, "by": by, "grant": grant, "ask": ask}
        given = {name: value for name, value in facts.items() if value is not None}
        news.append(RightsNews(f"right {number}", at, store, kind, given | json.loads(detail)))
    return news


def uses_to_tell(connection: sqlite3.Connection, now: float) -> list[RightsNews]:
    rows = connection.execute(
        "select day, store, key_id, name, reads, reads - reads_told, writes, writes - writes_told "
        "from uses where reads > reads_told or writes > writes_told"
    ).fetchall()
    connection.execute("update uses set reads_told = reads, writes_told = writes")
    return [
        RightsNews(
            f"use {day} {store} {key_id} {reads} {writes}",
            now,
            store,
            "used",
            {
                "day": day,
                "key": name or "anyone",
                "key_id": key_id,
                "reads": more_reads,
                "writes": more_writes,
            },
        )
        for day, store, key_id, name, reads, more_reads, writes, more_writes in rows
    ]


def _day(now: float) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(now))
