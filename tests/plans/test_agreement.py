import pytest

from router.plans.agreement.agreeing import agreement
from router.plans.merging import counted

ONE_ANSWER = [
    ("I think 0.15", "My answer: 0.15!"),
    ("It\u2019s no.", "I'd say no"),
    ("Well, probably the telephone", "a telephone"),
    ("Ich glaube, das ist Ankara", "Ankara."),
    ("Probablemente el Amazonas.", "Amazonas"),
    ("The largest planet is Jupiter.", "Jupiter"),
    ("Canberra is the capital of Australia.", "Canberra"),
    ("Yes", "Oui, bien sûr."),
    ("Nope", "No, it isn't."),
    ("I don't think so", "Nein, leider nicht."),
    ("I don't know", "Keine Ahnung"),
    ("seven", "7"),
    ("zweiundvierzig", "quarante-deux"),
    ("ciento veintitrés", "one hundred and twenty-three"),
    ("two and a half", "2½"),
    ("3,5 Millionen", "3.500.000"),
    ("3·10⁸", "300,000,000"),
    ("$2.50", "2.50 USD"),
    ("12 500 €", "12500 euros"),
    ("$18", "18"),
    ("5 km", "5,000 metres"),
    ("2 h 35 min", "155 minutes"),
    ("100 °C", "100 degrees Celsius"),
    ("50%", "one half"),
    ("between 10 and 20 euros", "10-20 EUR"),
    ("July 4, 1776", "le 4 juillet 1776"),
    ("1990-10-03", "3. Oktober 1990"),
    ("2:30 p.m.", "14:30"),
    ("UK", "the United Kingdom"),
    ("World War Two", "WWII"),
    ("Henry VIII", "Henry the Eighth"),
    ("Beethoven", "Ludwig van Beethoven"),
    ("Option B", "(b)"),
    ("half past three", "3:30"),
    ("Monday at 9 am", "Mon. 9:00"),
    ("It takes 3 days", "72 hours"),
    ("€800 monthly", "800 EUR per month"),
    ("e-mail", "email"),
    ("München", "Munich"),
    ("H₂O", "H2O"),
    ("1,200 people", "1200 people."),
    ("```python\nprint(1)\n```", "`print(1)`"),
]


@pytest.mark.parametrize(("first", "second"), ONE_ANSWER)
def test_one_answer_in_other_words_agrees(first, second):
    assert agreement(first, second) == agreement(second, first) == 1


OTHER_ANSWERS = [
    ("the fax", "the telephone"),
    ("by convention yes", "yes"),
    ("Yes, but only on Sundays", "Yes"),
    ("I think 12", "I think 13"),
    ("at least 5", "5"),
    ("It takes at least 3 days", "3 days"),
    ("800 EUR yearly", "€800 monthly"),
    ("$100", "€100"),
    ("50 cents", "$50"),
    ("£5", "5 lb"),
    ("5 km", "5 miles"),
    ("5 MB", "5 Mb"),
    ("0.5", "0.5%"),
    ("44 BC", "44 AD"),
    ("9 am", "9 pm"),
    ("03/04/2020", "04/03/2020"),
    ("Mars", "March"),
    ("UK", "Ukraine"),
    ("WWI", "World War II"),
    ("Korea", "North Korea"),
    ("John Adams", "John Quincy Adams"),
    ("Mr Smith", "Mrs Smith"),
    ("B. Franklin", "B. Obama"),
    ("A) Rome", "B) Rome"),
    ("It is raining", "It is not raining"),
    ("we can't reopen", "we can't not reopen"),
    ("It opens on Monday at noon", "It opens on Friday at noon"),
    ("Alice is taller than Bob", "Bob is taller than Alice"),
    ("The capital of Australia is Sydney", "The capital of Australia is not Sydney"),
    ("1.5 m", "15 m"),
    ("3:1", "31"),
    ("2-1", "21"),
    ("It's -5", "5"),
    (".5 litres", "5 litres"),
    ("x²", "x2"),
    ("(a+b)*c", "a+b*c"),
    ("C#", "C"),
    ("`a < b`", "`a > b`"),
    ("`a && b`", "`a || b`"),
    ("`x == 1`", "`x != 1`"),
]


@pytest.mark.parametrize(("first", "second"), OTHER_ANSWERS)
def test_another_answer_never_agrees(first, second):
    assert agreement(first, second) == agreement(second, first) == 0


def test_words_in_another_order_are_no_agreement():
    assert agreement("1. Kim 2. Ruiz", "1. Ruiz 2. Kim") <= 0.5


def test_longer_answers_agree_in_part():
    first, second = "Boil the eggs slowly, then cool them", "Boil the eggs, then cool them well"
    assert agreement(first, second) == pytest.approx(0.83, abs=0.01)


def test_votes_count_for_the_answer_and_not_for_its_words():
    assert counted(["nine", "$8", "eight dollars", "8"], [1, 1, 1, 1]).winner == 1
    assert counted(["nine", "$8", "eight dollars", "8"], [1, 1, 1, 1]).share == 0.75
