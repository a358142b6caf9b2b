"""Questions of chance and inference in many voices, each figure worked out here by scipy.

The lookalikes ask for something else in almost the same words, and are refused.
"""

import math
from collections.abc import Iterator
from typing import Any

import pytest
from scipy import stats

from sandbox.request import read
from tests.sandbox.reading import computed


def _rates(e1: float, n1: float, e2: float, n2: float) -> float:
    """The two-sided p-value of the pooled z test."""
    p = (e1 + e2) / (n1 + n2)
    z = (e2 / n2 - e1 / n1) / math.sqrt(p * (1 - p) * (1 / n1 + 1 / n2))
    return float(2 * stats.norm.sf(abs(z)))


def _share(e: float, n: float, null: float) -> float:
    return float(stats.norm.sf(abs(e / n - null) / math.sqrt(null * (1 - null) / n)))


def _means(*groups: float, pooled: bool = False) -> float:
    return float(stats.ttest_ind_from_stats(*groups, equal_var=pooled).pvalue)


def _size(margin: float, p: float = 0.5, confidence: float = 0.95, population: float = 0) -> int:
    n = (stats.norm.ppf((1 + confidence) / 2) / margin) ** 2 * p * (1 - p)
    return math.ceil(n / (1 + (n - 1) / population) if population else n)


RIGHT: tuple[tuple[str, float], ...] = (
    ("A: 5,000 visitors, 210 sign-ups. B: 5,100 visitors, 262 sign-ups. Two-proportion z-test, z and p?",
     _rates(210, 5000, 262, 5100)),
    ("Treatment group: 38 of 200 patients had complications. Placebo group: 57 of 198. Compare the proportions with a "
     "z-test and give the p-value.", _rates(38, 200, 57, 198)),
    ("Our landing page had 1,250 visitors and 75 leads last month, the redesigned one 1,310 visitors and 104 leads. p "
     "value of the difference?", _rates(75, 1250, 104, 1310)),
    ("In store 1, 34 of 250 customers bought the offer. In store 2, 51 of 260 did. Is there a significant difference?",
     _rates(34, 250, 51, 260)),
    ("Did the new script help? 132 of 1,100 calls ended in a sale before, 171 of 1,120 after. two-sided z-test",
     _rates(132, 1100, 171, 1120)),
    ("group,visitors,conversions\nA,1200,84\nB,1180,109\nis B significantly better? p-value please",
     _rates(84, 1200, 109, 1180)),
    ("De 900 clientes que vieron el banner azul, 81 hicieron clic; de 880 que vieron el rojo, 110. ¿Difieren las tasas "
     "de clic? prueba de dos proporciones", _rates(81, 900, 110, 880)),
    ("We claim that more than 60% of clients are satisfied. In the survey 140 of 210 said they were. One-sided z-test "
     "for a proportion: what's the p-value?", _share(140, 210, 0.6)),
    ("Una moneda cayó cara 58 veces en 100 lanzamientos. ¿Es justa? Valor p de la prueba z", 2 * _share(58, 100, 0.5)),
    ("2x2 table: treated 40 improved and 10 not, placebo 25 improved and 25 not. chi-square without correction",
     stats.chi2_contingency([[40, 10], [25, 25]], correction=False).pvalue),
    ("30 men averaged 175.2 cm (sd 6.8) and 34 women averaged 162.5 cm (sd 6.1). t-test",
     _means(175.2, 6.8, 30, 162.5, 6.1, 34)),
    ("n1=30 m1=5.4 dt1=1.2 ; n2=28 m2=4.8 dt2=1.1 -> t con varianza combinada, p (bilateral) y d de cohen",
     _means(5.4, 1.2, 30, 4.8, 1.1, 28, pooled=True)),
    ("A: 5.2 ± 1.1 (n=20), B: 4.6 ± 1.3 (n=22). two sample t-test", _means(5.2, 1.1, 20, 4.6, 1.3, 22)),
    ("The mean of 40 batteries was 9.6 hours with sd 1.1. The maker claims 10 hours. One-sample t test, two-sided p.",
     2 * stats.t.sf(0.4 / 1.1 * math.sqrt(40), 39)),
    ("Test H0: mu = 50 vs H1: mu > 50; n = 25, xbar = 53, s = 8", stats.t.sf(3 / 8 * 5, 24)),
    ("Muestra de 16 bolsas, media 498 g, desviación típica 4 g. ¿Es distinta de 500 g?", 2 * stats.t.sf(2, 15)),
    ("sample size to estimate a mean within 2 units, sd 15, 95%", math.ceil((stats.norm.ppf(0.975) * 7.5) ** 2)),
    ("A town of 8,000 people: sample size for 5% margin at 95%?", _size(0.05, population=8000)),
    ("We expect about 30% yes. Sample size for ±4% at 95%?", _size(0.04, 0.3)),
    ("¿A cuántas personas tengo que encuestar para un margen de error de 4 puntos con 90% de confianza?",
     _size(0.04, confidence=0.9)),
    ("t(24) = 2.1 two-tailed p", 2 * stats.t.sf(2.1, 24)),
    ("Delivery times are normal with mean 30 minutes and standard deviation 6. What percentage of deliveries take "
     "between 25 and 40 minutes?", 100 * (stats.norm.cdf(40, 30, 6) - stats.norm.cdf(25, 30, 6))),
    ("Tom scored 83 in an exam where the class mean was 68 and the SD 9.5. His z-score, and assuming normality, what "
     "share of pupils did he beat?", stats.norm.cdf(15 / 9.5)),
    ("The mean of 25 values from a normal population with mean 80 and sd 10: probability that the sample mean is above "
     "83?", stats.norm.sf(1.5)),
    ("Bottles are filled with N(500 ml, 6 ml). Below which volume lie the emptiest 2.5% of bottles?",
     stats.norm.ppf(0.025, 500, 6)),
    ("An elevator fails on average every 200 days, exponentially distributed. Probability it survives 300 days without "
     "failing?", math.exp(-1.5)),
    ("On average 3 customers enter the shop every 10 minutes. What is the probability that nobody enters in 10 minutes?",
     math.exp(-3)),
    ("Typos occur at a rate of 0.5 per page. Probability of at least one typo in 4 pages?", 1 - math.exp(-2)),
    ("Un libro tiene en promedio 0,3 erratas por página. ¿Probabilidad de que en 10 páginas no haya ninguna errata?",
     math.exp(-3)),
    ("A salesman closes 20% of calls. What's the probability the first sale comes on the 4th call?", 0.8**3 * 0.2),
    ("probability of rolling a 7 or 11 with two dice", 8 / 36),
    ("probabilidad de sacar un número par con un dado", 0.5),
    ("Roll two dice. Probability that the sum is prime?", 15 / 36),
    ("A coin has probability 0.6 of heads. Toss it 8 times. P(exactly 5 heads)?", stats.binom.pmf(5, 8, 0.6)),
    ("probability that a card is a king or a heart", 16 / 52),
    ("Cinco cartas de una baraja inglesa de 52 bien barajada: probabilidad de que haya al menos un as",
     stats.hypergeom.sf(0, 52, 4, 5)),
    ("A committee of 4 is drawn at random from 6 men and 5 women. Probability that it has exactly 2 women?",
     stats.hypergeom.pmf(2, 11, 5, 4)),
    ("Machine A makes 60% of parts with 2% defects, machine B makes 40% with 5% defects. A part is defective; "
     "probability it came from A?", 0.012 / 0.032),
    ("A test has 99% sensitivity and 95% specificity; prevalence is 1%. Probability of a positive test?", 0.0594),
    ("There are 27 kids in my class and I must pick 4 for the student council. How many different groups are possible?",
     math.comb(27, 4)),
    ("How many subsets of size 3 does a set of 8 elements have?", 56),
    ("From 7 women and 5 men a committee of 4 with exactly two women is chosen. In how many ways?",
     math.comb(7, 2) * math.comb(5, 2)),
    ("Eight swimmers in a final: in how many ways can gold, silver and bronze be handed out?", math.perm(8, 3)),
)  # fmt: skip

LOOKALIKES = (
    "Barnard's test for 7 of 20 vs 12 of 20 patients cured",
    "Fisher exact p value for 3 of 10 versus 8 of 11 conversions",
    "A: 120 of 2400 visitors converted, B: 30 more of 2380; p-value",
    "A: 120 conversions of 2400 visitors each day, B: 156 of 2380; p-value for the week",
    "A: 120 of 2400 visitors converted, B: 156 of 2380. p-value, and how many more visitors do I need?",
    "two-sided z test, 45 of 60 vs 30 of 60, unpooled",
    "paired t-test: mean difference 2.1, sd 3.4, n 20",
    "mean 5.2 ± 0.3 SEM (n=20) vs 4.8 ± 0.2 SEM (n=22), t-test",
    "n=25, mean 68, sd 5; lower 95% confidence bound",
    "mean 68, sd 5, n=25: interval that contains 95% of the values",
    "average of 40 values 212 sd 35, 95% CI",
    "A poll of 800 people has a margin of error of 3%. Confidence level?",
    "sample size for a margin of 5% at 95%, response rate 40%",
    "sample size for a margin of 5% at 95% with a 20% dropout",
    "Heights are normal, mean 165, sd 7. Probability that a woman is taller than 5 feet?",
    "Heights are normal, mean 165, sd 7. Probability that two women are both taller than 175?",
    "We get 3 calls an hour on average and 20% are complaints. Probability of at least one complaint in an hour?",
    "We get 3 calls an hour on average. Probability of waiting more than 30 minutes for the next call?",
    "Roll two dice. Probability that both are even?",
    "Roll two dice. Probability of a sum of 7 or doubles?",
    "A coin is tossed 4 times. Probability that the first two are heads?",
    "draw a card. probability it's a king or a red card?",
    "A player scores 75% of free throws. Probability that the first miss comes on the 4th throw?",
    "Machine A makes 60% with 2% defects, machine B 40% with 5% defects. A part is good; probability it came from A?",
    "There are 18 bananas. If the bananas are organized into groups of size 2. How many groups are there?",
    "how many pizzas with at least 3 different toppings out of 10?",
)


def _figures(value: Any) -> Iterator[float]:
    match value:
        case dict():
            for item in value.values():
                yield from _figures(item)
        case bool() | str():
            return
        case int() | float():
            yield float(value)


@pytest.mark.parametrize(("text", "expected"), RIGHT)
def test_a_question_in_any_voice_has_its_figure(text: str, expected: float) -> None:
    result, level = computed(text)
    assert level == "spec"
    assert any(math.isclose(value, expected, rel_tol=1e-6) for value in _figures(result)), result


@pytest.mark.parametrize("text", LOOKALIKES)
def test_a_lookalike_is_refused(text: str) -> None:
    interpretation = read(text)
    assert interpretation.spec is None
    assert all(interpretation.reasons)


@pytest.mark.parametrize(
    ("text", "exact"),
    [
        ("Estimate pi by throwing 100,000 random points at a square", math.pi),
        ("Simulate 100000 coin flips and give the share of heads", 0.5),
        ("Simulate 10,000 groups of 23 people: how often do two share a birthday?", 0.5073),
    ],
)
def test_a_simulation_comes_near_the_exact_value(text: str, exact: float) -> None:
    result, _ = computed(text)
    assert any(math.isclose(value, exact, rel_tol=0.05) for value in _figures(result)), result
