"""What closed answers mean, and the form in which a data set keeps them."""

import random

import pytest

from router.training.alike import distinct
from router.training.closed import reader_of
from router.training.data_query import DataQuery
from router.training.data_rows import DataRow, Message
from router.training.data_sets import DataSets
from router.training.labels import in_usual_forms, labels_in, softened
from router.training.logged_rows import LoggedRows
from router.training.making import DataMaker
from tests.training import tickets

FORMS = ["{}", "{}", "{}", "Label: {}", "**{}**", "{}.", "{}\n"]
DAY = 86_400_000_000


def row(n, text, answer, quality=1.0, **more):
    return DataRow(f"r{n}", n * DAY, (Message("user", text),), answer, quality, "judged", **more)


def rows_of(count, forms=FORMS, seed=1):
    chance = random.Random(seed)
    for n in range(count):
        label = chance.choice(list(tickets.TOPICS))
        yield row(n, f"{tickets.text_of(label, chance)} {n}", chance.choice(forms).format(label))


@pytest.mark.parametrize("usual", ["{}", "Label: {}", "**{}**"])
def test_a_data_set_keeps_the_form_that_the_teacher_writes_most(usual, tmp_path):
    rows = tuple(rows_of(60, [usual] * 4 + FORMS))
    maker = DataMaker(DataSets(tmp_path), lambda _: LoggedRows(rows, {}), None)
    card = maker.make("tickets", DataQuery(), 99 * DAY).data_set.card
    assert set(card["labels"]) == {usual.format(label) for label in tickets.TOPICS}
    assert card["usual_forms"] > 10


def test_a_label_takes_the_form_of_the_others_even_if_it_is_mostly_written_otherwise():
    answers = ["billing"] * 30 + ["shipping"] * 30 + ["Access."] * 4 + ["access"] * 3
    assert set(reader_of(answers).values[""].values()) == {"billing", "shipping", "access"}


def test_forms_of_one_answer_contradict_nothing_and_other_answers_do():
    rows = list(rows_of(40))
    same = [row(50, "where is my blue box", f.format("shipping")) for f in FORMS]
    assert distinct([*rows, *same], None).contradictions == 0
    other = row(60, "where is my blue box", "Billing.")
    assert distinct([*rows, same[0], other], None).contradictions == 1


def test_near_copies_with_one_label_in_two_forms_are_one_row():
    pair = [row(70, "where is my blue box today", "shipping"),
            row(71, "Where is my blue box, today?", "**Shipping**")]  # fmt: skip
    assert [removal.kind for removal in distinct([*rows_of(40), *pair], None).removed] == ["near"]


def test_answers_that_say_more_or_were_judged_bad_stay_as_they_are():
    """An answer may have been judged bad for its form; words beside a label are worth keeping."""
    more = row(80, "is it late", "shipping, since the courier has lost the parcel")
    bad = row(81, "is it early", "Label: shipping", quality=0.0)
    pair = row(82, "is it here", "Label: shipping", rejected="no")
    labels = labels_in([*rows_of(40), more, bad, pair])
    assert in_usual_forms([more, bad, pair], labels) == ([more, bad, pair], 0)
    assert labels.contradict(more.answer, "access.")
    free = labels_in([row(n, f"text {n}", f"a long answer about {n} things") for n in range(9)])
    assert not free.contradict("a long answer about 1 things", "a long answer about 2 things")


def test_the_chances_of_answers_become_those_of_labels():
    logged = {
        "**Shipping**": 0.7,
        "bill…": 0.1,
        "**bill…": 0.05,
        "Acc…": 0.1,
        "b…": 0.01,
        "x…": 0.01,
    }
    shipped = row(90, "where is it", "**Shipping**", soft=logged)
    other = row(91, "where is it", "billing")  # nobody's chances
    (soft, hard) = softened([shipped, other], labels_in([*rows_of(60), shipped]))
    assert soft.soft == {"shipping": 0.7, "billing": 0.15 + 0.01, "access": 0.1}
    assert hard.soft is None
    changed = row(92, "where is it", "Billing.", soft={"shipping": 0.6, "acc…": 0.4})
    assert softened([changed], labels_in(list(rows_of(60))))[0].soft is None
    free = [row(n, f"text {n}", f"a long answer about {n} things") for n in range(9)]
    words = row(93, "hello", "a secret word", soft={"a secret word": 0.9, "a secret wish…": 0.1})
    assert softened([words], labels_in([*free, words]))[0].soft is None
