"""Works out less usual figures of one column again, value by value in plain Python."""

import bisect
import itertools
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from sandbox.judging.figures.descriptive import confidence_interval, mean, quantile, sd

Floats = Sequence[float]


def trimmed_mean(x: Floats, *, cut: float) -> float:
    if not 0 <= cut < 0.5:
        raise ValueError(f"a share of {cut} cannot be cut off each end")
    ordered, few = sorted(x), math.floor(cut * len(x) + 1e-9)
    return mean(ordered[few : len(x) - few])


def mad(x: Floats) -> float:
    middle = quantile(x)
    return quantile([abs(value - middle) for value in x])


def mean_deviation(x: Floats) -> float:
    """Twice what the values above the mean have more than the mean, per value."""
    centre = mean(x)
    return 2 * math.fsum(value - centre for value in x if value > centre) / len(x)


def deviations(x: Floats) -> list[float]:
    centre = mean(x)
    return [value - centre for value in x]


def sum_of_squared_deviations(x: Floats) -> float:
    """From the exact sums of the values and of their squares, so that no mean is needed."""
    values = [Fraction(value) for value in x]
    total, squares = sum(values, Fraction(0)), sum((value * value for value in values), Fraction(0))
    return float(squares - total * total / len(values))


def product(x: Floats) -> float:
    """A mantissa and an exponent, so that no number of factors is too many."""
    mantissa, exponent = 1.0, 0
    for value in x:
        mantissa, shift = math.frexp(mantissa * value)
        exponent += shift
    return math.ldexp(mantissa, exponent)


def cumulative_sum(x: Floats) -> list[float]:
    return [float(total) for total in itertools.accumulate(map(Fraction, x))]


def moving_average(x: Floats, *, window: int) -> list[float]:
    if not 1 <= window <= len(x):
        raise ValueError(f"{len(x)} values have no window of {window}")
    totals = [Fraction(0), *itertools.accumulate(map(Fraction, x))]
    return [float((b - a) / window) for a, b in zip(totals, totals[window:], strict=False)]


def differences(x: Floats) -> list[float]:
    return [float(Fraction(b) - Fraction(a)) for a, b in itertools.pairwise(x)]


def percent_changes(x: Floats) -> list[float]:
    if 0 in x[:-1]:
        raise ValueError("no percentage of 0 is defined")
    return [float(100 * Fraction(b) / Fraction(a) - 100) for a, b in itertools.pairwise(x)]


def greatest_change(
    x: Floats, names: Sequence[Any] | None, *, falling: bool, percent: bool
) -> dict[str, Any]:
    if len(x) < 2:
        raise ValueError("a change needs two values")
    steps = percent_changes(x) if percent else differences(x)
    most = min(steps) if falling else max(steps)
    place = steps.index(most) + 1
    at = str(names[place]) if names else place + 1
    return {"percent" if percent else "change": most, "at": at}


def growth_percent(x: Floats) -> float:
    return float(100 * Fraction(x[-1]) / Fraction(x[0]) - 100)


def z_score(x: Floats, *, ddof: int = 1, value: float | None = None) -> Any:
    centre, spread = mean(x), sd(x, ddof=ddof)
    if value is not None:
        return (value - centre) / spread
    return [(each - centre) / spread for each in x]


def percentile_rank(x: Floats, *, value: float) -> float:
    ordered = sorted(x)
    low, high = bisect.bisect_left(ordered, value), bisect.bisect_right(ordered, value)
    return 50 * (low + high) / len(x)


def count_where(
    x: Floats,
    *,
    low: float | None = None,
    high: float | None = None,
    low_open: bool = False,
    high_open: bool = False,
) -> int:
    """By places in the sorted values."""
    ordered = sorted(x)
    begin, end = 0, len(ordered)
    if low is not None:
        begin = (bisect.bisect_right if low_open else bisect.bisect_left)(ordered, low)
    if high is not None:
        end = (bisect.bisect_left if high_open else bisect.bisect_right)(ordered, high)
    return max(0, end - begin)


def gini(x: Floats) -> float:
    """Twice the area between the line of equality and the curve of Lorenz, in trapezoids."""
    if min(x) < 0 or not any(x):
        raise ValueError("a Gini coefficient needs values that are not below 0, nor all 0")
    totals = [Fraction(0), *itertools.accumulate(map(Fraction, sorted(x)))]
    below = sum((a + b) / 2 for a, b in itertools.pairwise(totals)) / (totals[-1] * len(x))
    return float(1 - 2 * below)


def growth_per_step(x: Floats) -> float:
    if len(x) < 2 or min(x[0], x[-1]) <= 0:
        raise ValueError("a growth rate needs a first and a last value above 0")
    return 100 * math.expm1((math.log(x[-1]) - math.log(x[0])) / (len(x) - 1))


def compound_mean_percent(x: Floats) -> float:
    if min(x) <= -100:
        raise ValueError("a loss of 100% or more ends a series of returns")
    return 100 * math.expm1(math.fsum(math.log1p(each / 100) for each in x) / len(x))


def sum_of_products(x: Floats, y: Floats) -> float:
    return float(sum(Fraction(a) * Fraction(b) for a, b in zip(x, y, strict=True)))


MORE_OF_ONE: Mapping[str, Callable[..., Any]] = {
    "margin_of_error": lambda x, *, level: (
        (interval := confidence_interval(x, level=level))["high"] - interval["mean"]
    ),
    "root_mean_square": lambda x: math.hypot(*x) / math.sqrt(len(x)),
    "trimmed_mean": trimmed_mean,
    "mad": mad,
    "mean_deviation": mean_deviation,
    "sum_of_squares": lambda x: float(sum(Fraction(value) ** 2 for value in x)),
    "sum_of_squared_deviations": sum_of_squared_deviations,
    "deviations": deviations,
    "product": product,
    "cumulative_sum": cumulative_sum,
    "moving_average": moving_average,
    "differences": differences,
    "percent_changes": percent_changes,
    "growth_percent": growth_percent,
    "deciles": lambda x: {f"d{i}": quantile(x, q=i / 10) for i in range(1, 10)},
    "sorted": lambda x, *, descending=False: sorted(x, key=lambda v: -v if descending else v),
    "z_score": z_score,
    "percentile_rank": percentile_rank,
    "count_where": count_where,
    "percentage_where": lambda x, **bounds: 100 * count_where(x, **bounds) / len(x),
    "proportion_where": lambda x, **bounds: count_where(x, **bounds) / len(x),
    "cv": lambda x, *, ddof=1: sd(x, ddof=ddof) / mean(x),
    "cv_percent": lambda x, *, ddof=1: 100 * sd(x, ddof=ddof) / mean(x),
    "gini": gini,
    "growth_per_step": growth_per_step,
    "compound_mean_percent": compound_mean_percent,
    "mode_count": lambda x: max(Counter(x).values()),
}
