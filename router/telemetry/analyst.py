"""Runs an analyst's query in a process that can do nothing else: we do not trust the analyst.

The query may read the views and macros of the catalog. It may not read files, reach a network,
change a setting, write anything anywhere, or exceed its time: the statement is checked before it
runs, DuckDB's configuration is locked, and the process may not write a byte to disk.
"""

import asyncio
import resource
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import orjson

from router.telemetry.sql import quoted
from router.telemetry.store.catalog import CATALOG_FILE

_MEMORY = "512MB"
_STARTUP_SECONDS = 5.0
_HARMLESS = frozenset(
    (
        *("range", "generate_series", "unnest", "repeat", "duckdb_columns", "duckdb_functions"),
        *("duckdb_tables", "duckdb_views", "duckdb_types", "duckdb_keywords", "summary"),
    )
)


class QueryRefused(Exception):
    """The query is not allowed, or it failed; the message is written for the analyst."""


@dataclass(frozen=True, slots=True)
class Bounds:
    rows: int
    seconds: float


async def ask(folder: Path, sql: str, bounds: Bounds) -> bytes:
    """Run a query in a process of its own and return the result as JSON. Raises `QueryRefused`."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "router.telemetry.analyst"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"PATH": "/usr/bin:/bin"},  # without our secrets
        cwd="/",
    )
    question = {"folder": str(folder), "sql": sql, "rows": bounds.rows, "seconds": bounds.seconds}
    try:
        async with asyncio.timeout(bounds.seconds + _STARTUP_SECONDS):
            output, _ = await process.communicate(orjson.dumps(question))
    except TimeoutError:
        raise QueryRefused(_too_long(bounds.seconds)) from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if not output:
        raise QueryRefused(f"The query ended its process: it needed more than {_MEMORY} of memory.")
    if output.startswith(b'{"error"'):
        raise QueryRefused(orjson.loads(output)["error"])
    return output


def answer(folder: Path, sql: str, bounds: Bounds) -> dict[str, Any]:
    """Run a query in a locked database. Raises `QueryRefused`."""
    con = locked(folder)
    timer = threading.Timer(bounds.seconds, con.interrupt)
    try:
        timer.start()
        check(con, sql)
        cursor = con.execute(sql)
        rows = cursor.fetchmany(bounds.rows + 1)
        columns = [{"name": c[0], "type": str(c[1])} for c in cursor.description]
    except duckdb.InterruptException:
        raise QueryRefused(_too_long(bounds.seconds)) from None
    except duckdb.OutOfMemoryException:
        raise QueryRefused(
            f"The query needs more than {_MEMORY} of memory: ask for less."
        ) from None
    except duckdb.Error as error:
        raise QueryRefused(str(error)) from None
    finally:
        timer.cancel()
        con.close()
    cut = rows[: bounds.rows]
    return {"columns": columns, "rows": cut, "truncated": len(rows) > len(cut)}


def locked(folder: Path) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(
        str(folder / CATALOG_FILE),
        read_only=True,
        config={
            "memory_limit": _MEMORY,
            "threads": 1,
            "temp_directory": "",
            "python_enable_replacements": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
        },
    )
    con.execute(f"SET allowed_directories = [{quoted(str(folder) + '/')}]")
    con.execute("SET enable_external_access = false")
    con.execute("SET lock_configuration = true")
    return con


def check(con: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Refuse anything but one SELECT from views and macros of the catalog."""
    statements = con.extract_statements(sql)
    if len(statements) != 1:
        raise QueryRefused(f"One statement at a time: this is {len(statements)}.")
    kind = statements[0].type
    if kind.name != "SELECT":
        raise QueryRefused(f"Only SELECT can be run here, and this is {kind.name}.")
    row = con.execute("SELECT json_serialize_sql(?::VARCHAR)", [sql]).fetchone()
    tree = orjson.loads(row[0]) if row else {}
    if tree.get("error"):
        raise QueryRefused(str(tree.get("error_message", "It cannot be parsed.")))
    nodes = list(_nodes(tree))
    allowed = _names(con) | {name for node in nodes for name in _ctes(node)}
    for node in nodes:
        _check_node(node, allowed)


def _check_node(node: Mapping[str, Any], allowed: frozenset[str]) -> None:
    kind = node.get("type")
    if kind == "BASE_TABLE":
        name, schema = str(node.get("table_name")), node.get("schema_name")
        if schema not in ("information_schema", "pg_catalog") and name.lower() not in allowed:
            raise QueryRefused(f"There is no view {name!r} here: see `SHOW TABLES`.")
    elif kind == "TABLE_FUNCTION":
        function = node.get("function") or {}
        name = str(function.get("function_name")).lower()
        if name not in allowed and name not in _HARMLESS:
            raise QueryRefused(f"{name}() may not be used here: read the views and macros.")


def _nodes(tree: Any) -> Iterator[Mapping[str, Any]]:
    todo = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, dict):
            yield node
            todo += node.values()
        elif isinstance(node, list):
            todo += node


def _ctes(node: Mapping[str, Any]) -> Iterator[str]:
    ctes = node.get("cte_map")
    for entry in (ctes or {}).get("map", ()) if isinstance(ctes, dict) else ():
        yield str(entry["key"]).lower()


def _names(con: duckdb.DuckDBPyConnection) -> frozenset[str]:
    rows = con.execute(
        "SELECT view_name FROM duckdb_views() UNION ALL SELECT table_name FROM duckdb_tables() "
        "UNION ALL SELECT function_name FROM duckdb_functions() WHERE NOT internal"
    ).fetchall()
    return frozenset(str(row[0]).lower() for row in rows)


def _too_long(seconds: float) -> str:
    return f"The query took longer than {seconds:g} s: ask for less, or a shorter time."


def main() -> None:
    question = orjson.loads(sys.stdin.buffer.read())
    seconds = question["seconds"]
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 5, int(seconds) + 5))
    try:
        bounds = Bounds(question["rows"], seconds)
        result = answer(Path(question["folder"]), question["sql"], bounds)
    except (QueryRefused, duckdb.Error) as refusal:
        result = {"error": str(refusal)}
    sys.stdout.buffer.write(orjson.dumps(result, default=str, option=orjson.OPT_NON_STR_KEYS))


if __name__ == "__main__":
    main()
