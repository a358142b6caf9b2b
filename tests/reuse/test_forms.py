"""Forms: what two requests have in common but for their values, and what may differ in between."""

import pytest

from router.reuse.forms.answers import is_short, same_answer
from router.reuse.forms.differences import differences
from router.reuse.forms.form import form_of
from router.reuse.forms.joining import confirmed
from router.reuse.forms.shelf import Shelf, ShelfRow

ENGLISH = frozenset(("add", "vat", "to", "how", "much", "is", "in", "hours", "minutes", "from"))


def is_word(word: str) -> bool:
    return word in ENGLISH


def between(stored: str, request: str):
    first, second = form_of(stored), form_of(request)
    assert first is not None
    assert second is not None
    return differences(first.words, second.words, is_word)


def test_a_form_holds_marks_in_place_of_values():
    form = form_of('Add "a, b" to 2.50 on 2024-01-31 at 9:15, and 1, 2, 3')
    assert form is not None
    words = "add #quoted to #number on #date at #time and #list"
    assert " ".join(form.words) == words
    assert form.values == ('"a, b"', "2.50", "2024-01-31", "9:15", "1, 2, 3")


def test_values_punctuation_accents_and_capitals_are_no_difference():
    assert between("¿Cuánto es 20 más el 4% de IVA?", "cuanto es 7.50 mas el 21% de iva") == ()


def test_a_slip_of_the_finger_is_no_difference():
    assert between("hours from 9:00 to 17:30", "horus from 8:15 to 16:00") == ()


@pytest.mark.parametrize(
    ("stored", "request_"),
    [
        ("how much is 20 mph in kph", "how much is 20 kph in mph"),
        ("20 celsius in fahrenheit", "20 fahrenheit in celsius"),
        ("media de 2 y 4", "medias de 2 y 4"),
        ("add vat to 20", "add vat to 20 twice"),
        ("project code for jansen", "project code for hansen"),
        ("what is 20% of 80", "what is 20 of 80"),
        ("20 EUR in dollars", "20 € in dollars"),
    ],
)
def test_what_may_ask_something_else_is_a_difference(stored, request_):
    assert between(stored, request_) != ()


def test_values_of_other_kinds_or_numbers_belong_to_other_forms():
    assert between("days from 2024-01-02 to 2024-02-03", "days from 2 to 3") is None
    assert between("gcd of 4 and 6", "gcd of 4 and 6 and 8") is None
    assert between("20 celsius in fahrenheit", "-20 celsius in fahrenheit") is None
    assert between("add vat to 20", "add vat to 20,000") is None


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("121", "121.0", True),
        ("3.14", "3.141", True),
        ("3.14", "3.2", False),
        ("12", "12.4", False),
        ("GLACIER", "glacier", False),
        ("Rome.", "Rome", True),
        ("00101", "101", False),
        ("", "", False),
    ],
)
def test_answers_are_one_answer_only_if_nothing_tells_them_apart(first, second, same):
    assert same_answer(first, second) is same


def test_a_long_answer_says_nothing_about_its_request():
    assert is_short("the 3rd of the month")
    assert not is_short("In short, it depends on how much time you have for it.")


def shelf_of(*rows: tuple[str, str, int]) -> Shelf:
    shelf = Shelf()
    for n, (request, answer, root) in enumerate(rows, start=1):
        put(shelf, n, request, answer, root)
    return shelf


def put(shelf: Shelf, id_: int, request: str, answer: str, root: int = 0) -> None:
    form = form_of(request)
    assert form is not None
    shelf.add(ShelfRow(id_, form, request, answer, root), "source" if root else "")


def fits(shelf: Shelf, request: str) -> list[int]:
    form = form_of(request)
    assert form is not None
    return [row.id for row in shelf.fitting(form)]


CHATTER = "thanks, you are a star"
TAUGHT = (
    ("capital of France", "Paris"),
    ("boiling point of water in degrees", "hundred"),
    ("author of Emma", "Jane Austen"),
)


def test_a_difference_is_overlooked_once_it_did_not_matter_between_three_kinds():
    shelf = shelf_of(("wifi name for guests", "ridge-guest", 0))
    for n, (request, answer) in enumerate(TAUGHT):
        assert fits(shelf, f"wifi name for guests {CHATTER}") == []
        put(shelf, 10 + 2 * n, request, answer)
        put(shelf, 11 + 2 * n, f"{request} {CHATTER}", answer)
    assert fits(shelf, f"wifi name for guests {CHATTER}") == [1]


def test_a_difference_that_mattered_is_not_overlooked():
    shelf = shelf_of(("wifi name for guests", "ridge-guest", 0))
    for n, (request, answer) in enumerate(TAUGHT):
        put(shelf, 10 + 2 * n, request, answer)
        put(shelf, 11 + 2 * n, f"{request} {CHATTER}", answer)
    put(shelf, 20, "door code", "4711")
    put(shelf, 21, f"door code {CHATTER}", "1234")
    assert fits(shelf, f"wifi name for guests {CHATTER}") == []


HOPE = "hope it makes sense"


@pytest.mark.parametrize("chatter_first", [True, False])
def test_words_beside_an_idle_piece_are_learned_by_themselves(chatter_first):
    shelf = shelf_of(("wifi name for guests", "ridge-guest", 0))
    lessons = [("", f" {CHATTER}"), (f" {CHATTER}", f" {HOPE}")]
    for turn, (first, second) in enumerate(lessons if chatter_first else lessons[::-1]):
        assert fits(shelf, f"wifi name for guests {HOPE} {CHATTER}") == []
        for n, (request, answer) in enumerate(TAUGHT):
            put(shelf, 10 * turn + 2 * n + 10, f"{request}{first} {turn}", answer)
            put(shelf, 10 * turn + 2 * n + 11, f"{request}{second} {turn}", answer)
    assert fits(shelf, f"wifi name for guests {HOPE} {CHATTER}") == [1]
    assert fits(shelf, f"wifi name for no guests {HOPE}") == []


def test_two_idle_phrases_that_share_words_are_no_difference():
    """What "thanks a lot" and "many thanks in advance" share is at another place of each."""
    shelf = shelf_of(("wifi name for guests thanks a lot", "ridge-guest", 0))
    others = (("door code", "4711"), ("printer on floor two", "Oak"), ("opening hours", "nine"))
    lessons = (*((*each, "thanks a lot") for each in TAUGHT),
               *((*each, "many thanks in advance") for each in others))  # fmt: skip
    for n, (request, answer, phrase) in enumerate(lessons):
        assert fits(shelf, "wifi name for guests many thanks in advance") == []
        put(shelf, 10 + 2 * n, request, answer)
        put(shelf, 11 + 2 * n, f"{request} {phrase}", answer)
    assert fits(shelf, "wifi name for guests many thanks in advance") == [1]
    assert fits(shelf, "wifi name for no guests many thanks in advance") == []


def test_an_answer_is_for_its_values_and_a_program_for_all():
    answers = shelf_of(("add vat to 20", "24.2", 0))
    assert fits(answers, "add vat to 30") == []
    assert fits(answers, "Add VAT to 20!") == [1]
    program = shelf_of(*((f"add vat to {n}", str(n * 1.21), 1) for n in (10, 20, 30)))
    assert sorted(fits(program, "add vat to 4000")) == [1, 2, 3]


def test_a_program_serves_only_after_three_cases_with_different_answers():
    two = shelf_of(*((f"is {n} prime", answer, 1) for n, answer in ((7, "yes"), (8, "no"))))
    assert fits(two, "is 11 prime") == []
    same = shelf_of(*((f"is {n} prime", "yes", 1) for n in (7, 11, 13)))
    assert fits(same, "is 12 prime") == []


def test_many_answers_to_other_values_hide_no_program_of_their_form():
    cases = [(f"add vat to {n}", str(n * 1.21), 1) for n in (10, 20, 30)]
    older = [(f"Add VAT to {n}!", "from a backend", 0) for n in range(100, 140)]
    shelf = shelf_of(*older, *cases, *[(f"{request} please", a, 0) for request, a, _ in older])
    assert sorted(fits(shelf, "add vat to 4000")) == [41, 42, 43]
    form = form_of("add vat to 4000")
    assert form is not None
    assert len(shelf.near(form)) < 16


def test_a_phrase_that_many_requests_end_with_hides_no_question():
    others = [(f"topic{chr(97 + n)} in brief {CHATTER}", f"text {n}", 0) for n in range(26)]
    shelf = shelf_of(("fax", "4711", 0), *others)
    form = form_of(f"fax? {CHATTER}")
    assert form is not None
    assert 1 in [near.row.id for near in shelf.near(form)]


def test_a_common_answer_never_joins_a_form_to_a_program():
    shelf = shelf_of(*((f"is {n} prime", a, 1) for n, a in ((7, "yes"), (8, "no"), (9, "no"))))
    assert not shelf.tells(1, "no")


def test_answers_that_chance_may_explain_join_no_wording_to_a_program():
    def row(id_: int, request: str, answer: str) -> ShelfRow:
        form = form_of(request)
        assert form is not None
        return ShelfRow(id_, form, request, answer, 0)

    # A program that divides the first value by the second gives these answers too.
    tenths = [row(n, f"{n} at 10 percent", f"{n / 10}") for n in (7, 20, 35)]
    assert confirmed(tenths) == []
    assert confirmed([row(1, "20 at 5", "4"), row(2, "40 at 10", "4.0")]) == []
    other = row(4, "80 at 20 percent", "16")
    assert confirmed([*tenths, other]) == [*tenths, other]
    assert confirmed([tenths[0], row(5, "divide 80 by 20", "4")]) == []


def test_what_goes_out_of_use_fits_nothing_more():
    shelf = shelf_of(("wifi name for guests", "ridge-guest", 0))
    shelf.remove(1)
    assert fits(shelf, "wifi name for guests") == []


# What looks like an earlier request, and asks something else.
NEAR = [
    ("price without VAT 20, what do I charge", "price with VAT 20, what do I charge"),
    ("split 90 between 3 with 10% tip", "split only the tip: 90 between 3 with 10% tip"),
    ("20 at 2% compound interest for 3 years", "20 at 2% simple interest for 3 years"),
    ("minutes for 3 GB at 8 megabits per second", "minutes for 3 GB at 8 megabytes per second"),
    ("margin in percent: cost 20, price 30", "markup in percent: cost 20, price 30"),
    ("area of a circle of radius 3", "area of a circle of diameter 3"),
    ("capital of Austria", "capital of Australia"),
    ("average of 2, 4, 9", "median of 2, 4, 9"),
    ("is 2024-05-01 a workday", "is 2024-05-01 not a workday"),
    ("hours from 9:00 to 17:00 with a paid break", "hours from 9:00 to 17:00 with an unpaid break"),
    ("project code for Helma", "project code for Halma"),
    ("which planet is the biggest", "which planet is the smallest"),
    ("who is on call in Iran", "who is on call in Iraq"),
    ("days between 2024-01-02 and 2024-02-03", "weekdays between 2024-01-02 and 2024-02-03"),
    ("round 2.5 up", "round 2.5 down"),
    ("dose of 20 mg for 3 days in ml", "dose of 20 ug for 3 days in ml"),
    ("convert 20 USD to CAD", "convert 20 CAD to USD"),
    ("distance from Paris to Rome", "distance from Rome to Paris"),
]  # fmt: skip


@pytest.mark.parametrize(("stored", "near"), NEAR)
def test_a_near_miss_fits_nothing(stored, near):
    shelf = shelf_of((stored, "4711", 0))
    assert fits(shelf, stored.upper()) == [1]
    assert fits(shelf, near) == []
