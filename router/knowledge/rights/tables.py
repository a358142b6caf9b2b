"""The SQLite file of rights: its tables, and how a connection to it is opened.

Every act is a row of `events`, which the file itself refuses to change or to delete. Events name
keys, stores and conditions, and hold no words of an ask, of a question or of a store.
"""

import os
import sqlite3
from pathlib import Path

FILE = "rights.sqlite"
_BUSY_SECONDS = 10.0

# `line` is the text of the configuration's grant, so that the same line is granted once. `told` is
# the number of the last event that telemetry has, and `reads_told` what it has of the uses.
SCHEMA = """
create table if not exists events (
  number integer primary key autoincrement, at real not null, store text not null,
  kind text not null, by text not null, grant_number integer, ask integer, detail text not null);
create index if not exists events_by_store on events (store, number);
create trigger if not exists events_are_never_changed before update on events
  begin select raise(abort, 'an event is never changed'); end;
create trigger if not exists events_are_never_deleted before delete on events
  begin select raise(abort, 'an event is never deleted'); end;
create table if not exists stores (
  name text primary key, owner text not null, visible text not null, locale text not null,
  rules text not null) without rowid;
create table if not exists grants (
  number integer primary key autoincrement, store text not null, who text not null,
  may text not null, rate integer, until real, idle_days real, must_cite integer not null,
  since real not null, used real not null, by text not null, source text not null,
  line text not null, revoked real, noted integer not null default 0);
create index if not exists grants_in_force on grants (store, may, who) where revoked is null;
create table if not exists asks (
  number integer primary key autoincrement, at real not null, store text not null,
  key_id text not null, name text not null, locale text not null, may text not null,
  seconds real not null, reason text not null, state text not null, advice text not null,
  decided_by text not null, decided_at real, grant_number integer);
create index if not exists asks_by_store on asks (store, number);
create index if not exists asks_by_key on asks (key_id, number);
create table if not exists uses (
  day text not null, store text not null, key_id text not null, name text not null,
  locale text not null, reads integer not null, writes integer not null,
  reads_told integer not null default 0, writes_told integer not null default 0,
  primary key (day, store, key_id)) without rowid;
create table if not exists last_hour (
  grant_number integer not null, key_id text not null, at real not null);
create index if not exists last_hour_by_key on last_hour (grant_number, key_id, at);
create index if not exists last_hour_by_time on last_hour (at);
create table if not exists proposals (
  number integer primary key autoincrement, at real not null, kind text not null,
  subject text not null, owner text not null, locale text not null, about text not null,
  evidence text not null, state text not null, decided_by text not null, decided_at real);
create index if not exists proposals_by_subject on proposals (kind, subject);
create table if not exists given (
  digest blob not null, store text not null, at real not null,
  primary key (digest, store)) without rowid;
create index if not exists given_by_time on given (at);
create table if not exists told (number integer not null);
create view if not exists knowledge_use as
  select day, store, name as key_name, locale, reads, writes from uses;
"""


def create(folder: Path) -> Path:
    """The file; make the folder, the file and its tables where they are missing."""
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
        connection.execute("pragma synchronous = full")  # a revocation survives a power cut
        connection.execute("pragma mmap_size = 0")
        connection.execute("pragma secure_delete = on")
    except BaseException:
        connection.close()
        raise
    return connection
