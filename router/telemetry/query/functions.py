"""The functions that a query may use: those that compute from their arguments and nothing else.

`functions.txt` lists them: DuckDB 2.0's, without those that read or write something outside the
query, and without those that trust the bytes of an aggregate's state. A function that is new in a
later DuckDB is refused until it stands there; `test_every_function_of_duckdb_was_judged` names it.
"""

from importlib.resources import files

FUNCTIONS = frozenset(files(__package__).joinpath("functions.txt").read_text().split())

# Functions that give rows.
TABLE_FUNCTIONS = frozenset(
    (
        *("duckdb_columns", "duckdb_functions", "duckdb_keywords", "duckdb_schemas"),
        *("duckdb_tables", "duckdb_types", "generate_series", "icu_calendar_names", "json_each"),
        *("json_tree", "pg_timezone_names", "pragma_table_info", "pragma_version", "range"),
        *("repeat", "repeat_row", "summary", "unnest"),
    )
)

# What DuckDB itself says about views and columns, by schema; none of it names a file.
SYSTEM_VIEWS = {
    "main": frozenset(("duckdb_columns", "duckdb_schemas", "duckdb_tables", "duckdb_types")),
    "information_schema": frozenset(("character_sets", "columns", "schemata", "tables")),
    "pg_catalog": frozenset(
        (
            *("pg_am", "pg_attribute", "pg_class", "pg_description", "pg_namespace", "pg_tables"),
            "pg_type",
        )
    ),
}
