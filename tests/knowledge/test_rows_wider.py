"""Questions of people who keep boats, a podcast or a museum, and what stays refused."""

import sqlite3

import pytest

from router.knowledge.rows.answering import RowReader, answered_by
from router.knowledge.rows.loading import write_table
from router.knowledge.rows.reading import csv_table
from router.knowledge.rows.safe import runner
from router.knowledge.rows.schema import NotUnderstood, RowAnswer

BOATS = """boat_id,Name,Boat Type,Owner,Length (m),Built,Insured
B1,Osprey,Sailboat,Tove Lund,12.5,1995,Y
B2,Tern,Sailboat,Rory Keane,8,1984,N
B3,Selkie,Motorboat,Rory Keane,6.2,2010,Y
B4,Argo,Catamaran,Ines Mora,15,1991,N
"""
MOORINGS = """mooring_no,boat_id,arrived,left,nights,pontoon,charge,how_paid,paid,Harbour master
5001,B1,2025-06-01,2025-06-04,3,A,£60.00,card,yes,Dot
5002,B1,2025-06-20,2025-07-06,16,B,£320.00,cash,yes,Dot
5003,B2,2025-07-02,,4,A,£80.00,,no,Fergus
5004,B3,2025-07-09,2025-07-10,1,B,£25.00,card,yes,Dot
"""
EPISODES = """episode_id,Title,Show,Host,published,length_min,downloads,sponsor,guest,topic
E10,Salt Fox,Deep Water,Nadia Brandt,2024-02-01,70,900,Oatly,,money
E11,Paper River,The Ledger,Otis Mayhew,2024-05-02,30,1500,,Joel Finch,crime
E12,Winter Echo,Deep Water,Nadia Brandt,2025-01-03,45,400,Oatly,Joel Finch,crime
E13,Ghost Tower,The Ledger,Otis Mayhew,2025-03-04,61,200,,,nature
"""
WORKS = """inv_no,Title,Artist,Year,height_cm,Acquired
W1,Red Mirror,Clara Voss,1920,210,1996-04-01
W2,Last Voyage,Clara Voss,1966,90,2003-02-01
W3,Inner Window,Yuki Arai,1972,60,1999-09-01
"""


def _asker(path, texts):
    connection = sqlite3.connect(path)
    with connection:
        tables = [
            write_table(connection, csv_table(name, text), f"rows_{name}")
            for name, text in texts.items()
        ]
    connection.close()
    run = runner(path, tables)
    reader = RowReader(tables, run)
    return lambda question: answered_by(reader, question, run, ())


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    path = tmp_path_factory.mktemp("rows") / "s.sqlite"
    texts = {"boats": BOATS, "moorings": MOORINGS, "episodes": EPISODES, "artworks": WORKS}
    return _asker(path, texts)


@pytest.mark.parametrize(
    ("question", "due"),
    [
        ("how many moorings in June 2025?", [2]),  # by the day on which each began
        ("did Dot or Fergus get more moorings?", ["Dot"]),
        ("did Deep Water or The Ledger get more downloads?", ["The Ledger"]),
        ("which pontoon makes the most money?", ["B"]),
        ("how much is still owed to us?", [80]),
        ("how much was paid in cash?", [320]),
        ("moorings that stayed longer than two weeks", [1]),
        ("how many episodes longer than an hour are there?", [2]),
        ("works taller than 2 metres", [1]),
        ("boats over 12 metres long, how many", [2]),
        ("how many episodes did Nadia host", [2]),
        ("who hosts The Ledger?", ["Otis Mayhew"]),
        ("whose boat is Osprey?", ["Tove Lund"]),
        ("who has the longest boat", ["Ines Mora"]),
        ("which boats have never moored with us?", ["Argo"]),
        ("how many boats have moored more than once", None),
        ("boats that moored more than 1 times", [1]),
        ("boats built in the 90s?", [2]),
        ("how many boats were built before 1990", [1]),
        ("works before 1950", [1]),
        ("works acquired before 2000", [2]),
        ("how many sponsored episodes", [2]),
        ("how many episodes were sponsored by Oatly", [2]),
        ("how many episodes are about money", [1]),
        ("how many episodes have neither a guest nor a sponsor", [1]),
        ("was 5003 paid?", [0]),
        ("everything except Deep Water: total downloads", [1700]),
        ("how many episodes has each host done?", ["Nadia Brandt", "Otis Mayhew"]),
        ("who painted Red Mirror?", ["Clara Voss"]),
    ],
)
def test_a_question_is_answered(ask, question, due):
    answer = ask(question)
    if due is None:
        assert isinstance(answer, NotUnderstood)
        return
    assert isinstance(answer, RowAnswer), answer
    assert [row[0] for row in answer.rows] == due


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ("who has never paid", "no people"),  # the harbour master is no guest
        ("how deep is pontoon A", "not understood"),  # `how` is no name for `how_paid`
        ("boats that moored more than 1 times in 2025", "2025"),
        ("works made before 1950 and acquired after 2000", "may be a year"),
        ("who borrowed the most from us?", "`us`"),
        ("most downloads, Nadia or Otis", "has the most"),
        ("boats longer than 40 feet", "feet"),
        ("people in their 60s", "not understood"),
        ("which boats have moored in 2025", "moored"),
    ],
)
def test_a_doubtful_question_is_refused_by_name(ask, question, reason):
    answer = ask(question)
    assert isinstance(answer, NotUnderstood), answer
    assert reason in answer.reason


CALLS = """Call No,Date,Caller age,Area,Crew leader,Response min,Distance miles,Hospital,False alarm
X1,2024-03-01,81,Old Town,Moira Quinn,12,3.5,Royal,No
X2,2024-04-02,40,Northgate,Dev Patel,6,9,,Yes
X3,2025-01-05,,Old Town,Dev Patel,30,1.2,St Anne,No
"""
PLOTS = """plot,Holder,Size m2,Annual rent,Rent paid,Since
P1,Edna Pike,60,£35,yes,2001
P2,Joe Farrow,125,£60,no,2012
P3,Edna Pike,250,£95,no,2005
"""
INSPECTIONS = """insp_id,plot,date,inspector,score
1,P1,2024-05-01,H. Crane,8
2,P1,2024-06-01,B. Yusuf,3
3,P2,2025-02-01,H. Crane,6
"""


@pytest.fixture(scope="module")
def ask_town(tmp_path_factory):
    path = tmp_path_factory.mktemp("town") / "s.sqlite"
    return _asker(path, {"callouts": CALLS, "plots": PLOTS, "inspections": INSPECTIONS})


@pytest.mark.parametrize(
    ("question", "due"),
    [
        ("call-outs in Old Town, how many?", [2]),
        ("what's our average response time", [16]),
        ("how many calls did Dev lead in 2025?", [1]),
        ("calls with a response under 8 minutes", [1]),
        ("callers over 80", [1]),
        ("furthest call we attended", ["X2"]),
        ("how much rent is unpaid?", [155]),
        ("how many haven't paid their rent", [2]),
        ("plots bigger than 100 square metres", [2]),
        ("plots that were never inspected", [1]),
        ("plots inspected more than 1 times", [1]),
        ("plots since 2005", [2]),
        ("who led X2?", ["Dev Patel"]),
    ],
)
def test_a_question_of_the_town_is_answered(ask_town, question, due):
    answer = ask_town(question)
    assert isinstance(answer, RowAnswer), answer
    assert [row[0] for row in answer.rows] == due


@pytest.mark.parametrize(
    "question",
    [
        "plots never inspected by H. Crane",  # P3 has no inspection, which no row of these says
        "average of the average response per area",
        "plots not scored",  # each inspection has a score
        "who has not paid",
    ],
)
def test_what_the_rows_of_the_town_do_not_say_is_refused(ask_town, question):
    assert isinstance(ask_town(question), NotUnderstood)
