"""Runs queries on a store's tables so that no query can change, reach or exhaust anything.

A query runs on a connection that is opened read-only. An authorizer allows SELECT, the columns of
the named tables, and a list of functions; no other table, file, pragma or database can be named. A
query that takes too many steps or returns too long texts ends with `SqlRefused`.
"""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from router.knowledge.rows.schema import Rows, Run, SqlRefused, TableSchema

FUNCTIONS = frozenset(
    (
        *("count", "sum", "total", "avg", "min", "max", "round", "abs", "coalesce", "ifnull"),
        *("nullif", "iif", "length", "lower", "upper", "trim", "ltrim", "rtrim", "substr"),
        *("substring", "instr", "strftime", "date", "datetime", "julianday", "rank", "dense_rank"),
        *("row_number", "like", "lag", "lead", "first_value", "last_value", "ntile"),
    )
)
MOST_ROWS = 1_000
_STEPS_A_LOOK = 10_000
_MOST_LOOKS = 20_000  # 200 million steps of SQLite's machine, some seconds
_LONGEST_SQL, _LONGEST_VALUE = 20_000, 1_000_000


def runner(path: Path, tables: Sequence[TableSchema], *, most_rows: int = MOST_ROWS) -> Run:
    """What runs one query at a time on the store's tables; each query has its own connection."""
    stored = frozenset(table.stored for table in tables)

    def run(sql: str) -> Rows:
        connection = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None
        )
        try:
            return _guarded(connection, stored, sql, most_rows)
        finally:
            connection.close()

    return run


def _guarded(
    connection: sqlite3.Connection, stored: frozenset[str], sql: str, most_rows: int
) -> Rows:
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_VALUE)
    connection.setlimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH, _LONGEST_SQL)
    connection.setlimit(sqlite3.SQLITE_LIMIT_COMPOUND_SELECT, 20)
    connection.setlimit(sqlite3.SQLITE_LIMIT_EXPR_DEPTH, 200)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 200)
    looks, refused = 0, ""

    def look() -> int:
        nonlocal looks
        looks += 1
        return int(looks > _MOST_LOOKS)

    def authorize(action: int, first: str | None, second: str | None, *_: str | None) -> int:
        nonlocal refused
        if action == sqlite3.SQLITE_SELECT:
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_READ:
            if first in stored or not first:  # a subquery's own columns have no table
                return sqlite3.SQLITE_OK
            refused = refused or f"it reads {first}, which is none of {', '.join(sorted(stored))}"
        elif action == sqlite3.SQLITE_FUNCTION:
            if (second or "").lower() in FUNCTIONS:
                return sqlite3.SQLITE_OK
            refused = refused or f"it calls {second}, which is no function that a question needs"
        else:
            refused = refused or "it does something else than to read"
        return sqlite3.SQLITE_DENY

    connection.set_authorizer(authorize)
    connection.set_progress_handler(look, _STEPS_A_LOOK)
    try:
        cursor = connection.execute(sql)
        rows = cursor.fetchmany(most_rows + 1)
    except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
        if refused:
            raise SqlRefused(f"the query may not run: {refused}") from error
        if looks > _MOST_LOOKS:
            raise SqlRefused("the query needs more work than a question may take") from error
        raise SqlRefused(f"the query does not run: {error}") from error
    if cursor.description is None:
        raise SqlRefused("the query may not run: it returns no rows")
    names = tuple(str(item[0]) for item in cursor.description)
    return Rows(names, tuple(map(tuple, rows[:most_rows])), cut=len(rows) > most_rows)
