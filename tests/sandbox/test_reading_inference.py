"""Questions of inference from summaries become calculations; what they leave open is named."""

from typing import Any

import pytest

from sandbox.judging.calculations import EXPECTED
from sandbox.request import read


def figures(text: str) -> dict[str, Any]:
    interpretation = read(text)
    assert interpretation.spec is not None, interpretation.reasons
    (analysis,) = interpretation.spec.analyses
    return dict(EXPECTED[analysis.method](**analysis.parameters))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "We had 100 vaccinated staff, 12 got ill. Among 100 unvaccinated, 27 got ill. "
            "Chi-square without Yates' correction: statistic and p?",
            {"chi2": 7.166746297, "p_value": 0.007426735643},
        ),
        (
            "test a/b: control 480 conversiones de 12.000 visitas, variante 552 de 12.000. dame el "
            "uplift relativo en % y el p bilateral del test z agrupado",
            {"uplift_percentage": 15.0, "p_value": 0.02195987783},
        ),
        (
            "Version A: 200 of 5000 visitors converted, version B: 250 of 5000. "
            "Is the difference significant at 1%?",
            {"p_value": 0.015868965, "significant": False},
        ),
        (
            "Group A: mean 75.2, sd 8.1, n=30. Group B: mean 71.4, sd 9.6, n=28. "
            "Two-sample t-test p-value?",
            {"t": 1.623512343, "p_value": 0.1104123446},
        ),
        (
            "A sample of 36 has mean 104 and standard deviation 12. "
            "Test whether the population mean differs from 100. t statistic and p-value?",
            {"t": 2.0, "df": 35.0},
        ),
        (
            "95% confidence interval for the mean: mean 50, sd 8, n 25",
            {"lower": 46.697762, "upper": 53.302238},
        ),
        (
            "Wilson 95% interval for 45 successes in 120 trials",
            {"lower": 0.2935, "upper": 0.4642},
        ),
        (
            "Survey sample size for a 4% margin of error at 95% confidence, worst case p = 0.5",
            {"sample_size": 601},
        ),
        (
            "tamaño de muestra para estimar una proporción, 95% de confianza, margen ±3 puntos, "
            "peor caso de p",
            {"sample_size": 1068},
        ),
        (
            "We convert 8% today and want to be able to spot a lift to 10%. Two-sided alpha 0.05, "
            "power 80%, equal arms. Visitors needed in each arm?",
            {"sample_size_per_group": 3213},
        ),
        (
            "In the treatment group 15 of 100 patients died, in the control group 25 of 100. "
            "Relative risk and NNT?",
            {"relative_risk": 0.6, "number_needed_to_treat": 10.0},
        ),
        ("p-value for t = 2.5 with 20 degrees of freedom, two-tailed", {"p_value": 0.02123354544}),
        ("Is a correlation of 0.45 with n = 30 significant?", {"p_value": 0.01259107127}),
        (
            "Two coders classified 100 articles as biased or not. Both said biased: 40. Both said "
            "not biased: 30. Coder A biased but B not: 10. B biased but A not: 20. Cohen's kappa?",
            {"kappa": 0.4},
        ),
    ],
)
def test_a_question_has_its_figures(text: str, expected: dict[str, float]) -> None:
    answer = figures(text)
    assert {key: answer[key] for key in expected} == {
        key: pytest.approx(value, rel=2e-4) for key, value in expected.items()
    }


def test_a_convention_is_stated() -> None:
    spec = read("Group A: mean 75, sd 8, n=30. Group B: mean 71, sd 9, n=28. t-test p-value?").spec
    assert spec is not None
    assert "Welch's test, with unequal variances" in spec.assumed
    assert "two-sided" in spec.assumed


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "Baseline conversion 4%, want to detect a 10% lift. Sample size per variant?",
            "relative change of 4%, or 10 percentage points",
        ),
        (
            "Group A: mean 75, sd 8. Group B: mean 71, sd 9. Two-sample t-test p-value?",
            "sizes of the two samples are missing",
        ),
        (
            "Group A: mean 75, sd 8, n=30. Group B: mean 71, sd 9, n=28. one-sided t-test p-value?",
            "which mean a one-sided test expects",
        ),
        ("sample size to estimate a mean, sd 15, 95% confidence", "margin of error is missing"),
    ],
)
def test_what_is_left_open_is_asked_for(text: str, reason: str) -> None:
    interpretation = read(text)
    assert interpretation.spec is None
    assert reason in interpretation.reasons[0]


@pytest.mark.parametrize(
    ("side", "p_value"), [("B greater than A", 0.0053434), ("A greater than B", 0.9946566)]
)
def test_a_one_sided_test_looks_on_the_side_that_is_named(side: str, p_value: float) -> None:
    text = f"Group A: mean 10, sd 2, n=20; group B: mean 12, sd 3, n=25. one-sided t-test, {side}"
    assert figures(text)["p_value"] == pytest.approx(p_value, rel=1e-5)


@pytest.mark.parametrize(
    "text",
    [
        "The telephone survey had a margin of error of 2 percentage points.",
        "60 amp 3 phase would it be 60 amps per phase or total?",
    ],
)
def test_an_ordinary_sentence_is_no_question_of_inference(text: str) -> None:
    assert read(text).spec is None
