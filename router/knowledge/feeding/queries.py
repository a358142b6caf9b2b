"""Tables that are the results of queries: DuckDB over files and databases, on a schedule.

A query reads its `database` alone: a DuckDB or SQLite file, a folder of CSV and Parquet files (each
file is a table by its name), or Postgres where the extension is installed. It may write nothing.
"""

import re
from pathlib import Path

import duckdb

from router.config.knowledge import TableQuery
from router.knowledge.rows.keeping import put_table
from router.knowledge.rows.loading import quoted
from router.knowledge.rows.reading import MOST_ROWS, UnreadableTable, tables_of, typed_table
from router.knowledge.store import KnowledgeStore

_POSTGRES = re.compile(r"postgres(?:ql)?://")
_MEMORY = "1GB"


class QueryFailed(ValueError):
    """A query that cannot be run; the message says why."""


def run_query(store: KnowledgeStore, name: str, query: TableQuery) -> bool:
    """Run a query now, and make its result the table of this name; whether that changed anything.
    Raises `QueryFailed`."""
    with duckdb.connect(config={"memory_limit": _MEMORY, "threads": 1}) as database:
        try:
            _attach(database, query.database)
            database.execute("SET enable_external_access = false")
            database.execute("SET lock_configuration = true")
            (statement,) = duckdb.extract_statements(query.sql)
            if statement.type != duckdb.StatementType.SELECT:
                raise QueryFailed(f"the query of {name} is not one SELECT")
            cursor = database.execute(query.sql)
            names = [str(item[0]) for item in cursor.description]
            rows = cursor.fetchmany(MOST_ROWS + 1)
        except ValueError as error:
            raise QueryFailed(f"the query of {name} is not one SELECT ({error})") from None
        except (duckdb.Error, UnreadableTable, OSError) as error:
            why = _without_secrets(str(error), query.database)
            raise QueryFailed(f"the query of {name} does not run: {why}") from None
    if len(rows) > MOST_ROWS:
        raise QueryFailed(f"the query of {name} returns more than {MOST_ROWS:,} rows")
    table = typed_table(name, names, rows)
    by = f"query {name}"
    return put_table(store, table, source=by, by=by) is not None


def _without_secrets(why: str, source: str | None) -> str:
    """An error's words without the address of a database, which may hold a password."""
    if source is not None and "://" in source:
        return f"the database did not answer ({why.partition(':')[0][:40]})"
    return why


def _attach(database: duckdb.DuckDBPyConnection, source: str | None) -> None:
    """Make the tables of a source readable by their names."""
    if source is None:
        return
    if _POSTGRES.match(source):
        database.execute("LOAD postgres")
        database.execute(f"ATTACH {_text(source)} AS source (TYPE postgres, READ_ONLY)")
        database.execute("USE source")
        return
    path = Path(source)
    if path.is_dir():
        for file in sorted(path.iterdir()):
            if file.suffix.lower() in (".csv", ".tsv", ".parquet"):
                reads = "read_parquet" if file.suffix.lower() == ".parquet" else "read_csv"
                database.execute(
                    f"CREATE TABLE {quoted(file.stem)} AS FROM {reads}({_text(str(file))})"
                )
    elif path.suffix.lower() == ".duckdb":
        database.execute(f"ATTACH {_text(source)} AS source (READ_ONLY)")
        database.execute("USE source")
    else:
        for table in tables_of(path):  # SQLite needs no extension of DuckDB so
            columns = ", ".join(f"{quoted(c.name)} {_TYPES[c.kind]}" for c in table.columns)
            database.execute(f"CREATE TABLE {quoted(table.name)} ({columns})")
            marks = ", ".join("?" * len(table.columns))
            if table.rows:
                database.executemany(
                    f"INSERT INTO {quoted(table.name)} VALUES ({marks})", list(table.rows)
                )


_TYPES = {
    "integer": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "datetime": "TIMESTAMP",
    "text": "VARCHAR",
}


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
