"""Questions on things that have several rows each, and short ways of asking that change nothing."""

import pytest

from router.knowledge.rows.keeping import put_table
from router.knowledge.rows.reading import csv_table
from router.knowledge.rows.schema import NotUnderstood, RowAnswer
from router.knowledge.rows.store_rows import StoreRows
from router.knowledge.store import KnowledgeStore

VISITS = """visit_id,seen_on,pet,species,owner,vet,paid,fee,estado
V1,2025-01-10,Misty,cat,Sam Lowe,Dr Voss,no,50,malo
V2,2025-01-14,Misty,cat,Sam Lowe,Dr Hale,yes,20,bueno
V3,2025-02-17,Rex,dog,Sam Lowe,Dr Voss,yes,90,malo
V4,2025-03-02,Kiwi,bird,Omar Diaz,Dr Hale,yes,30,bueno
V5,2025-03-09,Kiwi,bird,Omar Diaz,Dr Hale,no,40,bueno
"""
STATIONS = """station,district,docks,opened_on
Old Mill,North,24,2021-07-26
Lime Kiln,North,12,2023-09-05
Harbour,South,30,2018-05-03
"""
BOOKINGS = """booking_ref,performance_date,booked_on,customer,seating_area,amount
K1,2025-10-11,2025-07-30,Leo Stein,Box,68.00
K2,2025-10-03,2025-08-03,Leo Stein,Stalls,42.00
K3,2025-10-11,2025-08-05,Ned Pryce,Box,22.50
"""


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    store = KnowledgeStore(tmp_path_factory.mktemp("visits"))
    for name, text in (("visits", VISITS), ("stations", STATIONS), ("bookings", BOOKINGS)):
        put_table(store, csv_table(name, text), source=f"{name}.csv", by="feed")
    rows = StoreRows(store)
    return lambda question, *previous: rows.answer(question, previous)


@pytest.mark.parametrize(
    "question",
    [
        "which pets were never seen by Dr Voss",  # Misty was, and was seen by another too
        "which owners have only cats",
        "which owners have no cats",
        "which owners had all visits paid",
        "list the owners that have not paid",
    ],
)
def test_a_word_for_each_of_several_rows_is_refused_where_its_meanings_differ(ask, question):
    answer = ask(question)
    assert isinstance(answer, NotUnderstood), answer
    assert "each whose rows all are such" in answer.reason


@pytest.mark.parametrize(
    ("question", "due"),
    [
        ("which pets are not cats", ["Kiwi", "Rex"]),  # no pet is two species
        ("which owners have only birds", ["Omar Diaz"]),
        ("list all pets seen by Dr Voss", ["Misty", "Rex"]),
        ("would you mind telling me the average fee of the cats?", [35]),
        ("how many docks are there in each district, if you don't mind?", ["North", "South"]),
        ("how many docks does a station have on average", [22]),
        ("is there any cat seen by Dr Voss", [1]),
        ("can you tell me whether any visit has a fee above 80", [1]),
        ("¿cuántas visitas están en mal estado?", [2]),
        ("what did Leo Stein spend in total?", [110]),
    ],
)
def test_a_question_is_answered(ask, question, due):
    answer = ask(question)
    assert isinstance(answer, RowAnswer), answer
    assert [row[0] for row in answer.rows] == due


def test_a_pronoun_goes_on_from_the_question_before(ask):
    """`They` are the visits, not the docks of the other table."""
    answer = ask("how many docks did they have in total?", "how many visits has Misty had?")
    assert isinstance(answer, NotUnderstood), answer


def test_a_day_that_each_row_has_did_not_fail_to_happen(ask):
    answer = ask("which customers never booked the Stalls")
    assert isinstance(answer, NotUnderstood), answer
    assert "`booked_on` is never empty" in answer.reason


def test_what_would_be_is_not_what_is(ask):
    assert ask("how many visits would be paid").reason == "not understood: `would`"
