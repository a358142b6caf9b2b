"""Works out tests that compare the means or spreads of samples again."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sandbox.judging.figures.descriptive import mean, median, sem, variance
from sandbox.judging.figures.kolmogorov import ks_two
from sandbox.judging.figures.ranks import kruskal, mannwhitney
from sandbox.judging.figures.tails import f_above, t_two_sided

Floats = Sequence[float]


def ttest_one(x: Floats, *, mu: float = 0.0) -> dict[str, float]:
    t = (mean(x) - mu) / sem(x)
    return {"statistic": t, "p_value": t_two_sided(t, len(x) - 1)}


def ttest_paired(x: Floats, y: Floats) -> dict[str, float]:
    return ttest_one([a - b for a, b in zip(x, y, strict=True)])


def degrees_of_freedom(
    method: str, samples: Sequence[Floats], *, equal_var: bool = False
) -> dict[str, float]:
    """The degrees of freedom of a t-test, or of an analysis of variance."""
    sizes = [len(sample) for sample in samples]
    if method == "anova":
        return {"dof_between": len(sizes) - 1, "dof_within": sum(size - 1 for size in sizes)}
    if method != "ttest":
        return {"dof": sizes[0] - 1}
    if equal_var:
        return {"dof": sum(size - 1 for size in sizes)}
    shares = [variance(sample) / len(sample) for sample in samples]
    parts = [share * share / (size - 1) for share, size in zip(shares, sizes, strict=True)]
    return {"dof": math.fsum(shares) ** 2 / math.fsum(parts)}


def ttest(samples: Sequence[Floats], *, equal_var: bool = False) -> dict[str, float]:
    """Student's test of two samples if their variances are equal, otherwise Welch's."""
    first, second = samples
    n, m = len(first), len(second)
    if equal_var:
        df: float = n + m - 2
        pooled = ((n - 1) * variance(first) + (m - 1) * variance(second)) / df
        error2 = pooled * (n + m) / (n * m)
    else:
        a, b = variance(first) / n, variance(second) / m
        error2 = a + b
        df = error2**2 / (a * a / (n - 1) + b * b / (m - 1))
    t = (mean(first) - mean(second)) / math.sqrt(error2)
    return {"statistic": t, "p_value": t_two_sided(t, df)}


def anova(samples: Sequence[Floats]) -> dict[str, float]:
    sizes, means = [len(sample) for sample in samples], [mean(sample) for sample in samples]
    n, k = sum(sizes), len(samples)
    centre = math.fsum(size * of for size, of in zip(sizes, means, strict=True)) / n
    between = math.fsum(s * (m - centre) ** 2 for s, m in zip(sizes, means, strict=True))
    within = math.fsum(
        (value - of) ** 2 for sample, of in zip(samples, means, strict=True) for value in sample
    )
    f = (between / (k - 1)) / (within / (n - k))
    return {"statistic": f, "p_value": f_above(f, k - 1, n - k)}


def levene(samples: Sequence[Floats]) -> dict[str, float]:
    """Compare the distances from each sample's median (Brown and Forsythe)."""
    distances = []
    for sample in samples:
        middle = median(sample)
        distances.append([abs(value - middle) for value in sample])
    return anova(distances)


OF_SAMPLES: Mapping[str, Callable[..., Mapping[str, Any]]] = {
    "ttest": ttest,
    "anova": anova,
    "kruskal": kruskal,
    "mannwhitney": mannwhitney,
    "levene": levene,
    "ks_two": ks_two,
}
EXACTLY_TWO = frozenset({"ttest", "mannwhitney", "ks_two"})
