"""Works out one-sided tests again, and tests of two samples that have no other judge."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from scipy import special

from sandbox.judging.comparison import Estimate
from sandbox.judging.figures.descriptive import mean, moment, variance
from sandbox.judging.figures.ranks import mannwhitney, ranks, ties_in, ways_of_u, wilcoxon
from sandbox.judging.figures.relations import correlation, spearman
from sandbox.judging.figures.samples import ttest, ttest_one, ttest_paired
from sandbox.judging.figures.tails import f_above, t_quantile

Floats = Sequence[float]
_EXACT_RANKS, _EXACT_SIGNS, _EXACT_TIED = 8, 50, 13


def _one_sided(figures: Mapping[str, Any], alternative: str) -> dict[str, Any]:
    """Of a statistic whose distribution is symmetric around 0, one tail is half of both."""
    name = next(iter(figures))
    statistic, both = figures[name], figures["p_value"]
    of, error = (both.value, both.error) if isinstance(both, Estimate) else (both, 0.0)
    positive = (statistic.value if isinstance(statistic, Estimate) else statistic) > 0
    p = of / 2 if positive is (alternative == "greater") else 1 - of / 2
    return {name: statistic, "p_value": Estimate(p, error / 2) if error else p}


def _symmetric(judge: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def judged(*data: Any, alternative: str = "two-sided", **given: Any) -> dict[str, Any]:
        figures = judge(*data, **given)
        return figures if alternative == "two-sided" else _one_sided(figures, alternative)

    return judged


def mannwhitney_directed(
    samples: Sequence[Floats], *, alternative: str = "two-sided"
) -> dict[str, float]:
    figures = mannwhitney(samples)
    if alternative == "two-sided":
        return figures
    first, second = samples if alternative == "greater" else (samples[1], samples[0])
    n, m = len(first), len(second)
    u = math.fsum((a > b) + (a == b) / 2 for a in first for b in second)
    ties = ties_in([*first, *second])
    if min(n, m) <= _EXACT_RANKS and not ties:
        ways = ways_of_u(n, m)
        p = sum(ways[round(u) :]) / sum(ways)
    else:
        spread = n * m / 12 * (n + m + 1 - ties / ((n + m) * (n + m - 1)))
        p = math.erfc((u - n * m / 2 - 0.5) / math.sqrt(2 * spread)) / 2
    return {"statistic": figures["statistic"], "p_value": min(1.0, p)}


def wilcoxon_directed(x: Floats, y: Floats, *, alternative: str = "two-sided") -> dict[str, float]:
    if alternative == "two-sided":
        return wilcoxon(x, y)
    gaps = [a - b for a, b in zip(x, y, strict=True)]
    unequal = [gap for gap in gaps if gap]
    ranked = ranks([abs(gap) for gap in unequal])
    positive = math.fsum(r for r, gap in zip(ranked, unequal, strict=True) if gap > 0)
    ties = ties_in([abs(gap) for gap in unequal])
    tied = bool(ties) or len(unequal) < len(gaps)
    n = len(unequal)
    wanted = positive if alternative == "greater" else math.fsum(ranked) - positive
    if len(gaps) <= (_EXACT_TIED if tied else _EXACT_SIGNS):
        ways = [1]
        for rank in ranked:  # doubled, because tied ranks may be halves
            shift = round(2 * rank)
            ways = [a + b for a, b in zip(ways + [0] * shift, [0] * shift + ways, strict=True)]
        p = sum(ways[round(2 * wanted) :]) / 2**n
    else:
        spread = (n * (n + 1) * (2 * n + 1) - ties / 2) / 24
        p = math.erfc((wanted - n * (n + 1) / 4) / math.sqrt(2 * spread)) / 2
    return {"statistic": positive, "p_value": min(1.0, p)}


def sign_test(x: Floats, y: Floats, *, alternative: str = "two-sided") -> dict[str, float]:
    more = sum(a > b for a, b in zip(x, y, strict=True))
    n = more + sum(a < b for a, b in zip(x, y, strict=True))
    if not n:
        raise ValueError("all pairs are equal")
    tail = more if alternative == "greater" else n - more
    tail = max(more, n - more) if alternative == "two-sided" else tail
    # At least `tail` heads of n tosses: an incomplete beta function.
    above = float(special.betainc(tail, n - tail + 1, 0.5)) if tail else 1.0
    p = 2 * above if alternative == "two-sided" else above
    return {"statistic": more, "p_value": min(1.0, p)}


def f_test(samples: Sequence[Floats]) -> dict[str, float]:
    first, second = (variance(sample) for sample in samples)
    n, m = (len(sample) - 1 for sample in samples)
    above = f_above(first / second, n, m)
    below = f_above(second / first, m, n)
    return {"statistic": first / second, "p_value": min(1.0, 2 * min(above, below))}


def cohens_d(samples: Sequence[Floats]) -> float:
    first, second = samples
    squares = math.fsum(moment(sample, 2) * len(sample) for sample in samples)
    return (mean(first) - mean(second)) / math.sqrt(squares / (len(first) + len(second) - 2))


def mean_difference(samples: Sequence[Floats]) -> float:
    first, second = samples
    return mean(first) - mean(second)


def ci_difference(
    samples: Sequence[Floats], *, level: float, equal_var: bool = False
) -> dict[str, float]:
    first, second = samples
    n, m = len(first), len(second)
    a, b = variance(first) / n, variance(second) / m
    df = (a + b) ** 2 / (a * a / (n - 1) + b * b / (m - 1))
    error = math.sqrt(a + b)
    if equal_var:
        df = n + m - 2
        error = math.sqrt(((n - 1) * a * n + (m - 1) * b * m) / df * (1 / n + 1 / m))
    gap, reach = mean(first) - mean(second), t_quantile(level, df) * error
    return {"low": gap - reach, "high": gap + reach, "difference": gap}


def ci_paired(x: Floats, y: Floats, *, level: float) -> dict[str, float]:
    gaps = [a - b for a, b in zip(x, y, strict=True)]
    centre = mean(gaps)
    reach = t_quantile(level, len(gaps) - 1) * math.sqrt(variance(gaps) / len(gaps))
    return {"low": centre - reach, "high": centre + reach, "difference": centre}


DIRECTED_OF_ONE: Mapping[str, Callable[..., Any]] = {"ttest_one": _symmetric(ttest_one)}
DIRECTED_OF_TWO: Mapping[str, Callable[..., Any]] = {
    "ttest_paired": _symmetric(ttest_paired),
    "correlation": _symmetric(correlation),
    "spearman": _symmetric(spearman),
    "wilcoxon": wilcoxon_directed,
    "sign_test": sign_test,
    "ci_paired": ci_paired,
}
DIRECTED_OF_SAMPLES: Mapping[str, Callable[..., Any]] = {
    "ttest": _symmetric(ttest),
    "mannwhitney": mannwhitney_directed,
    "f_test": f_test,
    "cohens_d": cohens_d,
    "mean_difference": mean_difference,
    "ci_difference": ci_difference,
}
