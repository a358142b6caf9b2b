"""Ways of speech: nouns, verbs, short forms; and numbers that only tell rows apart."""

import sqlite3

import pytest

from router.knowledge.rows.answering import RowReader, answered_by
from router.knowledge.rows.loading import write_table
from router.knowledge.rows.reading import csv_table
from router.knowledge.rows.safe import runner
from router.knowledge.rows.schema import NotUnderstood, RowAnswer

JOBS = """Job #,Cust. Name,Tech,Device,opened,status,warranty,price,total,mins,stars
1,Ann Lee,Ana,Phone,2024-01-05,Done,yes,£20.00,£40.00,30,5
2,Bob Ray,Ana,Laptop,2024-01-09,Cancelled,no,£50.00,£50.00,90,
3,Ann Lee,Leo,Phone,2024-02-11,Done,no,£30.00,£90.00,45,4
4,Cy Fox,Leo,Phone,2024-03-02,Done,yes,£10.00,£10.00,20,5
5,Dot Orr,,Tablet,2024-03-08,Open,no,£25.00,£75.00,60,2
"""
HOMES = """ref;tipo;barrio;hab.;m2;precio;precio_cierre;agente
A-1;Casa;Centro;3;90;200.000,00 €;190.000,00 €;Eva Gil
A-2;Casa;Norte;2;70;150.000,00 €;;Eva Gil
A-3;Piso;Norte;4;110;310.000,00 €;300.000,00 €;
"""


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    path = tmp_path_factory.mktemp("rows") / "s.sqlite"
    connection = sqlite3.connect(path)
    with connection:
        tables = [
            write_table(connection, csv_table(name, text), f"rows_{name}")
            for name, text in (("jobs", JOBS), ("inmuebles", HOMES))
        ]
    connection.close()
    run = runner(path, tables)
    reader = RowReader(tables, run)
    return lambda *questions: answered_by(reader, questions[-1], run, questions[:-1])


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("¿Cuántas casas no están en el Centro?", [(1,)]),
        ("how many inmuebles are there", [(3,)]),
        ("how many houses are there", [(2,)]),
        ("how many jobs were not done by Ana", [(2,)]),
        ("jobs done by Ana", [(2,)]),
        ("total mins", [(245,)]),
        ("total for jobs under warranty", [(50.0,)]),
        ("Who is the best rated technician?", [("Ana", 5.0)]),
        ("jobs with no tech assigned", [(1,)]),
        ("jobs without Ana", [(3,)]),
        ("what kinds of device do we look after", [("Laptop",), ("Phone",), ("Tablet",)]),
        ("jobs rated 4 or less, how many?", [(2,)]),
        ("who's the customer of job 5", [("Dot Orr",)]),
        ("media de m2 de las casas", [(80.0,)]),
        ("¿Cuántos inmuebles tienen 3 o más habitaciones?", [(2,)]),
        (
            "what percentage of jobs are under warranty for each device",
            [("Laptop", 0.0), ("Phone", 200 / 3), ("Tablet", 0.0)],
        ),
        ("jobs on 9 January", [(1,)]),
        ("are there more jobs from Ann Lee or from Cy Fox", [("Ann Lee", 2)]),
        ("average mins, Phone vs Laptop", [("Laptop", 90.0), ("Phone", 95 / 3)]),
        ("jobs between 5 and 9 January 2024", [(2,)]),
        ("jobs of 40-90 mins", [(3,)]),
        ("how many jobs have at least one star", [(4,)]),
        ("how many times was the device a Phone", [(3,)]),
    ],
)
def test_what_people_say_is_understood(ask, question, rows):
    answer = ask(question)
    assert isinstance(answer, RowAnswer), answer
    assert list(answer.rows) == [pytest.approx(row) for row in rows]


@pytest.mark.parametrize(
    "question",
    [
        "jobs not cancelled by Ana",
        "percentage of cancelled jobs per device",
        "jobs that need to be done",
        "who has the most",
        "how many more jobs are from Ann Lee or Cy Fox",
        "jobs from us",
        "how many times more jobs has Ana than Leo",
        "total in 2030",
    ],
)
def test_what_may_mean_something_else_is_refused(ask, question):
    answer = ask(question)
    assert isinstance(answer, NotUnderstood), answer


def test_a_value_that_looks_like_a_range_is_a_value(tmp_path):
    connection = sqlite3.connect(tmp_path / "s.sqlite")
    text = "name,band,fee\nAna,18-25,3\nBen,26-40,4\nEva,18-25,5\n"
    with connection:
        table = write_table(connection, csv_table("members", text), "rows_members")
    connection.close()
    run = runner(tmp_path / "s.sqlite", [table])
    answer = answered_by(RowReader([table], run), "how many members are 18-25", run)
    assert isinstance(answer, RowAnswer), answer
    assert answer.rows == ((2,),)


def test_a_range_of_years_is_one_condition(tmp_path):
    connection = sqlite3.connect(tmp_path / "s.sqlite")
    text = "title,year,added\nRiver,1990,2024-01-05\nHill,1995,2024-02-05\nSea,2004,2023-02-05\n"
    with connection:
        table = write_table(connection, csv_table("books", text), "rows_books")
    connection.close()
    run = runner(tmp_path / "s.sqlite", [table])
    reader = RowReader([table], run)
    for question in ("how many books of 1990-1999", "books from 1990 to 1999"):
        answer = answered_by(reader, question, run)
        assert isinstance(answer, RowAnswer), answer
        assert answer.rows == ((2,),)
