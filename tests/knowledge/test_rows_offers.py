"""A question of which a verb is not understood stays refused, with what the rows say without it."""

import sqlite3

import pytest

from router.knowledge.rows.answering import RowReader, answered_by
from router.knowledge.rows.loading import write_table
from router.knowledge.rows.offering import offer_of
from router.knowledge.rows.reading import csv_table
from router.knowledge.rows.safe import runner
from router.knowledge.rows.schema import NotUnderstood, RowAnswer

GIGS = "gig,date,act,venue,support,gate,stars\n" + "".join(
    f"G{n:03},202{n % 3 + 2}-05-{n % 9 + 1:02},{('Static Aunt', 'Dead Kettle')[n % 2]},"
    f"{('Guildhall', 'Hope Chapel', 'Arms')[n % 3]},{'' if n % 4 else 'Dead Kettle'},"
    f"{n * 10},{n % 5 + 1}\n"
    for n in range(1, 31)
)
MEMBERS = "member,joined,town,club\n" + "".join(
    f"Own {n},202{n % 3 + 2}-01-{n % 9 + 1:02},{('Leeds', 'York')[n % 2]},"
    f"{('Iron Goats', 'Hill Runners')[n % 2]}\n"
    for n in range(1, 21)
)
WORKS = "num_inv,sala,valor_seguro\n" + "".join(
    f"M-{n:03},{('Sala 1', 'Taller')[n % 2]},{n * 1000}\n" for n in range(1, 21)
)
LOANS = "id_prestamo,num_inv,medio,prima_seguro\n" + "".join(
    f"{n},M-{n % 20 + 1:03},{('barco', 'tren')[n % 2]},{n * 7}\n" for n in range(1, 41)
)


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    path = tmp_path_factory.mktemp("rows") / "s.sqlite"
    connection = sqlite3.connect(path)
    files = {"gigs": GIGS, "members": MEMBERS, "obras": WORKS, "prestamos": LOANS}
    with connection:
        tables = [write_table(connection, csv_table(n, t), f"rows_{n}") for n, t in files.items()]
    connection.close()
    run = runner(path, tables)
    return RowReader(tables, run), run


@pytest.mark.parametrize(
    ("turns", "left_out", "rows"),
    [
        (("how many gigs did we put on in 2023",), ("put",), [(10,)]),
        (("how many gigs did we put on in 2023", "and in 2024?"), ("put",), [(10,)]),
        (("how many gigs has Static Aunt headlined",), ("headlined",), [(15,)]),
        (("how many gigs were staged at the Guildhall",), ("staged",), [(10,)]),
        (("how many members represented Hill Runners",), ("represented",), [(10,)]),
        (("¿cuántas obras están guardadas en el Taller?",), ("guardadas",), [(10,)]),
    ],
)
def test_a_verb_that_joins_is_left_out_in_an_offer(reader, turns, left_out, rows):
    *previous, question = turns
    assert isinstance(answered_by(reader[0], question, reader[1], previous), NotUnderstood)
    offer = offer_of(reader[0], question, reader[1], previous)
    assert offer is not None
    assert (offer.left_out, [*map(tuple, offer.answers[0].rows)]) == (left_out, rows)
    assert f"`{left_out[0]}`" in offer.text
    assert offer.answers[0].reading in offer.text


@pytest.mark.parametrize(
    "question",
    [
        "how many gigs did we cancel in 2023",
        "how many gigs did we film in 2023",
        "how many gigs were scrapped in 2023",
        "how many gigs were filmed at the Guildhall",
        "how many gigs did Static Aunt not headline",
        "how many gigs has Static Aunt missed",
        "how many acoustic gigs in 2023",
        "how many encores at the Guildhall",
        "average applause at the Guildhall",
        "how many gigs in Narnia",
        "how many gigs did Beyonce headline",
        "how many people does the Guildhall hold",
        "how many does the Guildhall hold",
        "how much did Static Aunt refund",
        "how many gigs will Static Aunt headline in 2027",
        "how many members quit in 2023",
        "how many members resigned in 2023",
        "how many members moved from York",
        "how many members avoided Iron Goats",
        "how many members are near York",
        "how many of the gigs did Static Aunt headline thrice",
        "¿cuántas obras se dañaron en el Taller?",
        "¿cuántas obras fueron robadas en el Taller?",
        "¿cuántas obras valiosas hay en el Taller?",
        "gigs where the gate smashed 100",
    ],
)
def test_a_word_that_may_matter_is_never_left_out(reader, question):
    assert isinstance(answered_by(reader[0], question, reader[1]), NotUnderstood)
    assert offer_of(reader[0], question, reader[1]) is None


@pytest.mark.parametrize(
    "question",
    [
        *("gigs without a support act", "list gigs without a support act"),
        *("gigs with no support act", "which gigs have no support act"),
        *("show me the gigs lacking a support act", "gigs in 2023 without a support act"),
    ],
)
def test_a_second_noun_is_not_what_is_listed(reader, question):
    answer = answered_by(reader[0], question, reader[1])
    if isinstance(answer, RowAnswer):
        assert "act" not in answer.columns
    else:
        assert "support act" in answer.reason or "`act`" in answer.reason


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("how many gigs with Dead Kettle", [[(15,)], [(7,)]]),
        ("which venue has the most gate", [[("Guildhall", 1650)], [("Guildhall", 165)]]),
    ],
)
def test_two_readings_that_fit_are_both_offered(reader, question, rows):
    assert isinstance(answered_by(reader[0], question, reader[1]), NotUnderstood)
    offer = offer_of(reader[0], question, reader[1])
    assert offer is not None
    assert [[*map(tuple, answer.rows)] for answer in offer.answers] == rows
    assert offer.text.startswith("The question can be read in two ways. Either: ")


def test_marks_are_not_offered_as_a_sum(reader):
    assert offer_of(reader[0], "which venue has the most stars", reader[1]) is None


def test_a_value_of_works_is_not_a_fee_of_loans(reader):
    answer = answered_by(reader[0], "valor de seguro medio por sala", reader[1])
    assert isinstance(answer, RowAnswer)
    assert "valor_seguro" in answer.sql
    doubtful = answered_by(reader[0], "seguro medio por sala", reader[1])
    if isinstance(doubtful, RowAnswer):
        assert "valor_seguro" in doubtful.sql
