"""Keeps tables of rows in a store: a table that changed is one event, and replaced as a whole."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from router.knowledge.changes import add_event, note_removed_words
from router.knowledge.rows.loading import quoted, write_table
from router.knowledge.rows.safe import runner
from router.knowledge.rows.schema import Column, Run, TableSchema, TypedTable
from router.knowledge.store import KnowledgeStore
from router.knowledge.store_tables import FILE


class TableTaken(ValueError):
    """Another source brings a table of this name already; the message names both."""


def stored_name(name: str) -> str:
    """The name of a table in the store's file."""
    return f"rows_{name}"


def put_table(store: KnowledgeStore, table: TypedTable, *, source: str, by: str) -> int | None:
    """Replace a table of a store, and return the event's number; None if nothing changed. Raises
    `TableTaken` if another source brings a table of this name, in whatever capitals."""
    columns = [{"name": c.name, "kind": c.kind, "unit": c.unit} for c in table.columns]
    hash_ = _hash_of(columns, table.rows)
    with store.changing() as connection:
        for name, other in connection.execute("select name, source from tables"):
            if other != source and name.casefold() == table.name.casefold():
                raise TableTaken(f"{other} brings a table of the name {name} already")
        before = connection.execute(
            "select hash from tables where name = ?", (table.name,)
        ).fetchone()
        if before is not None and before[0] == hash_:
            return None
        write_table(connection, table, stored_name(table.name))
        if before is not None:
            note_removed_words(connection)
        detail = {"table": table.name, "rows": len(table.rows)}
        event = add_event(
            connection,
            store.wall(),
            "rows",
            "",
            0,
            hash_=hash_,
            source=source,
            by=by,
            detail=detail,
        )
        connection.execute(
            "insert or replace into tables (name, source, columns, rows, hash, event) "
            "values (?, ?, ?, ?, ?, ?)",
            (table.name, source, orjson.dumps(columns).decode(), len(table.rows), hash_, event),
        )
    return event


def drop_table(store: KnowledgeStore, name: str, *, by: str) -> int | None:
    """Take a table out of a store; None if there is none. `erase` takes its cells off the disk."""
    with store.changing() as connection:
        if connection.execute("delete from tables where name = ?", (name,)).rowcount == 0:
            return None
        connection.execute(f"drop table if exists {quoted(stored_name(name))}")
        note_removed_words(connection)
        detail = {"table": name, "removed": True}
        return add_event(connection, store.wall(), "rows", "", 0, by=by, detail=detail)


def schemas_of(store: KnowledgeStore) -> list[TableSchema]:
    """The tables of a store, as questions are asked of them."""
    return [
        TableSchema(
            table.name,
            tuple(Column(c["name"], c["kind"], c.get("unit", "")) for c in table.columns),
            table.rows,
            stored_name(table.name),
        )
        for table in store.tables()
    ]


def run_of(store: KnowledgeStore) -> Run:
    """What runs read-only queries on a store's tables, and on nothing else of it."""
    return runner(store.folder / FILE, schemas_of(store))


def _hash_of(columns: Sequence[Mapping[str, Any]], rows: Sequence[Sequence[Any]]) -> str:
    digest = hashlib.sha256(orjson.dumps(columns))
    for row in rows:
        digest.update(orjson.dumps(row))
    return digest.hexdigest()
