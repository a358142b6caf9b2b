"""Statements that write and read threads, their responses and their items."""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from router.conversations.kept import (
    Item,
    KeptConversation,
    KeptThread,
    ListedItems,
    NewResponse,
    NotKept,
    Page,
)
from router.conversations.new_ids import with_id

_OVERVIEW = """
select owner, id, kind, created, touched, bytes,
  (select count(*) from responses r where r.owner = t.owner and r.thread = t.id),
  (select count(*) from items i where i.owner = t.owner and i.thread = t.id),
  metadata
from threads t where ? is null or owner = ? order by touched desc, id limit ?
"""
# A thread that has not expired, and whose stores its owner may all read now; who deletes a thread
# reads none of it.
_OPEN = """t.touched >= ? and (? or not exists (
  select 1 from sources s
  where s.owner = t.owner and s.thread = t.id and not may_read(s.owner, s.store)))"""


def add_thread(
    connection: sqlite3.Connection,
    owner: str,
    id_: str,
    kind: str,
    metadata: Mapping[str, str],
    now: float,
    *,
    session: str = "",
) -> None:
    connection.execute(
        "insert into threads values (?, ?, ?, ?, ?, 0, 0, ?, ?)",
        (owner, id_, kind, now, now, session, orjson.dumps(metadata)),
    )


def add_response(
    connection: sqlite3.Connection, owner: str, new: NewResponse, thread: str, now: float
) -> None:
    """Add a response to a thread. A chain that began before is continued, or begins here."""
    upto, begun = 0, True
    if new.conversation:
        conversation(connection, owner, new.conversation, since=0.0)
        upto = last_seq(connection, owner, thread)
    elif not _touch(connection, owner, thread, 0, now):
        begun = False
        add_thread(connection, owner, thread, "chain", {}, now, session=new.session)
    size = 0
    if new.response:
        response = orjson.dumps({**new.response, "output": []})
        connection.execute(
            "insert into responses values (?, ?, ?, ?, ?, ?, ?, ?)",
            (owner, new.id, thread, new.previous, new.conversation, upto, now, response),
        )
        size += len(response)
    for part, items in (("input", new.input), ("output", new.output)):
        added = _without_clashes(connection, owner, thread, items, is_new=not begun)
        size += _insert(connection, owner, thread, added, response=new.id, part=part)
    _touch(connection, owner, thread, size, now)
    connection.executemany(
        "insert or ignore into sources values (?, ?, ?)",
        [(owner, thread, store) for store in new.stores],
    )
    _carry_sources(connection, owner, thread, new.input)


def append(
    connection: sqlite3.Connection, owner: str, thread: str, items: Sequence[Item], now: float
) -> tuple[Item, ...]:
    """Add items to a thread, and return them as they are kept."""
    added = _without_clashes(connection, owner, thread, items)
    _touch(connection, owner, thread, _insert(connection, owner, thread, added), now)
    _carry_sources(connection, owner, thread, items)
    return added


def _carry_sources(
    connection: sqlite3.Connection, owner: str, thread: str, items: Sequence[Item]
) -> None:
    """What was said in a thread with words of a store stays bound to this store elsewhere."""
    connection.executemany(
        "insert or ignore into sources select s.owner, ?, s.store from items i "
        "join sources s on s.owner = i.owner and s.thread = i.thread "
        "where i.owner = ? and i.id = ?",
        [(thread, owner, item["id"]) for item in items],
    )


def _without_clashes(
    connection: sqlite3.Connection,
    owner: str,
    thread: str,
    items: Sequence[Item],
    *,
    is_new: bool = False,
) -> tuple[Item, ...]:
    """The items, with a new id for each whose id the thread, or an item before it, has already."""
    added: dict[str, Item] = {}
    for item in items:
        taken = item["id"] in added
        if taken or not (is_new or _seq_of(connection, owner, item["id"], thread) is None):
            item = with_id({**item, "id": None})
        added[item["id"]] = item
    return tuple(added.values())


def _insert(
    connection: sqlite3.Connection,
    owner: str,
    thread: str,
    items: Sequence[Item],
    *,
    response: str = "",
    part: str = "",
) -> int:
    """Write items behind those of the thread, and return their size in bytes."""
    lines = [orjson.dumps(item) for item in items]
    connection.executemany(
        "insert into items (owner, thread, response, part, id, item) values (?, ?, ?, ?, ?, ?)",
        [
            (owner, thread, response, part, item["id"], line)
            for item, line in zip(items, lines, strict=True)
        ],
    )
    return sum(map(len, lines))


def _touch(
    connection: sqlite3.Connection, owner: str, thread: str, more_bytes: int, now: float
) -> bool:
    changed = connection.execute(
        "update threads set bytes = bytes + ?, touched = max(touched, ?) "
        "where owner = ? and id = ?",
        (more_bytes, now, owner, thread),
    )
    return changed.rowcount > 0


def conversation(
    connection: sqlite3.Connection, owner: str, id_: str, since: float, *, reads: bool = True
) -> KeptConversation:
    row = connection.execute(
        "select t.created, t.metadata from threads t "
        f"where t.owner = ? and t.id = ? and t.kind = 'conversation' and {_OPEN}",
        (owner, id_, since, not reads),
    ).fetchone()
    if row is None:
        raise NotKept(id_)
    return KeptConversation(id_, row[0], orjson.loads(row[1]))


def response_row(
    connection: sqlite3.Connection, owner: str, id_: str, since: float, *, reads: bool = True
) -> tuple[Any, ...]:
    """Thread, previous response, conversation, time and body of a response."""
    row: tuple[Any, ...] | None = connection.execute(
        "select r.thread, r.previous, r.conversation, r.created, r.response from responses r "
        "join threads t on t.owner = r.owner and t.id = r.thread "
        f"where r.owner = ? and r.id = ? and {_OPEN}",
        (owner, id_, since, not reads),
    ).fetchone()
    if row is None:
        raise NotKept(id_)
    return row


def items_of(
    connection: sqlite3.Connection, owner: str, response: str, part: str
) -> tuple[Item, ...]:
    rows = connection.execute(
        "select item from items where owner = ? and response = ? and part = ? order by seq",
        (owner, response, part),
    )
    return tuple(orjson.loads(line) for (line,) in rows)


def last_seq(connection: sqlite3.Connection, owner: str, thread: str) -> int:
    (seq,) = connection.execute(
        "select coalesce(max(seq), 0) from items where owner = ? and thread = ?", (owner, thread)
    ).fetchone()
    return int(seq)


def _seq_of(connection: sqlite3.Connection, owner: str, item_id: Any, thread: str) -> int | None:
    row = connection.execute(
        "select seq from items where owner = ? and id = ? and thread = ?",
        (owner, item_id, thread),
    ).fetchone()
    return None if row is None else int(row[0])


def item(
    connection: sqlite3.Connection,
    owner: str,
    item_id: str,
    thread: str | None = None,
    *,
    since: float = 0.0,
    reads: bool = True,
) -> Item:
    row = connection.execute(
        "select i.item from items i join threads t on t.owner = i.owner and t.id = i.thread "
        f"where i.owner = ? and i.id = ? and (? is null or i.thread = ?) and {_OPEN}",
        (owner, item_id, thread, thread, since, not reads),
    ).fetchone()
    if row is None:
        raise NotKept(item_id)
    kept: Item = orjson.loads(row[0])
    return kept


def listed(connection: sqlite3.Connection, owner: str, thread: str, page: Page) -> ListedItems:
    """One page of a thread's items. Raises `NotKept` for an `after` that is not in the thread."""
    ascends = page.order == "asc"
    bound = 0 if ascends else 2**62
    if page.after:
        after = _seq_of(connection, owner, page.after, thread)
        if after is None:
            raise NotKept(page.after)
        bound = after
    side, order = (">", "asc") if ascends else ("<", "desc")
    rows = connection.execute(
        f"select item from items where owner = ? and thread = ? and seq {side} ? "
        f"order by seq {order} limit ?",
        (owner, thread, bound, page.limit + 1),
    ).fetchall()
    lines = rows[: page.limit]
    return ListedItems(tuple(orjson.loads(line) for (line,) in lines), len(rows) > page.limit)


def overview(connection: sqlite3.Connection, owner: str | None, most: int) -> list[KeptThread]:
    rows = connection.execute(_OVERVIEW, (owner, owner, most)).fetchall()
    return [KeptThread(*(*row[:8], orjson.loads(row[8]))) for row in rows]
