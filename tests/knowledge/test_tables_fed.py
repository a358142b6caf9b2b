"""Tables come from files of the folder and from queries, and go with them."""

import os
import sqlite3
from pathlib import Path

import duckdb
import pytest

from router.config.knowledge import TableQuery
from router.knowledge.feeding.folder import FolderFeed
from router.knowledge.feeding.queries import QueryFailed, run_query, without_secrets
from router.knowledge.feeding.schedule import run_due, runs_of
from router.knowledge.rows.answering import answer_rows
from router.knowledge.rows.keeping import schemas_of
from router.knowledge.rows.safe import runner
from router.knowledge.rows.schema import RowAnswer
from router.knowledge.store import KnowledgeStore
from router.knowledge.store_tables import FILE

ORDERS = "id,city,total\n1,Madrid,10\n2,Lima,5\n3,Madrid,7\n"


@pytest.fixture
def store(tmp_path: Path) -> KnowledgeStore:
    return KnowledgeStore(tmp_path / "store")


def ask(store: KnowledgeStore, question: str) -> str:
    tables = schemas_of(store)
    answer = answer_rows(question, tables, runner(store.folder / FILE, tables))
    return answer.text if isinstance(answer, RowAnswer) else answer.reason


def test_a_file_of_rows_answers_and_goes(store: KnowledgeStore, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "orders.csv").write_text(ORDERS)
    feed = FolderFeed(store, folder, keep=3)
    feed.look()
    assert "2" in ask(store, "How many orders are from Madrid?")
    (folder / "orders.csv").write_text(ORDERS + "4,Madrid,1\n")
    feed.take(["orders.csv"])
    assert "3" in ask(store, "How many orders are from Madrid?")
    (folder / "orders.csv").unlink()
    feed.take(["orders.csv"])
    assert store.tables() == []
    store.erase()
    assert not any(b"Madrid" in path.read_bytes() for path in store.folder.iterdir())


@pytest.mark.parametrize("kind", ["folder", "sqlite"])
def test_a_query_makes_a_table_once(store: KnowledgeStore, tmp_path: Path, kind: str) -> None:
    database = tmp_path / ("shop" if kind == "folder" else "shop.sqlite")
    if kind == "folder":
        database.mkdir()
        (database / "orders.csv").write_text(ORDERS)
    else:
        with sqlite3.connect(database) as connection:
            connection.execute("create table orders (id integer, city text, total integer)")
            connection.execute("insert into orders values (1, 'Madrid', 10), (3, 'Madrid', 7)")
        connection.close()
    sql = "SELECT city, sum(total) AS revenue FROM orders GROUP BY city ORDER BY city"
    query = TableQuery(sql=sql, database=str(database))
    assert run_query(store, "sales", query)
    assert not run_query(store, "sales", query)
    assert "17" in ask(store, "What is the revenue of Madrid?")


@pytest.mark.parametrize(
    "sql",
    [
        "COPY (SELECT 1) TO 'out.csv'",
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT 1; SELECT 2",
    ],
)
def test_a_query_reads_nothing_but_its_database(store: KnowledgeStore, sql: str) -> None:
    with pytest.raises(QueryFailed):
        run_query(store, "sales", TableQuery(sql=sql))
    assert store.tables() == []


def test_a_cell_that_an_error_quotes_stands_in_no_log(
    store: KnowledgeStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "orders.csv").write_text(ORDERS)
    sql = "SELECT city::int AS n FROM orders"
    run_due(store, {"sales": TableQuery(sql=sql, database=str(tmp_path / "files"))}, 1.0)
    assert "Madrid" in runs_of(store)["sales"]["error"]
    assert "the query sales of store does not run" in caplog.text
    assert "Madrid" not in caplog.text


def test_without_the_extension_for_postgres_the_error_names_the_mend(
    store: KnowledgeStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with duckdb.connect() as database:
        ((platform,),) = database.execute("PRAGMA platform").fetchall()
    home = tmp_path / ".duckdb" / "extensions" / f"v{duckdb.__version__}" / platform
    home.mkdir(parents=True)
    (home / "postgres_scanner.duckdb_extension").write_bytes(b"of another version")
    query = TableQuery(sql="SELECT 1", database="postgres://waggle:hunter2@127.0.0.1:1/shop")
    with pytest.raises(QueryFailed) as failure:
        run_query(store, "sales", query)
    assert "or export the tables to CSV or Parquet and set `database`" in str(failure.value)
    assert "hunter2" not in str(failure.value)


def test_an_error_about_names_is_repeated_without_the_password() -> None:
    address = "postgres://waggle:hunter2@127.0.0.1:1/shop"
    error = duckdb.CatalogException(f"Table orders hunter2 in {address} does not exist!\nLINE 1")
    assert without_secrets(error, address) == "Table orders *** in the database does not exist!"
    assert "orders" not in without_secrets(duckdb.IOException(f"orders: {address}"), address)


@pytest.mark.skipif(
    "WAGGLE_TEST_POSTGRES" not in os.environ, reason="no address of a Postgres to write to"
)
def test_a_query_reads_postgres_and_may_not_write_it(store: KnowledgeStore) -> None:
    address = os.environ["WAGGLE_TEST_POSTGRES"]
    with duckdb.connect() as database:
        database.execute("LOAD postgres")
        database.execute(f"ATTACH '{address}' AS pg (TYPE postgres)")
        database.execute("DROP TABLE IF EXISTS pg.waggle_test_orders")
        database.execute("CREATE TABLE pg.waggle_test_orders (city text, total integer)")
        database.execute("INSERT INTO pg.waggle_test_orders VALUES ('Madrid', 10), ('Madrid', 7)")
    sql = "SELECT city, sum(total) AS revenue FROM waggle_test_orders GROUP BY city"
    query = TableQuery(sql=sql, database=address)
    assert run_query(store, "sales", query)
    assert not run_query(store, "sales", query)
    assert "17" in ask(store, "What is the revenue of Madrid?")
    writing = "SELECT * FROM postgres_query('source', 'DELETE FROM waggle_test_orders RETURNING 1')"
    for wrong in (writing, "SELECT * FROM waggle_test_missing"):
        with pytest.raises(QueryFailed):
            run_query(store, "sales", query.model_copy(update={"sql": wrong}))
    with duckdb.connect() as database:
        database.execute("LOAD postgres")
        database.execute(f"ATTACH '{address}' AS pg (TYPE postgres)")
        rows = database.execute("SELECT city FROM pg.waggle_test_orders").fetchall()
        assert rows == [("Madrid",), ("Madrid",)]
        database.execute("DROP TABLE pg.waggle_test_orders")


def test_a_query_that_fails_says_nothing_of_the_password(store: KnowledgeStore) -> None:
    address = "postgresql://waggle:hunter2@127.0.0.1:1/shop"
    with pytest.raises(QueryFailed) as failure:
        run_query(store, "sales", TableQuery(sql="SELECT 1", database=address))
    assert "hunter2" not in str(failure.value)


def test_no_two_sources_bring_a_table_of_one_name(store: KnowledgeStore, tmp_path: Path) -> None:
    """SQLite tells no capitals apart: the rows of one would answer for the other."""
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "Sales.csv").write_text(ORDERS)
    (folder / "sales.csv").write_text("no,town\n1,Lima\n")
    feed = FolderFeed(store, folder, keep=3, wall=lambda: 9e9)
    feed.look()
    assert [(table.name, table.rows) for table in store.tables()] == [("Sales", 3)]
    assert feed.errors() == {"sales.csv": "Sales.csv brings a table of the name Sales already"}
    query = {"sales": TableQuery(sql="SELECT 1 AS n")}
    assert run_due(store, query, 1_000.0) == 0
    assert "Sales.csv brings" in runs_of(store)["sales"]["error"]
    (folder / "Sales.csv").unlink()
    feed.look()
    feed.look()
    assert [(table.name, table.rows) for table in store.tables()] == [("sales", 1)]


def test_a_query_that_does_not_end_is_ended(store: KnowledgeStore) -> None:
    endless = "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range + b.range = -1"
    with pytest.raises(QueryFailed, match="takes longer than"):
        run_query(store, "sales", TableQuery(sql=endless), most_seconds=0.05)


def test_columns_of_a_query_that_have_one_name_are_told_apart(store: KnowledgeStore) -> None:
    assert run_query(store, "sales", TableQuery(sql="SELECT 1 AS n, 2 AS N, 3 AS n"))
    (table,) = store.tables()
    assert [column["name"] for column in table.columns] == ["n", "N 2", "n 3"]


def test_a_query_with_too_many_columns_fails_as_a_query(store: KnowledgeStore) -> None:
    wide = "SELECT " + ", ".join(f"1 AS c{n}" for n in range(501))
    with pytest.raises(QueryFailed, match="500 columns"):
        run_query(store, "sales", TableQuery(sql=wide))
