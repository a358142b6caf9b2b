"""A fill writes templated answers from what a request says, and leaves what it cannot fill."""

import random

import pytest

from router.models.card import BrokenModel
from router.models.features import Asked, features_of
from router.models.fill import fill_in
from router.models.rewriting import rewritten, ways
from router.models.spans import Rule, read
from router.training.data_query import DataRefused
from router.training.fill_doubts import plain
from router.training.fill_trainer import train_fill
from router.training.trainer import Wish
from tests.models.made import card
from tests.training import tickets

NAMES = [
    "Ana Ruiz",
    "Bob Smith",
    "Ivy O'Neill",
    "Omar Khan",
    "Lena Novak",
    "Tom van Dam",
    "Zoe Weber",
]
DEPOTS = {"desk": "north", "lamp": "south", "rug": "east", "kettle": "west"}


class Desk:
    """A place to work that keeps nothing."""

    encoder = None

    def tell(self, done, what):
        pass

    def features(self, split, words, *, vectors):
        return [features_of(each) for each in words]


def shipped(chance):
    name, order = chance.choice(NAMES), chance.randrange(10_000, 99_999)
    item, day, month = chance.choice(list(DEPOTS)), chance.randrange(1, 28), chance.randrange(4, 7)
    ask = chance.choice(
        (
            f"Tell {name} that order WD-{order} with the {item} comes on 2026-{month:02}-{day:02}",
            f"Shipping note. Customer: {name}. Order: WD-{order}. Item: {item}. "
            f"Arrives: 2026-{month:02}-{day:02}",
        )
    )
    when = f"{day} {['April', 'May', 'June'][month - 4]} 2026"
    return ask, (
        f"Dear {name},\n\nyour {item} left our {DEPOTS[item]} depot and arrives on {when}.\n\n"
        f"Order WD-{order}"
    )


def paid_back(chance):
    name, amount = chance.choice(NAMES), f"{chance.uniform(5, 3000):.2f}"
    ask = f"Refund letter for {name}, {amount} EUR"
    return ask, f"Hello {name},\n\nwe paid back {float(amount):,.2f} EUR. Sorry for the trouble!"


def rows_of(count, seed=1):
    chance = random.Random(seed)
    for number in range(count):
        yield tickets.row(number, *chance.choice((shipped, paid_back))(chance))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    data = tickets.data_set(tmp_path_factory.mktemp("fill"), rows_of(110))
    return train_fill(data, Wish("fill"), Desk())


@pytest.fixture(scope="module")
def fill(trained):
    return fill_in(card(kind="fill"), trained.files)


def test_a_fill_writes_what_its_teacher_would_for_values_it_never_saw(trained, fill):
    assert trained.passes
    assert trained.metrics["answered"] > 0.9
    chance = random.Random(9)
    for ask, answer in [shipped(chance), paid_back(chance)] * 10:
        ask, answer = (text.replace("Ana Ruiz", "Maud Peel") for text in (ask, answer))
        guess = fill.of(Asked(ask, tickets.SYSTEM))
        assert guess.unsure or plain(guess.answer) == plain(answer)
    guess = fill.of(Asked("Refund letter for Maud Peel, 1250.00 EUR", tickets.SYSTEM))
    assert "Hello Maud Peel" in guess.answer
    assert "1,250.00 EUR" in guess.answer


@pytest.mark.parametrize(
    ("request_text", "reason"),
    [
        ("Refund letter for Bob Smith, the usual amount", "what stands after 'we paid back'"),
        ("Refund letter for Bob Smith, 12.00 EUR or 15.00 EUR", "what stands after"),
        # Its orders began with WD-, and its dates lay in 2026: both stand in the template's words.
        ("Tell Bob Smith that order XX-12345 with the desk comes on 2026-05-05", "stands after"),
        ("Tell Bob Smith that order WD-12345 with the desk comes on 2027-05-05", "stands after"),
        ("Tell Bob Smith that order WD-12345 with the sofa comes on 2026-05-05", "stands after"),
        ("Compose a limerick about bees that sing in a marble bathtub", "stands after"),
    ],
)
def test_a_fill_is_unsure_where_a_value_or_the_form_is_not_what_it_learned(
    fill, request_text, reason
):
    guess = fill.of(Asked(request_text, tickets.SYSTEM))
    assert guess.unsure
    assert reason in guess.why


def test_personal_data_that_data_sets_hold_back_is_filled_from_the_request(tmp_path):
    chance = random.Random(3)
    rows = [
        tickets.row(
            n, f"Invite [EMAIL_1] to room {room}", f"Invitation for [EMAIL_1]: room {room}."
        )
        for n in range(80)
        for room in [chance.randrange(100, 999)]
    ]
    made = train_fill(tickets.data_set(tmp_path, rows), Wish("fill"), Desk())
    guess = fill_in(card(kind="fill"), made.files).of(
        Asked("Invite anna.berg@example.com to room 512", tickets.SYSTEM)
    )
    assert guess.answer == "Invitation for anna.berg@example.com: room 512."


def test_answers_without_a_template_are_refused(tmp_path):
    words = [
        "alpha",
        "beta",
        "gamma",
        "delta",
        "epsilon",
        "zeta",
        "eta",
        "theta",
        "iota",
        "kappa",
        "lambda",
        "mu",
        "nu",
        "xi",
    ]
    chance = random.Random(2)
    rows = [tickets.row(n, "Write a verse", " ".join(chance.sample(words, 9))) for n in range(80)]
    with pytest.raises(DataRefused, match="no template was found that later rows prove"):
        train_fill(tickets.data_set(tmp_path, rows), Wish("fill"), Desk())


def test_damaged_files_of_a_fill_are_refused_and_a_fill_judges_nothing(trained, fill):
    with pytest.raises(BrokenModel, match="is no fill"):
        fill_in(card(kind="fill"), {**trained.files, "fill.json": b"{}"})
    with pytest.raises(BrokenModel, match="judges no answers"):
        fill.quality(Asked("a", "", "b"))


@pytest.mark.parametrize(
    ("value", "answer", "other", "other_answer"),
    [
        ("2026-05-03", "3 May 2026", "2027-12-24", "24 December 2027"),
        ("03/05/2026", "3 de mayo de 2026", "24/12/2026", "24 de diciembre de 2026"),
        ("1234.5", "1,234.50", "99", "99.00"),
        ("ana ruiz", "Ana Ruiz", "bob smith", "Bob Smith"),
    ],
)
def test_a_value_is_written_in_the_form_of_the_answers(value, answer, other, other_answer):
    assert other_answer in {rewritten(other, way) for way in ways(value, answer)}


def test_a_rule_gives_nothing_where_two_values_differ_or_a_part_of_a_word_would_do():
    rule = Rule((), ("99999",))
    assert rule.find(read("order 48213, again 48213")) == "48213"
    assert rule.find(read("order 48213 or 48214")) is None
    assert rule.find(read("order WD-48213")) is None
    assert Rule(("for",), (), ",").find(read("for Ana María Ruiz, today")) == "Ana María Ruiz"
