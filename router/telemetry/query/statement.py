"""Turns the text of an analyst into the text of one checked query, or refuses it and says why."""

import re

import duckdb
import orjson

from router.telemetry.query.pivot import with_values
from router.telemetry.query.tree import CatalogNames, QueryRefused, check

LONGEST_QUERY = 256 * 1024  # characters

_EXPLAIN = re.compile(
    r"\A(?:\s|--[^\n]*+\n|/\*(?:(?!\*/).)*+\*/)*+EXPLAIN(?:\s+ANALYZE)?"
    r"(?:\s*\(\s*(?:ANALYZE|FORMAT\s+'?\w{1,20}'?)(?:\s*,\s*(?:ANALYZE|FORMAT\s+'?\w{1,20}'?))?\s*\))?"
    r"(?=[\s(])",
    re.IGNORECASE | re.DOTALL,
)


def checked(con: duckdb.DuckDBPyConnection, sql: str) -> str:
    """The query to run instead of `sql`: the same, with the values of each PIVOT named."""
    if len(sql) > LONGEST_QUERY:
        raise QueryRefused(
            f"A query may have {LONGEST_QUERY:,} characters, and this is {len(sql):,}."
        )
    names = _names(con)
    kind = _kind(con, sql)
    match = _EXPLAIN.match(sql) if kind in ("EXPLAIN", "MULTI") else None
    explain, query = (sql[: match.end()], sql[match.end() :]) if match else ("", sql)
    if match:
        kind = _kind(con, query)
    if kind == "MULTI":
        query = with_values(query, lambda text: _values(con, names, text))
        kind = _kind(con, query)
    if kind != "SELECT":
        raise QueryRefused(
            "Only SELECT can be run here, and DESCRIBE, SUMMARIZE, SHOW TABLES and EXPLAIN of it: "
            f"this is {kind}."
        )
    _check(con, names, query)
    return explain + query


def _values(con: duckdb.DuckDBPyConnection, names: CatalogNames, sql: str) -> list[str]:
    if (kind := _kind(con, sql)) != "SELECT":
        raise QueryRefused(f"Name the values of this PIVOT: its source is no SELECT, but {kind}.")
    _check(con, names, sql)
    return [str(value) for (value,) in con.execute(sql).fetchall()]


def _kind(con: duckdb.DuckDBPyConnection, sql: str) -> str:
    statements = con.extract_statements(sql)
    if len(statements) != 1:
        raise QueryRefused(f"One statement at a time: this is {len(statements)}.")
    try:
        return str(statements[0].type.name)
    except ValueError:  # DuckDB knows kinds of statements that its Python does not
        return "another kind of statement"


def _check(con: duckdb.DuckDBPyConnection, names: CatalogNames, sql: str) -> None:
    row = con.execute("SELECT json_serialize_sql(?::VARCHAR)", [sql]).fetchone()
    try:
        tree = orjson.loads(row[0]) if row else {}
    except orjson.JSONDecodeError:
        raise QueryRefused("The query is nested too deeply: use WITH for its parts.") from None
    if tree.get("error") is not False:
        wrong = str(tree.get("error_message") or "It cannot be parsed.")
        if "llocation fail" in wrong:
            raise MemoryError(wrong)
        raise QueryRefused(wrong)
    if len(tree["statements"]) != 1:
        raise QueryRefused(f"One statement at a time: this is {len(tree['statements'])}.")
    check(tree["statements"], names)


def _names(con: duckdb.DuckDBPyConnection) -> CatalogNames:
    views = con.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()
    macros = con.execute(
        "SELECT function_name FROM duckdb_functions() WHERE NOT internal"
    ).fetchall()
    return CatalogNames(
        frozenset(name.lower() for (name,) in views), frozenset(name.lower() for (name,) in macros)
    )
