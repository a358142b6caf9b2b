"""Questions about first successes, trials needed, collecting, prizes and pi are computed."""

import pytest

from sandbox.judging.calculations import EXPECTED
from sandbox.request import read


def first_figure(text: str) -> float:
    interpretation = read(text)
    assert interpretation.spec is not None, interpretation.reasons
    (analysis,) = interpretation.spec.analyses
    return float(next(iter(EXPECTED[analysis.method](**analysis.parameters).values())))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Expected number of rolls to get all 6 faces of a die?", 14.7),
        (
            "A raffle sells 1000 tickets at $5 each, with one prize of $2000. "
            "What is the expected value of a ticket?",
            -3.0,
        ),
        ("How many times must I roll a die to have a 90% chance of at least one six?", 13),
        ("A fair die is rolled 10 times, expected number of sixes?", 10 / 6),
        ("What's the probability that it takes exactly 4 rolls to get the first six?", 125 / 1296),
    ],
)
def test_a_question_about_waiting_is_answered(text: str, value: float) -> None:
    assert first_figure(text) == pytest.approx(value)


def test_a_simulation_of_pi_takes_the_seed_of_the_request() -> None:
    spec = read("Estimate pi with 1,000,000 random points, seed 42").spec
    assert spec is not None
    assert dict(spec.analyses[0].parameters) == {"points": 1_000_000, "seed": 42}


def test_a_number_behind_a_share_is_not_taken_for_an_expected_number() -> None:
    text = "How many girls are there if 40% of the school is made up of 240 boys?"
    assert read(text).spec is None
