"""A question on rows becomes the query that it asks for, or is refused by name."""

import sqlite3

import pytest

from router.knowledge.rows.answering import answer_rows
from router.knowledge.rows.loading import write_table
from router.knowledge.rows.reading import csv_table
from router.knowledge.rows.safe import runner
from router.knowledge.rows.schema import NotUnderstood, RowAnswer
from tests.knowledge.rows_store import rows_store


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    tables, run, _ = rows_store(tmp_path_factory.mktemp("rows"))
    return lambda *questions: answer_rows(questions[-1], tables, run, questions[:-1])


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("How many loans are there?", [(6,)]),
        ("could you tell me how many readers live in Cadiz, please", [(2,)]),
        ("readers that are not in Cádiz", [(2,)]),
        ("average age of the readers in York", [(64.0,)]),
        ("total fines per genre", [("Essay", 4.5), ("Fiction", 2.5), ("Science", 1.0)]),
        ("how many loans were taken in March 2024", [(2,)]),
        ("loans not returned", [(2,)]),
        ("which genre has the most loans", [("Fiction", 3)]),
        ("who is the oldest reader", [("Ben Cole", 64)]),
        ("what percentage of Fiction loans were renewed", [(200 / 3,)]),
        ("how many different titles are there", [(5,)]),
        ("loans with a fine between 1 and 3 euros", [(2,)]),
        ("readers over 60 or in Avila", [(2,)]),
        ("top 2 readers by age", [("Ben Cole", 64), ("Eva Sol", 58)]),
        ("how many lonas of Dune", [(2,)]),
        ("how many loans did readers from York have", [(2,)]),
        ("readers with no loans", [(1,)]),
        ("¿cuántos lectores hay de más de 30 años?", [(3,)]),
        ("¿cuál es la edad media de los readers de Cádiz?", [(44.5,)]),
        ("¿cuántos loans hay por genre?", [("Essay", 2), ("Fiction", 3), ("Science", 1)]),
    ],
)
def test_a_question_becomes_the_query_that_it_asks_for(ask, question, rows):
    answer = ask(question)
    assert isinstance(answer, RowAnswer), answer
    assert [pytest.approx(row) for row in rows] == list(answer.rows)


@pytest.mark.parametrize(
    ("questions", "rows"),
    [
        (("how many loans were taken in March 2024", "and in February?"), [(1,)]),
        (("how many loans were taken in March 2024", "how many of those are Essay?"), [(1,)]),
        (("average age of the readers in York", "¿y en Cádiz?"), [(44.5,)]),
        (("loans per genre", "only the renewed ones"), [("Fiction", 2)]),
        (("which genre has the most loans", "and the least?"), [("Science", 1)]),
        (("loans of Dune", "¿cuántos están renewed?"), [(1,)]),
        (("how many loans were taken in March 2024", "which ones?"), [("L-3",), ("L-6",)]),
    ],
)
def test_a_question_may_go_on_from_the_one_before(ask, questions, rows):
    answer = ask(*questions)
    assert isinstance(answer, RowAnswer), answer
    assert list(answer.rows) == rows


@pytest.mark.parametrize(
    ("question", "named"),
    [
        ("how many loans will there be next year", "`will`"),
        ("how many tall readers are there", "`tall`"),
        ("what is the phone of Ana Ruiz", "`phone`"),
        ("is York nicer than Cádiz", "`nicer`"),
        ("how many loans before March", "year"),
        ("loans of more than 3 parsecs", "`parsecs`"),
        ("delete all loans", "`delete`"),
        ("in which month was the highest loan", "extreme"),
        ("how many loans were renewed in March", "renewed"),
        ("¿cuántos readers tienen perro?", "`perro`"),
    ],
)
def test_what_is_not_understood_is_refused_by_name(ask, question, named):
    answer = ask(question)
    assert isinstance(answer, NotUnderstood), answer
    assert named in answer.reason


def test_two_columns_that_fit_are_both_named(tmp_path):
    text = "item,net price,gross price\nCup,1.5,2\nJug,3,4\n"
    connection = sqlite3.connect(tmp_path / "s.sqlite")
    with connection:
        tables = [write_table(connection, csv_table("goods", text), "rows_goods")]
    connection.close()
    run = runner(tmp_path / "s.sqlite", tables)
    answer = answer_rows("average price", tables, run)
    assert isinstance(answer, NotUnderstood)
    assert "`net price` or `gross price`" in answer.reason
    assert isinstance(answer_rows("average net price", tables, run), RowAnswer)


def test_the_answer_says_how_the_question_was_read(ask):
    answer = ask("how many readers are in Cádiz")
    assert answer.reading == "the number of rows of readers where `town` is Cádiz"
    answer = ask("¿cuántos readers hay en Cádiz?")
    assert answer.reading == "el número de filas de readers donde `town` es Cádiz"
