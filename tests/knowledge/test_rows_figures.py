"""Figures that people ask for without naming a column, and figures over the rows of two tables."""

import sqlite3

import pytest

from router.knowledge.rows.answering import RowReader, answered_by
from router.knowledge.rows.loading import write_table
from router.knowledge.rows.reading import csv_table
from router.knowledge.rows.safe import runner
from router.knowledge.rows.schema import NotUnderstood, RowAnswer

GIFTS = """donation_id,donor,date,amount,campaign,recurring
501,Maria Holt,2023-01-04,$100.00,Roof,yes
502,Omar Haddad,2023-02-11,$20.00,Roof,no
503,Maria Holt,2024-03-02,$50.00,Water,no
504,Lars Berg,2024-03-09,$250.00,Water,yes
505,Maria Holt,2024-05-20,$10.00,Roof,no
"""
FARMS = """Code,Farm,crop,area (ha),organic
F1,Oak Hill,olives,12.5,yes
F2,Low Mead,wheat,80,no
F3,Top End,olives,7.5,no
"""
HARVESTS = """id,Code,picked_on,kilos,price_kg,delay_min,sold
1,F1,2023-10-01,900,1.2,0,yes
2,F1,2023-10-09,1100,0.8,15,no
3,F2,2023-11-02,5000,0.5,0,no
4,F2,2023-11-20,4000,0.4,40,yes
"""


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    path = tmp_path_factory.mktemp("rows") / "s.sqlite"
    connection = sqlite3.connect(path)
    with connection:
        tables = [
            write_table(connection, csv_table(name, text), f"rows_{name}")
            for name, text in (("donations", GIFTS), ("farms", FARMS), ("harvests", HARVESTS))
        ]
    connection.close()
    run = runner(path, tables)
    reader = RowReader(tables, run)
    return lambda *questions: answered_by(reader, questions[-1], run, questions[:-1])


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("how much was donated in 2024", [(310.0,)]),
        ("what is the total for Roof?", [(130.0,)]),
        ("biggest donation", [(504, 250.0)]),
        ("average gift", [(86.0,)]),
        ("who donated the most", [("Lars Berg", 250.0)]),
        ("how many people donated to Roof", [(2,)]),
        ("donors with more than 2 donations", [("Maria Holt", 3)]),
        ("how much did Omar give", [(20.0,)]),
        ("who gave donation 504", [("Lars Berg",)]),
        ("is F1 organic", [(1,)]),
        ("largest farm", [("Low Mead", 80)]),
        ("how many hectares of olives are there", [(20.0,)]),
        ("total kilos from Oak Hill", [(2000,)]),
        ("which farm has the most harvests", [("Low Mead", 2), ("Oak Hill", 2)]),
        ("kilos per farm", [("Low Mead", 9000), ("Oak Hill", 2000)]),
        ("farms with more than 1 harvest", [(2,)]),
        ("average price per kilo", [(0.725,)]),
        ("average kilos per harvest", [(2750,)]),
        ("how many harvests were delayed", [(2,)]),
        ("harvests where we picked over 4500 kilos", [(1,)]),
        ("F2 kilos", [(9000,)]),
        ("harvests with 4000+ kilos", [(2,)]),
        ("which farm is the largest", [("Low Mead", 80)]),
        ("quick question: how many farms do we have at the moment, if any", [(3,)]),
        ("¿me puedes decir más o menos cuántas donations hay hasta la fecha?", [(5,)]),
        ("average donation per campaign", [("Roof", 130 / 3), ("Water", 150.0)]),
        ("unique donors per campaign", [("Roof", 2), ("Water", 2)]),
        ("donations/campaign", [("Roof", 3), ("Water", 2)]),
        ("harvests picked on a Monday or a Thursday", [(3,)]),
        ("kilos in the second half of 2023", [(11000,)]),
        ("list the olives farms with their areas", [("Oak Hill", 12.5), ("Top End", 7.5)]),
        ("donations of $100", [(1,)]),
        ("donor and amount of the Water donations", [("Lars Berg", 250.0), ("Maria Holt", 50.0)]),
        ("harvests that were not sold", [(2,)]),
    ],
)
def test_a_figure_is_known_by_what_people_ask(ask, question, rows):
    answer = ask(question)
    assert isinstance(answer, RowAnswer), answer
    assert list(answer.rows) == [pytest.approx(row) for row in rows]


@pytest.mark.parametrize(
    "question",
    [
        "how many donations did Maria sell",
        "how many people donated since the rain",
        "average donations per month",
        "farms with more than 1 harvest in 2023",
        "area per harvest",
        "total area of the harvests",
        "is F1 organic and large",
        "donations given in Water by plane",
        "newest farm",
        "total cost of the harvests",
        "which campaign has the most",
        "how much did we spend in 2023",
        "where are the farms",
        "how many farms were ploughed",
        "total of the ids",
        "how many farms were picked in 2023",
    ],
)
def test_what_a_figure_may_not_mean_is_refused(ask, question):
    answer = ask(question)
    assert isinstance(answer, NotUnderstood), answer


def test_a_question_turns_to_groups_of_the_figure_before(ask):
    answer = ask("how much was donated in 2024", "break it down by campaign")
    assert isinstance(answer, RowAnswer), answer
    assert list(answer.rows) == [("Roof", 10.0), ("Water", 300.0)]
