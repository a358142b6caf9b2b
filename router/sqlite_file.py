"""The base of stores in one SQLite file: a connection for each thread, and whole transactions."""

import contextlib
import sqlite3
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator


class SqliteFile(ABC):
    """A file that is opened at its first use. A transaction is all or nothing."""

    def __init__(self) -> None:
        self._opening = threading.Lock()
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []

    @abstractmethod
    def _open(self, *, first: bool) -> sqlite3.Connection:
        """A new connection; `first`: no other connection of this store is open."""

    @property
    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            with self._opening:
                connection = self._local.connection = self._open(first=not self._connections)
                self._connections.append(connection)
        return connection

    def close(self) -> None:
        """Close this thread's connection, and let go of the others: to close one under the query
        of its thread can crash the process, so it closes once nothing refers to it."""
        own: sqlite3.Connection | None = getattr(self._local, "connection", None)
        with self._opening:
            self._connections.clear()
            self._local = threading.local()
        if own is not None:
            own.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        connection = self._connection
        connection.execute("begin immediate")
        try:
            yield connection
        except BaseException:
            connection.execute("rollback")
            raise
        connection.execute("commit")
