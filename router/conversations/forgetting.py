"""Statements that delete: by id, by age, to make room; and how the log is emptied of old words."""

import sqlite3
from collections.abc import Sequence

from router.conversations import threads
from router.conversations.kept import StoreFull

_ROOM = 0.9  # of the bound, after a store that was full made room
EXPIRED_AT_ONCE = 500


def erase(connection: sqlite3.Connection) -> None:
    """Give free pages back, and empty the log, which still holds the pages as they were.

    While another process reads, the log stays; whoever erases next empties it.
    """
    connection.execute("pragma incremental_vacuum").fetchall()
    connection.execute("pragma wal_checkpoint(truncate)").fetchall()


def delete_response(connection: sqlite3.Connection, owner: str, id_: str, since: float) -> None:
    """Delete a response. Items that it gave to a conversation stay with the conversation."""
    thread, _, conversation, *_ = threads.response_row(connection, owner, id_, since, reads=False)
    connection.execute("delete from responses where owner = ? and id = ?", (owner, id_))
    if not conversation:
        connection.execute("delete from items where owner = ? and response = ?", (owner, id_))
    _shrunk(connection, owner, thread)


def delete_item(connection: sqlite3.Connection, owner: str, thread: str, item_id: str) -> None:
    connection.execute(
        "delete from items where owner = ? and thread = ? and id = ?", (owner, thread, item_id)
    )
    _shrunk(connection, owner, thread)


def _shrunk(connection: sqlite3.Connection, owner: str, thread: str) -> None:
    """After something of a thread was deleted: its summaries go, and an empty chain as well."""
    own = (owner, thread)
    connection.execute("delete from summaries where owner = ? and thread = ?", own)
    connection.execute(
        "update threads set forgotten = forgotten + 1, bytes = "
        "(select coalesce(sum(length(item)), 0) from items i "
        "  where i.owner = threads.owner and i.thread = threads.id) + "
        "(select coalesce(sum(length(response)), 0) from responses r "
        "  where r.owner = threads.owner and r.thread = threads.id) "
        "where owner = ? and id = ?",
        own,
    )
    connection.execute(
        "delete from threads where owner = ? and id = ? and kind = 'chain' and bytes = 0", own
    )
    connection.execute(
        "delete from sources where owner = ? and thread = ? and not exists "
        "(select 1 from threads t where t.owner = sources.owner and t.id = sources.thread)",
        own,
    )


def delete_thread(connection: sqlite3.Connection, owner: str, thread: str) -> None:
    own = (owner, thread)
    for table in ("items", "responses", "summaries", "sources"):
        connection.execute(f"delete from {table} where owner = ? and thread = ?", own)
    connection.execute("delete from threads where owner = ? and id = ?", own)


def expire(connection: sqlite3.Connection, since: float) -> int:
    """Delete threads that nobody touched since then, a bounded number at once."""
    rows = connection.execute(
        "select owner, id from threads where touched < ? order by touched limit ?",
        (since, EXPIRED_AT_ONCE),
    ).fetchall()
    for owner, thread in rows:
        delete_thread(connection, owner, thread)
    return len(rows)


def forget_sessions(connection: sqlite3.Connection, sessions: Sequence[str]) -> int:
    """Delete the threads that routing knows under these names."""
    rows = [
        row
        for session in sessions
        for row in connection.execute(
            "select owner, id from threads where session = ? and session <> ''", (session,)
        ).fetchall()
    ]
    for owner, thread in rows:
        delete_thread(connection, owner, thread)
    return len(rows)


def forget(
    connection: sqlite3.Connection, owner: str | None, ids: Sequence[str], before: float | None
) -> int:
    """Delete the threads that all given conditions name; without a condition, none."""
    if owner is None and not ids and before is None:
        return 0
    rows = connection.execute(
        "select owner, id from threads "
        "where (? is null or owner = ?) and (? is null or touched < ?)",
        (owner, owner, before, before),
    ).fetchall()
    if ids:
        named = set(ids)
        named |= {
            thread
            for id_ in ids
            for (thread,) in connection.execute("select thread from responses where id = ?", (id_,))
        }
        rows = [row for row in rows if row[1] in named]
    for its_owner, thread in rows:
        delete_thread(connection, its_owner, thread)
    return len(rows)


def make_room(connection: sqlite3.Connection, most_bytes: int, kept: tuple[str, str]) -> int:
    """Delete threads until the file is within its bound: each time the least recently used thread
    of the owner who keeps the most, so that nobody can push out what others keep."""
    if _used_bytes(connection) <= most_bytes:
        return 0
    count = 0
    while _used_bytes(connection) > _ROOM * most_bytes:
        row = connection.execute(
            "select owner, id from threads where owner = (select owner from threads "
            "where not (owner = ? and id = ?) group by owner order by sum(bytes) desc limit 1) "
            "and not (owner = ? and id = ?) order by touched, id limit 1",
            (*kept, *kept),
        ).fetchone()
        if row is None:
            if _used_bytes(connection) > most_bytes:
                raise StoreFull(f"{kept[1]} alone would hold more than {most_bytes:,} bytes")
            break
        delete_thread(connection, *row)
        count += 1
    return count


def _used_bytes(connection: sqlite3.Connection) -> int:
    (pages,) = connection.execute("pragma page_count").fetchone()
    (free,) = connection.execute("pragma freelist_count").fetchone()
    (size,) = connection.execute("pragma page_size").fetchone()
    return int(size * (pages - free))
