"""Questions about dice, coins, cards and birthdays become calculations with an exact answer."""

from typing import Any

import pytest

from sandbox.judging.calculations import EXPECTED
from sandbox.request import read


def answer(text: str) -> dict[str, Any]:
    """The figures that the judge works out for the only calculation of a request."""
    interpretation = read(text)
    assert interpretation.spec is not None, interpretation.reasons
    (analysis,) = interpretation.spec.analyses
    return dict(EXPECTED[analysis.method](**analysis.parameters))


@pytest.mark.parametrize(
    ("text", "probability"),
    [
        ("I throw two dice. How likely is a total of nine or more?", 10 / 36),
        ("Tiro dos dados. ¿Qué tan probable es que sumen nueve o más?", 10 / 36),
        ("What is the probability of at least one six in 4 rolls of a fair die?", 1 - (5 / 6) ** 4),
        ("Roll 3 dice, probability that exactly two are sixes", 3 * 5 / 216),
        ("what's the chance of rolling a 5 on a d20", 1 / 20),
        ("What is the probability of snake eyes?", 1 / 36),
        ("A die is rolled once. What's the probability of a number greater than 4?", 1 / 3),
        ("Probability of at least 8 heads in 10 coin flips", 56 / 1024),
        ("Lanzo una moneda 3 veces. ¿Probabilidad de obtener exactamente 2 caras?", 3 / 8),
        ("P(5 heads in a row)?", 1 / 32),
        ("Draw 5 cards from a deck of 52. Probability of at least one ace?", 0.341158),
        ("probability of a flush in a 5-card poker hand", 5108 / 2598960),
        (
            "Se extraen 3 cartas de una baraja española de 40 cartas. "
            "¿Probabilidad de que las tres sean oros?",
            120 / 9880,
        ),
        ("In a class of 30 students what is the probability that two share a birthday?", 0.7063162),
    ],
)
def test_a_game_has_its_exact_probability(text: str, probability: float) -> None:
    assert answer(text) == {"probability": pytest.approx(probability, rel=1e-5)}


def test_a_percentage_is_given_where_it_is_asked_for() -> None:
    text = "There are 28 of us. What are the odds, as a percentage, that two share a birthday?"
    assert answer(text) == {"percentage": pytest.approx(65.446147)}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Probability of rolling a 6 with a loaded die", "loaded die"),
        ("I roll two dice. What is the probability of a 3?", "sum of the dice or a face"),
        ("Probability of 3 heads in 5 tosses of a biased coin", "probability of heads"),
        ("Roll 2 dice: probability that the sum is 8, weighted", "`weighted`"),
    ],
)
def test_what_a_game_leaves_open_is_named(text: str, reason: str) -> None:
    interpretation = read(text)
    assert interpretation.spec is None
    assert reason in interpretation.reasons[0]
