"""Questions about ways to arrange and to choose, and of Bayes' rule, have their exact answers."""

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
    ("text", "ways"),
    [
        ("How many distinct arrangements do the letters of STATISTICS have?", 50400),
        ("¿Cuántas ordenaciones distintas tienen las letras de STATISTICS?", 50400),
        (
            "How many ways can I staff a night shift with 5 nurses and 2 doctors "
            "if I have 12 nurses and 6 doctors available?",
            11880,
        ),
        ("10 choose 3", 120),
        ("How many ways can 8 people be seated around a round table?", 5040),
        ("How many 4-digit PINs are there if digits can repeat?", 10000),
        ("How many 4 digit PIN codes without repetition?", 5040),
        ("how many committees of 4 can be formed from 10 people?", 210),
        ("committee of 5 from 7 men and 6 women, how many ways with at least 2 women", 1056),
        ("12 people shake hands with each other. How many handshakes?", 66),
        ("8 runners: in how many ways can gold, silver and bronze be awarded?", 336),
        ("How many license plates with 3 letters followed by 3 digits are possible?", 17576000),
        ("I have 4 shirts, 3 pants and 2 hats. How many outfits can I make?", 24),
        ("¿De cuántas formas se pueden sentar 6 personas en una mesa redonda?", 120),
    ],
)  # fmt: skip
def test_ways_are_counted(text: str, ways: int) -> None:
    assert figure(text) == ways


@pytest.mark.parametrize(
    ("text", "probability"),
    [
        (
            "A fraud alarm catches 95% of frauds and wrongly fires on 10% of honest payments. "
            "2% of payments are fraudulent. If it fires, how probable is fraud?",
            0.1623931624,
        ),
        (
            "Una enfermedad afecta al 2% de la gente. Sensibilidad de la prueba 95%, especificidad "
            "90%. Si alguien da positivo, ¿cuál es la probabilidad de que esté enfermo?",
            0.1623931624,
        ),
        (
            "Prevalence 5%, sensitivity 90%, specificity 85%. "
            "What is the probability of disease given a negative test?",
            0.05 * 0.1 / (0.05 * 0.1 + 0.95 * 0.85),
        ),
        ("prevalence 0.01, sensitivity 0.99, specificity 0.95: PPV?", 1 / 6),
    ],
)
def test_bayes_rule_is_applied(text: str, probability: float) -> None:
    assert figure(text) == pytest.approx(probability)


def test_a_missing_rate_is_named() -> None:
    text = "Sensitivity 98%, specificity 95%. Probability that a positive person is sick?"
    interpretation = read(text)
    assert interpretation.spec is None
    assert "the share that has it" in interpretation.reasons[0]
