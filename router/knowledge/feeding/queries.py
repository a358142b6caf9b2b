"""Tables that are the results of queries: DuckDB over files and databases, on a schedule.

A query reads its `database` alone: a DuckDB or SQLite file, a folder of CSV and Parquet files (each
file is a table by its name), or Postgres by DuckDB's extension. It may write nothing.
"""

import re
import threading
from pathlib import Path

import duckdb

from router.config.knowledge import TableQuery
from router.knowledge.rows.keeping import TableTaken, put_table
from router.knowledge.rows.loading import quoted
from router.knowledge.rows.reading import (
    MOST_ROWS,
    UnreadableTable,
    bounded,
    distinct_names,
    tables_of,
    typed_table,
)
from router.knowledge.store import KnowledgeStore

_POSTGRES = re.compile(r"postgres(?:ql)?://")
_PASSWORD = re.compile(r"\A[^@/]*+//[^@:/]*+:([^@]++)@")
_ABOUT_NAMES = (duckdb.CatalogException, duckdb.BinderException, duckdb.ParserException)
_MEMORY = "1GB"
_MOST_SECONDS = 60.0  # of one query: meanwhile, no store is fed


class QueryFailed(ValueError):
    """A query that cannot be run; the message says why."""


def run_query(
    store: KnowledgeStore, name: str, query: TableQuery, most_seconds: float = _MOST_SECONDS
) -> bool:
    """Run a query now, and make its result the table of this name; whether that changed anything.
    Raises `QueryFailed`."""
    with duckdb.connect(config={"memory_limit": _MEMORY, "threads": 1}) as database:
        ending = threading.Timer(most_seconds, database.interrupt)
        ending.daemon = True
        ending.start()
        try:
            _attach(database, query.database)
            database.execute("SET enable_external_access = false")
            database.execute("SET lock_configuration = true")
            kinds = [each.type for each in duckdb.extract_statements(query.sql)]
            if kinds != [duckdb.StatementType.SELECT]:
                raise QueryFailed(f"the query of {name} is not one SELECT")
            cursor = database.execute(query.sql)
            names = distinct_names([str(item[0]) for item in cursor.description])
            rows = cursor.fetchmany(MOST_ROWS + 1)
            bounded(name, len(rows), len(names))
        except UnreadableTable as error:
            raise QueryFailed(f"the query of {name} does not run: {error}") from None
        except duckdb.InterruptException:
            why = f"takes longer than {most_seconds:g} s"
            raise QueryFailed(f"the query of {name} {why}") from None
        except (duckdb.Error, OSError) as error:
            why = without_secrets(error, query.database)
            raise QueryFailed(f"the query of {name} does not run: {why}") from None
        finally:
            ending.cancel()
    by = f"query {name}"
    try:
        return put_table(store, typed_table(name, names, rows), source=by, by=by) is not None
    except TableTaken as error:
        raise QueryFailed(f"the query of {name} gives no table: {error}") from None


def without_secrets(error: Exception, source: str | None) -> str:
    """An error's words. Where the address of a database may hold a password, only an error about
    the names in the query is repeated, and without the address."""
    why = str(error)
    if source is None or "://" not in source:
        return why
    if not isinstance(error, _ABOUT_NAMES):
        return f"the database did not answer ({type(error).__name__})"
    first = why.partition("\n")[0].replace(source, "the database")
    password = _PASSWORD.match(source)
    return first.replace(password[1], "***") if password else first


def _attach(database: duckdb.DuckDBPyConnection, source: str | None) -> None:
    """Make the tables of a source readable by their names."""
    if source is None:
        return
    if _POSTGRES.match(source):
        _load_postgres(database)
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


def _load_postgres(database: duckdb.DuckDBPyConnection) -> None:
    try:
        database.execute("LOAD postgres")  # fetches the extension where the network allows
    except duckdb.Error as error:
        raise UnreadableTable(
            f"DuckDB {duckdb.__version__} has no extension for Postgres here, and cannot fetch it "
            "from extensions.duckdb.org. `INSTALL` the file postgres_scanner.duckdb_extension of "
            "this version, or export the tables to CSV or Parquet and set `database` to their "
            f"folder ({str(error).splitlines()[0][:160]})"
        ) from None


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
