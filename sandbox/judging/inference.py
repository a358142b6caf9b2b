"""Works tests, intervals and sample sizes from summaries out again, without scipy."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from sandbox.judging.impossible_inference import IMPOSSIBLE
from sandbox.judging.own_distributions import (
    f_tails,
    gamma_tails,
    normal_tails,
    quantile,
    t_tails,
)

__all__ = ["EXPECTED", "IMPOSSIBLE"]

Tails = tuple[float, float]


def _p(tails: Tails, tail: str) -> float:
    below, above = tails
    return {"two": 2 * min(below, above), "greater": above, "less": below}[tail]


def _z_for(confidence: float) -> float:
    return -quantile("normal", {"mean": 0.0, "sd": 1.0}, (1 - confidence) / 2, (1 + confidence) / 2)


def _t_for(confidence: float, df: float) -> float:
    return quantile("t", {"df": df}, (1 + confidence) / 2, (1 - confidence) / 2)


def _mean_test(
    mean: float,
    sd: float,
    n: float,
    null: float,
    known_sd: bool = False,
    tail: str = "two",
    alpha: float = 0.05,
) -> Mapping[str, Any]:
    statistic = math.sqrt(n) * mean / sd - math.sqrt(n) * null / sd
    p = _p(normal_tails(statistic) if known_sd else t_tails(n - 1, statistic), tail)
    figures = {"z" if known_sd else "t": statistic, "p_value": p, "significant": p < alpha}
    return figures if known_sd else figures | {"df": n - 1}


def _degrees(v1: float, n1: float, v2: float, n2: float) -> float:
    """Welch's degrees of freedom, by the share of the first in the variance of the difference."""
    share = v1 / (v1 + v2)
    return 1 / (share**2 / (n1 - 1) + (1 - share) ** 2 / (n2 - 1))


def _difference(sd1: float, n1: float, sd2: float, n2: float, method: str) -> tuple[float, float]:
    """The standard error of a difference of means, and its degrees of freedom."""
    v1, v2 = sd1 * sd1 / n1, sd2 * sd2 / n2
    if method == "pooled":
        squares = (n1 - 1) * sd1 * sd1 + (n2 - 1) * sd2 * sd2
        return math.sqrt(squares / (n1 + n2 - 2) * (n1 + n2) / (n1 * n2)), n1 + n2 - 2
    return math.hypot(math.sqrt(v1), math.sqrt(v2)), _degrees(v1, n1, v2, n2)


def _means_test(
    mean1: float,
    sd1: float,
    n1: float,
    mean2: float,
    sd2: float,
    n2: float,
    method: str = "welch",
    tail: str = "two",
    alpha: float = 0.05,
) -> Mapping[str, Any]:
    gap = mean1 - mean2
    error, df = _difference(sd1, n1, sd2, n2, method)
    if method == "z":
        p = _p(normal_tails(gap / error), tail)
        return {"z": gap / error, "p_value": p, "difference": gap, "significant": p < alpha}
    p = _p(t_tails(df, gap / error), tail)
    figures = {"t": gap / error, "df": df, "p_value": p, "difference": gap}
    return figures | {"significant": p < alpha}


def _proportion_test(
    successes: float, n: float, null: float, tail: str = "two", alpha: float = 0.05
) -> Mapping[str, Any]:
    z = (successes - n * null) / math.sqrt(n * null * (1 - null))
    p = _p(normal_tails(z), tail)
    return {"z": z, "p_value": p, "proportion": successes / n, "significant": p < alpha}


def _proportions_test(
    successes1: float,
    n1: float,
    successes2: float,
    n2: float,
    tail: str = "two",
    alpha: float = 0.05,
) -> Mapping[str, Any]:
    """z by way of the chi-square of the table of successes and failures."""
    table = [[successes1, n1 - successes1], [successes2, n2 - successes2]]
    gap = successes2 / n2 - successes1 / n1
    z = math.copysign(math.sqrt(_chi2(table, yates=False)), gap)
    p = _p(normal_tails(z), tail)
    figures = {
        "rate_1": successes1 / n1,
        "rate_2": successes2 / n2,
        "difference": gap,
        "z": z,
        "p_value": p,
        "significant": p < alpha,
    }
    if successes1:
        figures["uplift_percentage"] = 100 * gap * n1 / successes1
    return figures


def _chi2(table: Sequence[Sequence[float]], *, yates: bool) -> float:
    """By the determinant of the table."""
    (a, b), (c, d) = table
    total = a + b + c + d
    determinant = abs(a * d - b * c)
    if yates:
        determinant = max(0.0, determinant - total / 2)
    return total * determinant**2 / ((a + b) * (c + d) * (a + c) * (b + d))


def _chi_square(
    successes1: float,
    n1: float,
    successes2: float,
    n2: float,
    yates: bool = False,
    alpha: float = 0.05,
) -> Mapping[str, Any]:
    table = [[successes1, n1 - successes1], [successes2, n2 - successes2]]
    statistic = _chi2(table, yates=yates)
    p = gamma_tails(0.5, statistic / 2)[1]
    rows, columns = (
        [sum(row) for row in table],
        [sum(column) for column in zip(*table, strict=True)],
    )
    expected = [[row / sum(rows) * column for column in columns] for row in rows]
    return {
        "chi2": statistic,
        "df": 1,
        "p_value": p,
        "expected": expected,
        "significant": p < alpha,
    }


def _mean_interval(
    mean: float, sd: float, n: float, confidence: float = 0.95, known_sd: bool = False
) -> Mapping[str, Any]:
    factor = _z_for(confidence) if known_sd else _t_for(confidence, n - 1)
    margin = factor * math.sqrt(sd * sd / n)
    return {"lower": mean - margin, "upper": mean + margin, "margin_of_error": margin}


def _proportion_interval(
    successes: float, n: float, confidence: float = 0.95, method: str = "wald"
) -> Mapping[str, Any]:
    z, share = _z_for(confidence), successes / n
    if method == "wilson":
        # The roots of (share - p)² = z² p (1 - p) / n.
        a, b, c = 1 + z * z / n, -2 * share - z * z / n, share * share
        root = math.sqrt(b * b - 4 * a * c)
        low, high = (-b - root) / (2 * a), (-b + root) / (2 * a)
    else:
        spread = z * math.sqrt(successes * (n - successes) / n) / n
        low, high = share - spread, share + spread
    return {"lower": low, "upper": high, "margin_of_error": (high - low) / 2, "proportion": share}


def _means_interval(
    mean1: float,
    sd1: float,
    n1: float,
    mean2: float,
    sd2: float,
    n2: float,
    confidence: float = 0.95,
    method: str = "welch",
) -> Mapping[str, Any]:
    error, df = _difference(sd1, n1, sd2, n2, method)
    margin = error * (_z_for(confidence) if method == "z" else _t_for(confidence, df))
    gap = mean1 - mean2
    return {"difference": gap, "lower": gap - margin, "upper": gap + margin}


def _proportions_interval(
    successes1: float, n1: float, successes2: float, n2: float, confidence: float = 0.95
) -> Mapping[str, Any]:
    gap = successes2 / n2 - successes1 / n1
    variance = successes1 * (n1 - successes1) / n1**3 + successes2 * (n2 - successes2) / n2**3
    margin = _z_for(confidence) * math.sqrt(variance)
    return {"difference": gap, "lower": gap - margin, "upper": gap + margin}


def _margin_of_error(p: float, n: float, confidence: float = 0.95) -> Mapping[str, Any]:
    margin = _z_for(confidence) * math.sqrt((p - p * p) / n)
    return {"margin_of_error": margin, "percentage_points": margin * 100}


def _mean_margin(
    sd: float, n: float, confidence: float = 0.95, known_sd: bool = False
) -> Mapping[str, Any]:
    factor = _z_for(confidence) if known_sd else _t_for(confidence, n - 1)
    return {"margin_of_error": factor * math.sqrt(sd * sd / n)}


def _standard_error(sd: float, n: float) -> Mapping[str, Any]:
    return {"standard_error": math.sqrt(sd * sd / n)}


def _proportion_error(p: float, n: float) -> Mapping[str, Any]:
    return {"standard_error": math.sqrt((p - p * p) / n)}


def _smallest(enough: Callable[[int], bool], start: int) -> int:
    """The smallest whole number that is enough, by doubling and halving."""
    low, high = 0, max(1, start)
    while not enough(high):
        low, high = high, 2 * high
        if high > 10**15:
            raise ValueError("no sample is large enough")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _size_proportion(
    margin: float, p: float = 0.5, confidence: float = 0.95, population: float | None = None
) -> Mapping[str, Any]:
    z = _z_for(confidence)

    def enough(n: int) -> bool:
        variance = p * (1 - p) / n
        if population is not None:
            variance *= (population - n) / (population - 1)
        return z * math.sqrt(max(0.0, variance)) <= margin * (1 + 1e-12)

    return {"sample_size": _smallest(enough, 1)}


def _size_mean(margin: float, sd: float, confidence: float = 0.95) -> Mapping[str, Any]:
    z = _z_for(confidence)
    size = _smallest(lambda n: z * sd / math.sqrt(n) <= margin * (1 + 1e-12), 1)
    return {"sample_size": size}


def _size_proportions(
    p1: float, p2: float, power: float = 0.8, alpha: float = 0.05, tail: str = "two"
) -> Mapping[str, Any]:
    z = _z_for(1 - alpha if tail == "two" else 1 - 2 * alpha)
    middle = (p1 + p2) / 2
    null, other = 2 * middle * (1 - middle), p1 * (1 - p1) + p2 * (1 - p2)

    def enough(n: int) -> bool:
        bound = z * math.sqrt(null / n) - abs(p1 - p2)
        return normal_tails(bound / math.sqrt(other / n))[1] >= power - 1e-12

    each = _smallest(enough, 2)
    return {"sample_size_per_group": each, "total": 2 * each}


def _nct_power(shift: float, df: float, alpha: float, tail: str) -> float:
    """The power of a t test, by integrating over the sample's standard deviation."""
    two = tail == "two"
    bound = _t_for(1 - alpha if two else 1 - 2 * alpha, df)
    spread = 1 / math.sqrt(2 * df)
    low, high = max(1e-9, 1 - 12 * spread), 1 + 12 * spread + 12 / df
    nodes, weights = np.polynomial.legendre.leggauss(400)
    s = (high + low) / 2 + (high - low) / 2 * nodes
    logs = (df - 1) * np.log(s) - df * s * s / 2
    constant = math.log(2) + df / 2 * math.log(df / 2) - math.lgamma(df / 2)
    density = np.exp(logs + constant) * weights * (high - low) / 2
    reject = [
        normal_tails(bound * x - shift)[1] + (normal_tails(-bound * x - shift)[0] if two else 0.0)
        for x in s
    ]
    return float(np.dot(density, reject))


def _size_means(
    difference: float, sd: float, power: float = 0.8, alpha: float = 0.05, tail: str = "two"
) -> Mapping[str, Any]:
    effect = abs(difference) / sd

    def enough(n: int) -> bool:
        return _nct_power(effect * math.sqrt(n / 2), 2 * n - 2, alpha, tail) >= power - 1e-9

    each = max(2, _smallest(lambda n: n >= 2 and enough(n), 2))
    return {"sample_size_per_group": each, "total": 2 * each}


def _power_of_means(
    difference: float, sd: float, n: float, alpha: float = 0.05, tail: str = "two"
) -> Mapping[str, Any]:
    shift = abs(difference) / sd * math.sqrt(n / 2)
    return {"power": _nct_power(shift, 2 * n - 2, alpha, tail)}


def _power_of_proportions(
    p1: float, p2: float, n: float, alpha: float = 0.05, tail: str = "two"
) -> Mapping[str, Any]:
    z = _z_for(1 - alpha if tail == "two" else 1 - 2 * alpha)
    middle = (p1 + p2) / 2
    root = math.sqrt(p1 - p1 * p1 + p2 - p2 * p2)
    bound, gap = z * math.sqrt(2 * middle * (1 - middle)), abs(p1 - p2) * math.sqrt(n)
    power = normal_tails((gap - bound) / root)[0]
    if tail == "two":
        power += normal_tails((gap + bound) / root)[1]
    return {"power": power}


def _risk_measures(
    events1: float, n1: float, events2: float, n2: float, confidence: float = 0.95
) -> Mapping[str, Any]:
    z = _z_for(confidence)
    first, second = events1 / n1, events2 / n2
    odds1, odds2 = first / (1 - first), second / (1 - second)
    ratio_error = math.sqrt((1 - first) / events1 + (1 - second) / events2)
    odds_error = math.sqrt(1 / (events1 * (1 - first)) + 1 / (events2 * (1 - second)))
    gap, gap_error = (
        first - second,
        math.sqrt(first * (1 - first) / n1 + second * (1 - second) / n2),
    )
    ratio, odds = math.log(first) - math.log(second), math.log(odds1) - math.log(odds2)
    figures = {
        "risk_1": first,
        "risk_2": second,
        "relative_risk": math.exp(ratio),
        "relative_risk_lower": math.exp(ratio - z * ratio_error),
        "relative_risk_upper": math.exp(ratio + z * ratio_error),
        "odds_ratio": math.exp(odds),
        "odds_ratio_lower": math.exp(odds - z * odds_error),
        "odds_ratio_upper": math.exp(odds + z * odds_error),
        "risk_difference": gap,
        "risk_difference_lower": gap - z * gap_error,
        "risk_difference_upper": gap + z * gap_error,
    }
    return figures | ({"number_needed_to_treat": abs(1 / gap)} if gap else {})


def _cohen_d(
    mean1: float,
    sd1: float,
    mean2: float,
    sd2: float,
    n1: float | None = None,
    n2: float | None = None,
) -> Mapping[str, Any]:
    weights = (1.0, 1.0) if n1 is None or n2 is None else (n1 - 1, n2 - 1)
    spread = math.sqrt(float(np.average([sd1**2, sd2**2], weights=weights)))
    return {"cohen_d": mean1 / spread - mean2 / spread}


def _kappa(
    both_yes: float, both_no: float, first_only: float, second_only: float
) -> Mapping[str, Any]:
    """One minus the disagreement over the disagreement that chance gives."""
    total = both_yes + both_no + first_only + second_only
    a, b = (both_yes + first_only) / total, (both_yes + second_only) / total
    apart = (first_only + second_only) / total
    return {"kappa": 1 - apart / (a * (1 - b) + b * (1 - a)), "agreement": 1 - apart}


def _variances_test(
    sd1: float, n1: float, sd2: float, n2: float, alpha: float = 0.05
) -> Mapping[str, Any]:
    statistic = (sd1 / sd2) ** 2
    p = min(1.0, _p(f_tails(n1 - 1, n2 - 1, statistic), "two"))
    return {
        "F": statistic,
        "df1": n1 - 1,
        "df2": n2 - 1,
        "p_value": p,
        "significant": p < alpha,
    }


def _correlation_test(
    r: float, n: float, tail: str = "two", alpha: float = 0.05
) -> Mapping[str, Any]:
    t = r / math.sqrt((1 - r) * (1 + r) / (n - 2))
    p = _p(t_tails(n - 2, t), tail)
    return {"t": t, "df": n - 2, "p_value": p, "significant": p < alpha}


def _correlation_interval(r: float, n: float, confidence: float = 0.95) -> Mapping[str, Any]:
    width = math.exp(2 * _z_for(confidence) / math.sqrt(n - 3))
    odds = (1 + r) / (1 - r)
    low, high = odds / width, odds * width
    return {"lower": (low - 1) / (low + 1), "upper": (high - 1) / (high + 1)}


def _statistic_p_value(
    family: str,
    statistic: float,
    df: float | None = None,
    df2: float | None = None,
    tail: str = "two",
    alpha: float = 0.05,
) -> Mapping[str, Any]:
    tails: Tails = {
        "normal": lambda: normal_tails(statistic),
        "t": lambda: t_tails(df or 0.0, statistic),
        "chi2": lambda: gamma_tails((df or 0.0) / 2, statistic / 2),
        "f": lambda: f_tails(df or 0.0, df2 or 0.0, statistic),
    }[family]()
    p = _p(tails, tail)
    return {"p_value": p, "significant": p < alpha}


EXPECTED: Mapping[str, Callable[..., Mapping[str, Any]]] = {
    "mean_test": _mean_test,
    "means_test": _means_test,
    "proportion_test": _proportion_test,
    "proportions_test": _proportions_test,
    "chi_square_2x2": _chi_square,
    "mean_interval": _mean_interval,
    "proportion_interval": _proportion_interval,
    "means_interval": _means_interval,
    "proportions_interval": _proportions_interval,
    "margin_of_error": _margin_of_error,
    "mean_margin": _mean_margin,
    "standard_error": _standard_error,
    "proportion_error": _proportion_error,
    "sample_size_proportion": _size_proportion,
    "sample_size_mean": _size_mean,
    "sample_size_proportions": _size_proportions,
    "sample_size_means": _size_means,
    "power_of_means": _power_of_means,
    "power_of_proportions": _power_of_proportions,
    "risk_measures": _risk_measures,
    "cohen_d": _cohen_d,
    "kappa": _kappa,
    "variances_test": _variances_test,
    "correlation_test": _correlation_test,
    "correlation_interval": _correlation_interval,
    "statistic_p_value": _statistic_p_value,
}
