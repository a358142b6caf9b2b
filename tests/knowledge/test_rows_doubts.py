"""Questions whose words fit two readings, of which a person would mean the other one."""

import sqlite3

import pytest

from router.knowledge.rows.answering import RowReader, answered_by
from router.knowledge.rows.loading import write_table
from router.knowledge.rows.reading import csv_table
from router.knowledge.rows.safe import runner
from router.knowledge.rows.schema import NotUnderstood, RowAnswer

STAYS = "id,plate,vehicle,owner,days,arrived,left,electric\n" + "".join(
    f"{n},P-{n:03},{('Car', 'Van')[n % 2]},Own {n},{n % 5 + 1},2025-05-{n % 9 + 1:02},"
    f"{'' if n % 4 else '2025-06-01'},{('yes', 'no')[n % 3 == 0]}\n"
    for n in range(1, 31)
)


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    path = tmp_path_factory.mktemp("rows") / "s.sqlite"
    connection = sqlite3.connect(path)
    with connection:
        table = write_table(connection, csv_table("parking", STAYS), "rows_parking")
    connection.close()
    run = runner(path, [table])
    reader = RowReader([table], run)
    return lambda question: answered_by(reader, question, run, ())


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("how many different vehicles are electric", [(2,)]),
        ("how many vehicles are there", [(2,)]),
        ("how many rows are electric", [(20,)]),
    ],
)
def test_what_is_said_in_full_is_answered(ask, question, rows):
    answer = ask(question)
    assert isinstance(answer, RowAnswer)
    assert [tuple(row) for row in answer.rows] == rows


@pytest.mark.parametrize(
    "question",
    [
        "how many vehicles haven't left yet",  # 22 stays, of two sorts of vehicle
        "how many vehicles are electric",
        "what was our busiest day for arrivals",  # no sum of days
        "whose vehicle is P-003",
    ],
)
def test_a_doubtful_question_is_refused(ask, question):
    assert isinstance(ask(question), NotUnderstood)
