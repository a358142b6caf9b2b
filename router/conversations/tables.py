"""The SQLite file of conversations: its tables, and how a connection to it is opened.

Every connection erases what it deletes (`secure_delete`), and a commit is with the kernel before it
is acknowledged, so a killed process loses none. The file and its folder belong to their owner
alone. Not covered: a power cut may lose the latest commits, and never the file; file systems
without locks between processes, such as some network mounts.
"""

import os
import sqlite3
from pathlib import Path

FILE = "memory.sqlite"
_BUSY_SECONDS = 10.0  # how long a connection waits for another process that writes

# A thread is a conversation, or a chain of responses that began with one response. Its items stand
# in the order of `seq`. `upto`: the last item that a conversation held before the response.
# `forgotten` counts what was deleted from a thread, so that no summary of it comes back. `sources`
# are the stores of knowledge whose words a thread may hold.
SCHEMA = """
create table if not exists threads (
  owner text not null, id text not null, kind text not null, created real not null,
  touched real not null, bytes integer not null, forgotten integer not null,
  session text not null, metadata blob not null, primary key (owner, id)) without rowid;
create index if not exists by_touch on threads (touched);
create table if not exists responses (
  owner text not null, id text not null, thread text not null, previous text not null,
  conversation text not null, upto integer not null, created real not null,
  response blob not null, unique (owner, id));
create index if not exists by_response_thread on responses (owner, thread);
create table if not exists items (
  seq integer primary key autoincrement, owner text not null, thread text not null,
  response text not null, part text not null, id text not null, item blob not null);
create index if not exists by_item_thread on items (owner, thread, seq);
create index if not exists by_item_response on items (owner, response, part, seq);
create index if not exists by_item on items (owner, id);
create table if not exists sources (
  owner text not null, thread text not null, store text not null,
  primary key (owner, thread, store)) without rowid;
create table if not exists summaries (
  owner text not null, thread text not null, digest blob not null, covers integer not null,
  text text not null, backend text not null, created real not null,
  primary key (owner, thread, digest)) without rowid;
"""


class UnreadableMemory(RuntimeError):
    """The file is damaged or is no store of conversations; the message says what to do."""


def create(folder: Path) -> Path:
    """The store's file; make the folder, the file and its tables where they are missing."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    path = folder / FILE
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    try:
        connection = connect(path)
        try:
            connection.executescript(SCHEMA)
        finally:
            connection.close()
    except sqlite3.OperationalError:  # busy, or a full disk: it may pass
        raise
    except sqlite3.DatabaseError as error:
        mend = "move it away to begin anew, or put a copy back"
        raise UnreadableMemory(f"{path} cannot be read ({error}): {mend}") from None
    return path


def connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("pragma auto_vacuum = incremental")  # counts only before the first table
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = normal")
        # Without mmap: a file that another process shortens must not kill this process.
        connection.execute("pragma mmap_size = 0")
        connection.execute("pragma secure_delete = on")
    except BaseException:
        connection.close()
        raise
    return connection
