"""The SQLite file of one store: its tables, and how a connection to it is opened.

A change is one transaction: its event, the document, its version, its passages and their words. So
a killed writer loses no change and makes none twice. Vectors are filled in afterwards, for every
`pending` passage. `vectors.number` and `gone.number` rise with each entry: an index that
follows the store asks for what came after the numbers that it has reached.
"""

import os
import sqlite3
from pathlib import Path

FILE = "store.sqlite"
_BUSY_SECONDS = 30.0

SCHEMA = """
create table if not exists events (
  number integer primary key autoincrement, at real not null, kind text not null,
  document text not null, version integer not null, hash text not null, source text not null,
  by text not null, detail text not null);
create index if not exists events_by_document on events (document);
create trigger if not exists events_are_never_changed before update on events
  begin select raise(abort, 'an event is never changed'); end;
create trigger if not exists events_are_never_deleted before delete on events
  begin select raise(abort, 'an event is never deleted'); end;
create table if not exists documents (
  id text primary key, version integer not null, title text not null, source text not null,
  hash text not null, metadata text not null, feed text not null, added_at real not null,
  changed_at real not null, event integer not null) without rowid;
create table if not exists versions (
  document text not null, version integer not null, title text not null, hash text not null,
  metadata text not null, at real not null, text text not null, event integer not null,
  primary key (document, version)) without rowid;
create table if not exists passages (
  id integer primary key autoincrement, document text not null, version integer not null,
  n integer not null, title text not null, text text not null, alike integer not null,
  event integer not null);
create index if not exists passages_by_document on passages (document);
create virtual table if not exists passages_fts using fts5 (
  words, tokenize = 'unicode61 remove_diacritics 2');
create table if not exists samples (
  hash integer not null, passage integer not null, primary key (hash, passage)) without rowid;
create index if not exists samples_by_passage on samples (passage);
create virtual table if not exists vocabulary using fts5vocab (passages_fts, row);
create table if not exists pending (
  passage integer primary key, event integer not null, at real not null);
create table if not exists vectors (
  number integer primary key autoincrement, passage integer not null unique,
  vector blob not null, sentences blob not null);
create table if not exists gone (
  number integer primary key autoincrement, passage integer not null);
create table if not exists tables (
  name text primary key, source text not null, columns text not null, rows integer not null,
  hash text not null, event integer not null) without rowid;
create table if not exists files (
  path text primary key, stamp text not null, error text not null) without rowid;
create table if not exists settings (name text primary key, value text not null) without rowid;
"""


def create(folder: Path) -> Path:
    """The file of a store; make the folder, the file and its tables where they are missing."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / FILE
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    connection = connect(path)
    try:
        connection.executescript(SCHEMA)
    finally:
        connection.close()
    return path


def connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = full")  # a change survives a power cut
        connection.execute("pragma mmap_size = 0")
        connection.execute("pragma secure_delete = on")
    except BaseException:
        connection.close()
        raise
    return connection
