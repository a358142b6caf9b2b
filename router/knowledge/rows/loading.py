"""Writes typed tables into a store's SQLite file."""

import contextlib
import sqlite3

from router.knowledge.rows.schema import Kind, TableSchema, TypedTable

_AFFINITIES: dict[Kind, str] = {
    "integer": "INTEGER",
    "number": "REAL",
    "boolean": "INTEGER",
    "date": "TEXT",
    "datetime": "TEXT",
    "text": "TEXT",
}


def quoted(name: str) -> str:
    """A name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def write_table(connection: sqlite3.Connection, table: TypedTable, stored: str) -> TableSchema:
    """Replace the table `stored` by these rows; the caller's transaction holds all of it.

    Indexes of the table before are made again where its columns are still there.
    """
    indexes = connection.execute(
        "SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL",
        (stored,),
    ).fetchall()
    columns = ", ".join(f"{quoted(c.name)} {_AFFINITIES[c.kind]}" for c in table.columns)
    connection.execute(f"DROP TABLE IF EXISTS {quoted(stored)}")
    connection.execute(f"CREATE TABLE {quoted(stored)} ({columns})")
    marks = ", ".join("?" * len(table.columns))
    connection.executemany(f"INSERT INTO {quoted(stored)} VALUES ({marks})", table.rows)
    for (sql,) in indexes:
        with contextlib.suppress(sqlite3.OperationalError):  # a column is gone
            connection.execute(sql)
    return TableSchema(table.name, table.columns, len(table.rows), stored)
