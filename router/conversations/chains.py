"""Follows the turns of a chain of responses, and gathers their items, oldest first."""

import sqlite3
from collections.abc import Iterator

import orjson

from router.conversations import threads
from router.conversations.kept import BrokenChain, Earlier, Item, NotKept

_MOST_BYTES = 64 * 2**20  # of one chain, in memory at once
_STEP = "select previous, conversation, upto, thread from responses where owner = ? and id = ?"
_PART = "select item from items where owner = ? and response = ? order by part, seq"
_BEFORE = "select item from items where owner = ? and thread = ? and seq <= ? order by seq"


class ChainTooLong(ValueError):
    """A chain holds more than a router reads into memory at once."""


def up_to(connection: sqlite3.Connection, owner: str, response_id: str, since: float) -> Earlier:
    """The items of a response and of all turns before it."""
    thread, *_ = threads.response_row(connection, owner, response_id, since)
    lines = _gathered(connection, owner, response_id, whole=True)
    return _as_earlier(connection, owner, thread, lines)


def input_of(
    connection: sqlite3.Connection, owner: str, response_id: str, since: float
) -> tuple[Item, ...]:
    threads.response_row(connection, owner, response_id, since)
    lines = _gathered(connection, owner, response_id, whole=False)
    return tuple(map(orjson.loads, lines))


def whole_thread(connection: sqlite3.Connection, owner: str, thread: str) -> Earlier:
    lines = list(_within(_lines(connection, _BEFORE, owner, thread, 2**62)))
    return _as_earlier(connection, owner, thread, lines)


def _gathered(
    connection: sqlite3.Connection, owner: str, response_id: str, *, whole: bool
) -> list[bytes]:
    """The items of a response, with or without its output, and of all turns before it."""
    turns: list[str] = []
    beginning: list[bytes] = []
    step = response_id
    while step:
        row = connection.execute(_STEP, (owner, step)).fetchone()
        if row is None:
            raise BrokenChain(step) if turns else NotKept(step)
        previous, conversation, upto, _ = row
        turns.append(step)
        if conversation:
            beginning = list(_lines(connection, _BEFORE, owner, conversation, upto))
        step = previous

    def lines() -> Iterator[bytes]:
        yield from beginning
        for turn in reversed(turns):
            if turn == response_id and not whole:
                query = "select item from items where owner = ? and response = ? "
                yield from _lines(
                    connection, f"{query} and part = 'input' order by seq", owner, turn
                )
            else:
                yield from _lines(connection, _PART, owner, turn)

    return list(_within(lines()))


def _lines(connection: sqlite3.Connection, query: str, *values: object) -> Iterator[bytes]:
    for (line,) in connection.execute(query, values):
        yield line


def _within(lines: Iterator[bytes]) -> Iterator[bytes]:
    size = 0
    for line in lines:
        size += len(line)
        if size > _MOST_BYTES:
            raise ChainTooLong(f"more than {_MOST_BYTES:,} bytes")
        yield line


def _as_earlier(
    connection: sqlite3.Connection, owner: str, thread: str, lines: list[bytes]
) -> Earlier:
    forgotten, session = connection.execute(
        "select forgotten, session from threads where owner = ? and id = ?", (owner, thread)
    ).fetchone() or (0, "")
    items = tuple(map(orjson.loads, lines))
    stores = connection.execute(
        "select store from sources where owner = ? and thread = ? order by store", (owner, thread)
    )
    size = sum(map(len, lines))
    return Earlier(thread, items, forgotten, session, size, tuple(store for (store,) in stores))
