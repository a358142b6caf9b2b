"""Advice on storage is measured on a copy, with the queries that the store was asked."""

import random
import sqlite3

import pytest

from router.knowledge.advice import advise, create_index
from router.knowledge.rows.keeping import drop_table, put_table, stored_name
from router.knowledge.rows.query_log import FILE, QueryLog, form_of
from router.knowledge.rows.schema import Column, NotUnderstood, RowAnswer, TypedTable
from router.knowledge.rows.store_rows import StoreRows
from router.knowledge.store import KnowledgeStore
from router.knowledge.store_tables import FILE as STORE_FILE

COLUMNS = (
    Column("code", "text"),
    Column("city", "text"),
    Column("fee", "number"),
    Column("note", "text"),
)


def steps(connection: sqlite3.Connection, sql: str) -> float:
    """The steps of SQLite's machine that a query takes, in fifties: alike on every machine."""
    count = 0

    def one_step() -> int:
        nonlocal count
        count += 1
        return 0

    connection.set_progress_handler(one_step, 50)
    connection.execute(sql).fetchall()
    connection.set_progress_handler(None, 50)
    return float(count)


def permits(count: int) -> TypedTable:
    chance = random.Random(5)
    notes = [f"a long note of the kind number {n} that repeats itself" for n in range(9)]
    rows = [
        (f"K{n:05}", chance.choice(("York", "Leeds")), n % 7 + 0.5, chance.choice(notes))
        for n in range(count)
    ]
    return TypedTable("permits", COLUMNS, rows)


@pytest.fixture
def store(tmp_path):
    store = KnowledgeStore(tmp_path / "store")
    put_table(store, permits(1_200), source="permits.csv", by="feed")
    yield store
    store.close()


def test_an_index_is_proposed_for_what_is_asked_and_stays_when_rows_change(store):
    rows = StoreRows(store)
    for n in range(5):
        assert isinstance(rows.answer(f"fee of K{n:05}"), RowAnswer)
    log = QueryLog(store.folder)
    assert [(query.count, "K000" in query.form) for query in log.queries()] == [(5, False)]
    before = (store.folder / STORE_FILE).read_bytes()
    advice = advise(store, log, cost=steps)
    assert (store.folder / STORE_FILE).read_bytes() == before
    best = advice.proposals[0]
    assert (best.kind, best.table, best.columns) == ("index", "permits", ("code",))
    assert best.cost_after < 0.1 * best.cost_before
    create_index(store, best)
    put_table(store, permits(1_300), source="permits.csv", by="feed")
    plan = store.looking.execute(
        f"explain query plan select fee from {stored_name('permits')} where code = 'K00001'"
    ).fetchall()
    assert "rows_permits by code" in str(plan)
    again = [each.columns for each in advise(store, log, cost=steps).proposals]
    assert ("code",) not in again


def test_fewer_bytes_are_proposed_only_if_questions_stay_quick(store):
    rows = StoreRows(store)
    assert isinstance(rows.answer("average fee"), RowAnswer)
    log = QueryLog(store.folder)
    flat = advise(store, log, cost=lambda connection, sql: 1.0)
    (small,) = [each for each in flat.findings if each.kind == "compress"]
    assert small.proposed
    assert small.bytes_saved > 0.25
    slow = advise(store, log, cost=lambda connection, sql: float(_is_view(connection)) + 1)
    assert not slow.proposals


def _is_view(connection: sqlite3.Connection) -> bool:
    (kind,) = connection.execute(
        "select type from sqlite_master where name = 'rows_permits'"
    ).fetchone()
    return kind == "view"


def test_a_partition_must_pay_beside_the_indexes(store):
    rows = StoreRows(store)
    assert isinstance(rows.answer("total fee in York"), RowAnswer)
    advice = advise(store, QueryLog(store.folder), cost=steps)
    (split,) = [each for each in advice.findings if each.kind == "partition"]
    assert advice.proposals[0].columns == ("city",)
    assert (split.columns, split.proposed) == (("city",), False)
    assert split.cost_after <= split.cost_before  # it answers the same: else it costs infinitely


def test_without_questions_there_is_no_advice(store):
    assert advise(store, QueryLog(store.folder)).findings == ()


def test_the_log_holds_no_word_of_a_question(store):
    sql = 'SELECT count(*) FROM "t" WHERE "t"."town" = \'York\' AND "t"."age" > 41 LIMIT 9'
    assert form_of(sql) == (
        'SELECT count(*) FROM "t" WHERE "t"."town" = {"t"."town"} '
        'AND "t"."age" > {"t"."age"} LIMIT 9'
    )
    assert form_of("SELECT count(*) FROM t WHERE lower(town) = 'york'") == ""
    StoreRows(store).answer("permits in York with a fee over 3")
    assert b"York" not in (store.folder / FILE).read_bytes()


def test_a_table_that_comes_again_is_no_event_and_one_that_goes_is_not_asked(store):
    rows = StoreRows(store)
    assert rows.answer("how many permits in York") != rows.answer("how many permits")
    assert put_table(store, permits(1_200), source="permits.csv", by="feed") is None
    number = put_table(store, permits(1_201), source="permits.csv", by="feed")
    assert number == store.newest
    answer = rows.answer("how many permits")
    assert isinstance(answer, RowAnswer)
    assert answer.rows == ((1_201,),)
    assert drop_table(store, "permits", by="feed") == store.newest
    assert rows.answer("how many permits") == NotUnderstood("the store holds no table")
