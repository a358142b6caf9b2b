"""Questions about a named distribution become calculations, or a refusal names what is unclear."""

from typing import Any

import pytest

from sandbox.request import read


def only(text: str) -> tuple[str, dict[str, Any]]:
    interpretation = read(text)
    assert interpretation.spec is not None, interpretation.reasons
    (analysis,) = interpretation.spec.analyses
    return analysis.method, dict(analysis.parameters)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Newborn weights are normal with mean 3.4 kg and sd 0.5 kg. "
            "Percentage of babies between 2.5 and 4 kg?",
            {"family": "normal", "parameters": {"mean": 3.4, "sd": 0.5}, "low": 2.5, "high": 4.0}
            | {"percent": True},
        ),
        (
            "La vida de una bomba es exponencial con media de 8.000 h. "
            "¿Qué tan probable es que pase de las 10.000 h?",
            {"family": "exponential", "parameters": {"mean": 8000.0}, "low": 10000.0}
            | {"low_open": True},
        ),
        (
            "X ~ Poisson(4). P(X <= 2)?",
            {"family": "poisson", "parameters": {"rate": 4.0}, "high": 2.0},
        ),
        (
            "Given a normal distribution with mean 80 and sd 12, what is P(70 < X < 95)?",
            {"family": "normal", "parameters": {"mean": 80.0, "sd": 12.0}, "low": 70.0}
            | {"high": 95.0, "low_open": True, "high_open": True},
        ),
        (
            "Scores: normal mean 70 sd 10. Probability that the mean of a sample of 25 exceeds 73?",
            {"family": "normal", "parameters": {"mean": 70.0, "sd": 2.0}, "low": 73.0}
            | {"low_open": True},
        ),
    ],
)
def test_a_probability_is_read_with_its_event(text: str, expected: dict[str, Any]) -> None:
    assert only(text) == ("distribution_probability", expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("IQ ~ N(100, 15). what score marks the top 5%?", {"above": 0.05}),
        ("CI ~ N(100, 15). ¿qué puntuación marca el 5% superior?", {"above": 0.05}),
        ("A normal has mean 50 and variance 16. Find the 90th percentile.", {"below": 0.9}),
        ("Find z such that P(Z < z) = 0.975", {"below": 0.975}),
        ("Critical t value for 14 degrees of freedom, 99% one-sided?", {"above": 0.01}),
        ("chi-square critical value, 5 df, alpha 0.05", {"above": 0.05}),
    ],
)
def test_a_quantile_is_read_with_its_tail(text: str, expected: dict[str, float]) -> None:
    method, parameters = only(text)
    assert method == "distribution_quantile"
    tails = {k: v for k, v in parameters.items() if k in ("below", "above", "middle")}
    assert tails == {k: pytest.approx(v) for k, v in expected.items()}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("X ~ N(10, 4), P(X > 12)?", "variance or the standard deviation"),
        ("Weights are normal, mean 70 kg, sd 800 g, P(more than 72 kg)?", "different units"),
        ("X ~ Poisson(4). P(X <= 2), squared?", "`squared`"),
        ("X ~ Gamma(2, 3). P(X <= 2)?", "scale or its rate"),
    ],
)
def test_a_refusal_says_what_is_unclear(text: str, reason: str) -> None:
    interpretation = read(text)
    assert interpretation.spec is None
    assert reason in interpretation.reasons[0]
