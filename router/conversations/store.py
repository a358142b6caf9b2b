"""The store of responses and conversations: one SQLite file that all router processes share.

What an owner keeps is seen by this owner alone: every statement names the owner, and an id of
somebody else is looked up, and not found, exactly like an id that never existed. An acknowledged
write survives a killed process. A thread that holds words of a store of knowledge is handed out
only while its owner may read that store; otherwise it is not found. What is forgotten is erased
from the file and from its log. The file is bounded: the owner who keeps the most loses the least
recently used thread.

Not covered: copies that were made of the file, and what a file system keeps of overwritten blocks.
"""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import orjson

from router.conversations import chains, forgetting, threads
from router.conversations.kept import (
    Earlier,
    Item,
    KeptConversation,
    KeptResponse,
    KeptSummary,
    KeptThread,
    ListedItems,
    NewResponse,
    NotKept,
    Page,
)
from router.conversations.tables import FILE, connect, create
from router.sqlite_file import SqliteFile


def _reads_nothing(owner: str, store: str) -> bool:  # noqa: ARG001
    return False


class ConversationStore(SqliteFile):
    """The SQLite file, opened at its first use. Each thread of the process has its own
    connection."""

    def __init__(
        self,
        folder: Path,
        *,
        keep_seconds: float,
        max_bytes: int,
        may_read: Callable[[str, str], bool] = _reads_nothing,
    ) -> None:
        """`may_read` says whether an owner may read a store of knowledge at this moment."""
        super().__init__()
        self._may_read = may_read
        self.keep_seconds, self.max_bytes = keep_seconds, max_bytes
        self.evicted = 0  # threads that had to go to make room
        self._folder, self._path = folder, folder / FILE

    @property
    def exists(self) -> bool:
        return self._path.is_file()

    def _open(self, *, first: bool) -> sqlite3.Connection:
        if first:
            create(self._folder)
        connection = connect(self._path)
        connection.create_function("may_read", 2, self._may_read)
        return connection

    @contextlib.contextmanager
    def _erasing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that deletes words; afterwards the log holds none of them either."""
        with self._transaction() as connection:
            yield connection
        forgetting.erase(self._connection)

    def _room(self, connection: sqlite3.Connection, owner: str, thread: str) -> None:
        """Keep the file within its bound; this thread stays."""
        self.evicted += forgetting.make_room(connection, self.max_bytes, (owner, thread))

    @contextlib.contextmanager
    def _adding(self) -> Iterator[sqlite3.Connection]:
        """A transaction that adds; whatever had to go for it is erased."""
        before = self.evicted
        with self._transaction() as connection:
            yield connection
        if self.evicted != before:
            forgetting.erase(self._connection)

    def _since(self, now: float) -> float:
        """Threads that nobody touched since then have expired."""
        return now - self.keep_seconds

    # -- responses -------------------------------------------------------------------------------

    def add_response(self, owner: str, new: NewResponse, thread: str, now: float) -> None:
        """Keep an answered request, in the thread that it goes on with; empty: in a new one."""
        thread = thread or new.id
        with self._adding() as connection:
            threads.add_response(connection, owner, new, thread, now)
            self._room(connection, owner, thread)

    def response(self, owner: str, id_: str, now: float) -> KeptResponse:
        row = threads.response_row(self._connection, owner, id_, self._since(now))
        output = threads.items_of(self._connection, owner, id_, "output")
        thread, previous, conversation, created, response = row
        whole = orjson.loads(response) | {"output": list(output)}
        return KeptResponse(id_, thread, previous, conversation, created, whole)

    def earlier(self, owner: str, response_id: str, now: float) -> Earlier:
        """All items up to this response and its output. Raises `NotKept` or `BrokenChain`."""
        return chains.up_to(self._connection, owner, response_id, self._since(now))

    def input_items(self, owner: str, response_id: str, now: float) -> tuple[Item, ...]:
        """The items that a response was made from: the earlier ones, and those of its request."""
        return chains.input_of(self._connection, owner, response_id, self._since(now))

    def delete_response(self, owner: str, id_: str, now: float) -> None:
        with self._erasing() as connection:
            forgetting.delete_response(connection, owner, id_, self._since(now))

    # -- conversations ---------------------------------------------------------------------------

    def add_conversation(
        self,
        owner: str,
        id_: str,
        metadata: Mapping[str, str],
        items: Sequence[Item],
        now: float,
    ) -> None:
        with self._adding() as connection:
            threads.add_thread(connection, owner, id_, "conversation", metadata, now)
            threads.append(connection, owner, id_, items, now)
            self._room(connection, owner, id_)

    def conversation(self, owner: str, id_: str, now: float) -> KeptConversation:
        return threads.conversation(self._connection, owner, id_, self._since(now))

    def rename_conversation(
        self, owner: str, id_: str, metadata: Mapping[str, str], now: float
    ) -> KeptConversation:
        with self._transaction() as connection:
            threads.conversation(connection, owner, id_, self._since(now))
            connection.execute(
                "update threads set metadata = ?, touched = ? where owner = ? and id = ?",
                (orjson.dumps(metadata), now, owner, id_),
            )
            return threads.conversation(connection, owner, id_, self._since(now))

    def delete_conversation(self, owner: str, id_: str, now: float) -> None:
        """Delete a conversation with its items, its summaries and its responses."""
        with self._erasing() as connection:
            threads.conversation(connection, owner, id_, self._since(now), reads=False)
            forgetting.delete_thread(connection, owner, id_)

    def conversed(self, owner: str, id_: str, now: float) -> Earlier:
        """All items of a conversation."""
        threads.conversation(self._connection, owner, id_, self._since(now))
        return chains.whole_thread(self._connection, owner, id_)

    def add_items(
        self, owner: str, conversation: str, items: Sequence[Item], now: float
    ) -> tuple[Item, ...]:
        with self._adding() as connection:
            threads.conversation(connection, owner, conversation, self._since(now))
            added = threads.append(connection, owner, conversation, items, now)
            self._room(connection, owner, conversation)
            return added

    def items(self, owner: str, conversation: str, page: Page, now: float) -> ListedItems:
        threads.conversation(self._connection, owner, conversation, self._since(now))
        return threads.listed(self._connection, owner, conversation, page)

    def item(self, owner: str, conversation: str, item_id: str, now: float) -> Item:
        threads.conversation(self._connection, owner, conversation, self._since(now))
        return threads.item(self._connection, owner, item_id, conversation)

    def referenced(self, owner: str, item_id: str, now: float) -> Item:
        """An item that a request names by its id alone."""
        return threads.item(self._connection, owner, item_id, since=self._since(now))

    def delete_item(
        self, owner: str, conversation: str, item_id: str, now: float
    ) -> KeptConversation:
        with self._erasing() as connection:
            since = self._since(now)
            kept = threads.conversation(connection, owner, conversation, since, reads=False)
            threads.item(connection, owner, item_id, conversation, reads=False)
            forgetting.delete_item(connection, owner, conversation, item_id)
            return kept

    # -- summaries -------------------------------------------------------------------------------

    def add_summary(self, owner: str, earlier: Earlier, summary: KeptSummary, now: float) -> bool:
        """Keep a summary, unless something of the thread was deleted while it was made."""
        with self._transaction() as connection:
            alive = connection.execute(
                "select 1 from threads where owner = ? and id = ? and forgotten = ?",
                (owner, earlier.thread, earlier.forgotten),
            ).fetchone()
            if alive is None:
                return False
            connection.execute(
                "insert or replace into summaries values (?, ?, ?, ?, ?, ?, ?)",
                (
                    owner, earlier.thread, summary.digest, summary.covers, summary.text,
                    summary.backend, now,
                ),
            )  # fmt: skip
            return True

    def summaries(self, owner: str, thread: str) -> dict[bytes, KeptSummary]:
        """The summaries of a thread's beginnings, by the digest of the items that they cover."""
        rows = self._connection.execute(
            "select digest, covers, text, backend from summaries where owner = ? and thread = ?",
            (owner, thread),
        )
        return {row[0]: KeptSummary(*row) for row in rows}

    # -- looking after the store -----------------------------------------------------------------

    def sweep(self, now: float) -> int:
        """Forget the threads that have expired. Any process may sweep at any time."""
        count, more = 0, True
        while more:  # in steps, so that other writers get their turn
            with self._transaction() as connection:
                step = forgetting.expire(connection, self._since(now))
            count, more = count + step, step == forgetting.EXPIRED_AT_ONCE
        forgetting.erase(self._connection)
        return count

    def forget(
        self, *, owner: str | None = None, ids: Sequence[str] = (), before: float | None = None
    ) -> int:
        """Forget threads: those that all given conditions name. An id is that of a thread or of a
        response in it. Returns their number."""
        with self._erasing() as connection:
            return forgetting.forget(connection, owner, ids, before)

    def forget_sessions(self, sessions: Sequence[str]) -> int:
        """Forget the threads that routing knows under these names. Returns their number."""
        with self._erasing() as connection:
            return forgetting.forget_sessions(connection, sessions)

    def threads(self, owner: str | None = None, most: int = 100) -> list[KeptThread]:
        """What is kept, the last used first."""
        return threads.overview(self._connection, owner, most)

    def owner_of(self, id_: str) -> str:
        """Who keeps the thread or response of this id, for the operator's commands."""
        row = self._connection.execute(
            "select owner from threads where id = ? union all "
            "select owner from responses where id = ?",
            (id_, id_),
        ).fetchone()
        if row is None:
            raise NotKept(id_)
        return str(row[0])

    def damage(self) -> list[str]:
        """The problems that SQLite's own check finds in the file."""
        rows = self._connection.execute("pragma integrity_check").fetchall()
        return [problem for (problem,) in rows if problem != "ok"]
