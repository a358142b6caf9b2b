"""Word problems of trials, arrivals, draws and independent events have their exact answers."""

import pytest

from sandbox.judging.calculations import EXPECTED
from sandbox.request import read


def figure(text: str) -> float:
    interpretation = read(text)
    assert interpretation.spec is not None, interpretation.reasons
    (analysis,) = interpretation.spec.analyses
    (value,) = EXPECTED[analysis.method](**analysis.parameters).values()
    return float(value)


@pytest.mark.parametrize(
    ("text", "probability"),
    [
        (
            "A multiple choice exam has 20 questions, four options each, and a pupil guesses them "
            "all. P(at least 8 right)?",
            0.10181186,
        ),
        (
            "Un examen tipo test tiene 20 preguntas con cuatro opciones cada una y un alumno "
            "contesta todo al azar. ¿P(al menos 8 aciertos)?",
            0.10181186,
        ),
        (
            "2% of bulbs are defective. In a sample of 50, what is the probability that at least 3 "
            "are defective?",
            0.07843,
        ),
        (
            "15% of customers churn each month. Of 40 customers, what is the probability that at "
            "least 8 churn?",
            0.244067,
        ),
        (
            "If 30% of people are left handed, what is the probability that in a group of 10 "
            "exactly 4 are right handed?",
            0.03675691,
        ),
        ("Probability that at least 9 of 10 items are good if 5% are defective", 0.913862),
        (
            "En promedio se quejan 1,8 clientes por día (Poisson). ¿Probabilidad de que mañana se "
            "quejen tres o más?",
            0.26937891,
        ),
        (
            "A website gets on average 12 orders per hour. Probability of more than 2 orders in "
            "10 minutes?",
            0.32332358,
        ),
        (
            "Box of 50 bulbs, 6 are faulty. I take 5 without putting any back. Probability none of "
            "the five is faulty?",
            0.51256773,
        ),
        (
            "A bag contains 5 red and 3 blue balls. Two balls are drawn without replacement. "
            "Probability both are red?",
            5 / 14,
        ),
        (
            "Una urna tiene 5 bolas rojas y 3 azules. Se sacan 2 sin reemplazo. ¿Probabilidad de "
            "que ambas sean rojas?",
            5 / 14,
        ),
        (
            "A system has three independent components with reliabilities 0.9, 0.95 and 0.99. "
            "What is the probability that all work?",
            0.9 * 0.95 * 0.99,
        ),
    ],
)
def test_a_word_problem_has_its_probability(text: str, probability: float) -> None:
    assert figure(text) == pytest.approx(probability, rel=1e-4)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "5% of items are defective. Of 10 items, what is the probability that at least 2 are "
            "blue?",
            "`blue` in the event",
        ),
        (
            "5% of items are defective. Of 10 items, what is the probability that at least 2 are "
            "not defective?",
            "`not`",
        ),
    ],
)
def test_an_event_about_something_else_is_refused(text: str, reason: str) -> None:
    interpretation = read(text)
    assert interpretation.spec is None
    assert reason in interpretation.reasons[0]
