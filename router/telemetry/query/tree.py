"""Decides whether a query may run, from DuckDB's own parse tree of it: a list of what is allowed.

A kind of node, a function or a table that is not on a list is refused by its name, so something new
in a later DuckDB is refused until somebody looked at it. Names of `WITH` stand for tables only, and
only where DuckDB too would find them.

Not covered: what an allowed query costs. The process that runs it has bounds for that.
"""

import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from router.telemetry.query.functions import FUNCTIONS, SYSTEM_VIEWS, TABLE_FUNCTIONS

_QUERIES = ("SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE")
_KINDS = frozenset(
    (
        *_QUERIES,
        *("BASE_TABLE", "SUBQUERY", "JOIN", "TABLE_FUNCTION", "EXPRESSION_LIST", "EMPTY", "PIVOT"),
        *("SHOW_REF", "ORDER_MODIFIER", "LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER"),
        *("DISTINCT_MODIFIER", "ORDER_DEFAULT", "ASCENDING", "DESCENDING"),
    )
)
_EXPRESSIONS = frozenset(
    (
        *("BETWEEN", "CASE", "CAST", "COLLATE", "COLUMN_REF", "COMPARISON", "CONJUNCTION"),
        *("CONSTANT", "DEFAULT", "FUNCTION", "LAMBDA", "LAMBDA_REF", "OPERATOR"),
        *("POSITIONAL_REFERENCE", "STAR", "SUBQUERY", "TYPE", "WINDOW"),
    )
)
_SHOWN = frozenset(("tables", "__show_tables_expanded"))
_OURS = frozenset(("", "telemetry", "memory"))  # databases that hold our views


class QueryRefused(Exception):
    """The query is not allowed, or it failed; the message is written for the analyst."""


@dataclass(frozen=True, slots=True)
class CatalogNames:
    """The names, in lower case, that a query may use beside those of DuckDB."""

    views: frozenset[str]
    macros: frozenset[str]


_Scope = frozenset[str]  # the names of WITH that are visible, in lower case
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)  # as DuckDB folds names


def check(statements: Sequence[Mapping[str, Any]], names: CatalogNames) -> None:
    """Refuse statements, as `json_serialize_sql` gives them, that are not on the lists."""
    todo: list[tuple[Any, _Scope]] = [(statements, frozenset())]
    while todo:
        value, scope = todo.pop()
        if isinstance(value, Mapping):
            _check_node(value, scope, names)
            todo += _parts(value, scope)
        elif isinstance(value, list | tuple):
            todo += [(part, scope) for part in value]


def _check_node(node: Mapping[str, Any], scope: _Scope, names: CatalogNames) -> None:
    kind, expression = node.get("type"), node.get("class")
    if expression is not None:
        if expression not in _EXPRESSIONS:
            raise QueryRefused(f"{_shown(expression)} may not be used in a query.")
        if "function_name" in node:
            _check_function(node, FUNCTIONS | names.macros)
    elif isinstance(kind, str):
        if kind not in _KINDS:
            raise QueryRefused(
                f"{_shown(kind)} may not be part of a query: only SELECT can be run here."
            )
        if kind == "BASE_TABLE":
            _check_table(node, scope, names)
        elif kind == "TABLE_FUNCTION":
            _check_function(node["function"], TABLE_FUNCTIONS | names.macros)
        elif kind == "SHOW_REF":
            _check_shown(node, names)


def _check_function(node: Mapping[str, Any], allowed: frozenset[str]) -> None:
    path = _path(node, "function_name")
    if path[-1] not in allowed or len(path) > 3:
        name = ".".join(path)
        raise QueryRefused(
            f"{name}() may not be used here: read the views and macros, and compute from them."
        )


def _check_table(node: Mapping[str, Any], scope: _Scope, names: CatalogNames) -> None:
    path = _path(node, "table_name")
    *where, name = path
    match where:
        case []:
            good = name in scope or name in names.views or _is_system_view(name)
        case ["main"] | ["telemetry" | "memory"]:
            good = name in names.views
        case [database, "main"] if database in _OURS:
            good = name in names.views
        case [schema] | ["system", schema]:
            good = name in SYSTEM_VIEWS.get(schema, ())
        case [database, schema] if database in _OURS and schema != "main":
            good = name in SYSTEM_VIEWS.get(schema, ())
        case _:
            good = False
    if not good:
        raise QueryRefused(f"There is no view {'.'.join(path)!r} here: see `SHOW TABLES`.")


def _is_system_view(name: str) -> bool:
    return any(name in views for views in SYSTEM_VIEWS.values())


def _check_shown(node: Mapping[str, Any], names: CatalogNames) -> None:
    table = str(node.get("table_name") or "").strip('"').translate(_LOWER)
    if table and table not in _SHOWN and table not in names.views:
        raise QueryRefused(f"There is no view {table!r} here: see `SHOW TABLES`.")


def _path(node: Mapping[str, Any], last: str) -> tuple[str, ...]:
    """The name with its schema and database, in lower case, as far as the query gives them."""
    qualified = node.get("qualified_name")
    path = qualified.get("path") if isinstance(qualified, Mapping) else None
    given = path or (
        *(node.get(key) for key in ("catalog_name", "catalog", "schema_name", "schema")),
        node.get(last),
    )
    return tuple(str(name).translate(_LOWER) for name in given if name) or ("",)


def _parts(node: Mapping[str, Any], scope: _Scope) -> Iterator[tuple[Any, _Scope]]:
    """The parts of a node, each with the names of WITH that it can see."""
    if node.get("type") == "TABLE_FUNCTION" and "class" not in node:
        function = node["function"]  # its name was judged as the name of a table function
        yield {key: part for key, part in function.items() if not _names_function(key)}, scope
        node = {key: part for key, part in node.items() if key != "function"}
    ctes = node.get("cte_map")
    entries = ctes.get("map", ()) if isinstance(ctes, Mapping) else ()
    for entry in entries:
        name, body = str(entry["key"]).translate(_LOWER), entry["value"]
        yield body, scope | {name} if _is_recursive(body) else scope
        scope |= {name}
    if node.get("type") == "CTE_NODE":
        yield node.get("query"), scope
        scope |= {str(node.get("cte_name")).translate(_LOWER)}
        node = {key: part for key, part in node.items() if key != "query"}
    for key, part in node.items():
        if key != "cte_map" and isinstance(part, Mapping | list):
            yield part, scope


def _names_function(key: str) -> bool:
    return key in ("class", "type", "function_name")


def _is_recursive(body: Mapping[str, Any]) -> bool:
    return any(
        isinstance(part, Mapping) and part.get("type") == "RECURSIVE_CTE_NODE"
        for part in body.values()
    )


def _shown(kind: object) -> str:
    return str(kind).removesuffix("_QUERY_NODE").removesuffix("_NODE").replace("_", " ")
