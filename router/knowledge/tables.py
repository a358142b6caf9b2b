"""The tables of a store: rows that a file or a query brought, and their columns.

A table is replaced whole, in one transaction with its event; the same rows again are no event.
"""

import hashlib
import re

import orjson

from router.knowledge.changes import add_event
from router.knowledge.rows.loading import quoted, write_table
from router.knowledge.rows.schema import Column, TableSchema, TypedTable
from router.knowledge.store import Change, KnowledgeStore

_PREFIX = "rows_"


def put_table(store: KnowledgeStore, table: TypedTable, *, source: str, by: str) -> Change:
    """Add a table, or replace the rows of the table with its name."""
    columns = [{"name": c.name, "kind": c.kind, "unit": c.unit} for c in table.columns]
    digest = hashlib.blake2b(orjson.dumps([columns, source]), digest_size=16)
    for row in table.rows:
        digest.update(orjson.dumps(row))
    hash_ = digest.hexdigest()
    with store.changing() as connection:
        before = connection.execute(
            "select hash, event from tables where name = ?", (table.name,)
        ).fetchone()
        if before is not None and before[0] == hash_:
            return Change(int(before[1]), 0, made=False)
        write_table(connection, table, stored_name(table.name))
        detail = {"rows": len(table.rows), "columns": len(columns)}
        event = add_event(
            connection,
            store.wall(),
            "rows",
            table.name,
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
    return Change(event, 0, made=True)


def remove_tables(store: KnowledgeStore, source: str, *, by: str, kept: set[str]) -> int:
    """Remove the tables that a source brought, but those `kept`; how many. `erase` then takes
    their rows off the disk."""
    names = [t.name for t in store.tables() if t.source == source and t.name not in kept]
    for name in names:
        with store.changing() as connection:
            connection.execute(f"drop table if exists {quoted(stored_name(name))}")
            connection.execute("delete from tables where name = ?", (name,))
            add_event(connection, store.wall(), "removed", name, 0, source=source, by=by)
    return len(names)


def schemas_of(store: KnowledgeStore) -> list[TableSchema]:
    """The tables of a store, as questions on rows read them."""
    return [
        TableSchema(
            table.name,
            tuple(Column(c["name"], c["kind"], c["unit"]) for c in table.columns),
            table.rows,
            stored_name(table.name),
        )
        for table in store.tables()
    ]


def stored_name(name: str) -> str:
    """The name of a table in the file: plain letters, and a digest where they are not the name."""
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:40]
    if plain == name:
        return f"{_PREFIX}{plain}"
    digest = hashlib.blake2b(name.encode(), digest_size=4).hexdigest()
    return f"{_PREFIX}{plain}_{digest}"
