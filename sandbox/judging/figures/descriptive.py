"""Works out figures of one column again: exactly rounded sums, and order statistics by hand."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sandbox.judging.figures.tails import t_quantile

Floats = Sequence[float]


def mean(x: Floats) -> float:
    return math.fsum(x) / len(x)


def moment(x: Floats, order: int) -> float:
    """The mean of the deviations from the mean, each to a power."""
    centre = mean(x)
    return math.fsum((value - centre) ** order for value in x) / len(x)


def variance(x: Floats, *, ddof: int = 1) -> float:
    if ddof not in (0, 1):
        raise ValueError(f"a variance with ddof {ddof} is not defined here")
    if len(x) <= ddof:
        raise ValueError("a variance needs two values")
    return moment(x, 2) * len(x) / (len(x) - ddof)


def sd(x: Floats, *, ddof: int = 1) -> float:
    return math.sqrt(variance(x, ddof=ddof))


def sem(x: Floats) -> float:
    return math.sqrt(variance(x) / len(x))


def quantile(x: Floats, *, q: float = 0.5) -> float:
    """The quantile on the straight line between the two nearest of the sorted values."""
    if not 0 <= q <= 1:
        raise ValueError(f"there is no quantile of {q}")
    ordered = sorted(x)
    position = q * (len(x) - 1)
    below = min(math.floor(position), len(x) - 2) if len(x) > 1 else 0
    above = min(below + 1, len(x) - 1)
    share = position - below
    return (1 - share) * ordered[below] + share * ordered[above]


def median(x: Floats) -> float:
    return quantile(x)


def quartiles(x: Floats) -> dict[str, float]:
    return {f"q{i}": quantile(x, q=i / 4) for i in (1, 2, 3)}


def geometric_mean(x: Floats) -> float:
    """The root of the product, kept as a mantissa and an exponent so that it cannot overflow."""
    if min(x) <= 0:
        return _mean_with_zero(x, "geometric")
    mantissa, exponent = 1.0, 0
    for value in x:
        mantissa, shift = math.frexp(mantissa * math.frexp(value)[0])
        exponent += shift + math.frexp(value)[1]
    return float(mantissa ** (1 / len(x)) * 2.0 ** (exponent / len(x)))


def harmonic_mean(x: Floats) -> float:
    if min(x) <= 0:
        return _mean_with_zero(x, "harmonic")
    return len(x) / math.fsum(1 / value for value in x)


def _mean_with_zero(x: Floats, kind: str) -> float:
    if min(x) < 0:
        raise ValueError(f"a {kind} mean has no values below 0")
    return 0.0


def skewness(x: Floats) -> float:
    return moment(x, 3) / math.sqrt(moment(x, 2)) ** 3


def kurtosis(x: Floats) -> float:
    return moment(x, 4) / moment(x, 2) ** 2 - 3


def confidence_interval(x: Floats, *, level: float = 0.95) -> dict[str, float]:
    if not 0 < level < 1:
        raise ValueError(f"there is no confidence level of {level}")
    centre, reach = mean(x), t_quantile(level, len(x) - 1) * sem(x)
    return {"low": centre - reach, "high": centre + reach, "mean": centre}


def describe(x: Floats) -> dict[str, float]:
    quarters = quartiles(x)
    return {
        "count": len(x),
        "mean": mean(x),
        "sd": sd(x),
        "min": min(x),
        "q1": quarters["q1"],
        "median": quarters["q2"],
        "q3": quarters["q3"],
        "max": max(x),
    }


def outliers(x: Floats, *, rule: str, limit: float) -> dict[str, Any]:
    """Values far from the mean in standard deviations, or far outside the quartiles."""
    if rule == "zscore":
        centre, reach = mean(x), limit * sd(x, ddof=0)
        far = [value for value in x if abs(value - centre) > reach]
    elif rule == "iqr":
        quarters = quartiles(x)
        reach = limit * (quarters["q3"] - quarters["q1"])
        far = [v for v in x if v < quarters["q1"] - reach or v > quarters["q3"] + reach]
    else:
        raise ValueError(f"no rule of outliers is called {rule}")
    return {"count": len(far), "values": far[:100]}


OF_ONE: Mapping[str, Callable[..., Any]] = {
    "mean": mean,
    "median": median,
    "variance": variance,
    "sd": sd,
    "minimum": min,
    "maximum": max,
    "range": lambda x: max(x) - min(x),
    "sum": math.fsum,
    "count": len,
    "sem": sem,
    "cv": lambda x: sd(x) / mean(x),
    "iqr": lambda x: quantile(x, q=0.75) - quantile(x, q=0.25),
    "quantile": quantile,
    "quartiles": quartiles,
    "geometric_mean": geometric_mean,
    "harmonic_mean": harmonic_mean,
    "skewness": skewness,
    "kurtosis": kurtosis,
    "ci": confidence_interval,
    "describe": describe,
    "outliers": outliers,
}
