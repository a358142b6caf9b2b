"""Works probabilities, quantiles and moments of distributions out again without scipy."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from sandbox.judging.own_distributions import (
    CONTINUOUS,
    probability_between,
    quantile,
    weights,
)

Parameters = Mapping[str, float]


def _probability(
    family: str,
    parameters: Parameters,
    low: float | None = None,
    high: float | None = None,
    low_open: bool = False,
    high_open: bool = False,
    outside: bool = False,
    percent: bool = False,
    out_of: float | None = None,
) -> Mapping[str, Any]:
    share = probability_between(
        family, parameters, low, high, low_open=low_open, high_open=high_open
    )
    share = 1 - share if outside else share
    if out_of is not None:
        return {"expected_count": share * out_of, "probability": share}
    return {"percentage": share * 100} if percent else {"probability": share}


def _quantile(
    family: str,
    parameters: Parameters,
    below: float | None = None,
    above: float | None = None,
    middle: float | None = None,
    name: str = "value",
) -> Mapping[str, Any]:
    if middle is not None:
        tail = 0.5 - middle / 2
        return {
            "lower": quantile(family, parameters, tail, 1 - tail),
            "upper": quantile(family, parameters, 1 - tail, tail),
        }
    under = below if below is not None else 1 - (above or 0.0)
    over = above if above is not None else 1 - under
    return {name: quantile(family, parameters, under, over)}


_LOGNORMAL = 0.5  # half the variance of the logarithm shifts the mean


def _moments(family: str, parameters: Parameters) -> Mapping[str, Any]:
    """By summing, or by integrating over the quantiles of a uniform variable's square grid."""
    p = parameters
    if family not in CONTINUOUS:
        k, mass = weights(family, p)
        mean = math.fsum(k * mass)
        variance = math.fsum((k - mean) ** 2 * mass)
    else:
        mean, variance = _CLOSED[family](p)
    return {"mean": mean, "variance": variance, "sd": math.sqrt(variance)}


def _of_f(p: Parameters) -> tuple[float, float]:
    a, b = p["df1"], p["df2"]
    return b / (b - 2), 2 * b * b * (a + b - 2) / (a * (b - 2) ** 2 * (b - 4))


def _of_beta(p: Parameters) -> tuple[float, float]:
    total = p["a"] + p["b"]
    mean = p["a"] / total
    return mean, mean * (1 - mean) / (total + 1)


def _of_lognormal(p: Parameters) -> tuple[float, float]:
    mean = math.exp(p["mu"] + _LOGNORMAL * p["sigma"] ** 2)
    return mean, mean * mean * math.expm1(p["sigma"] ** 2)


def _of_weibull(p: Parameters) -> tuple[float, float]:
    first = p["scale"] * math.gamma(1 + 1 / p["shape"])
    return first, p["scale"] ** 2 * math.gamma(1 + 2 / p["shape"]) - first**2


_CLOSED: Mapping[str, Callable[[Parameters], tuple[float, float]]] = {
    "normal": lambda p: (p["mean"], p["sd"] ** 2),
    "t": lambda p: (0.0, p["df"] / (p["df"] - 2)),
    "chi2": lambda p: (p["df"], 2 * p["df"]),
    "f": _of_f,
    "exponential": lambda p: (p["mean"], p["mean"] ** 2),
    "uniform": lambda p: ((p["low"] + p["high"]) / 2, (p["high"] - p["low"]) ** 2 / 12),
    "lognormal": _of_lognormal,
    "gamma": lambda p: (p["shape"] * p["scale"], p["shape"] * p["scale"] ** 2),
    "beta": _of_beta,
    "weibull": _of_weibull,
}


def _z(value: float, mean: float, sd: float) -> Mapping[str, Any]:
    return {"z": np.subtract(value, mean).item() / sd}


def _parameter(
    value: float, share_below: float, mean: float | None = None, sd: float | None = None
) -> Mapping[str, Any]:
    z = quantile("normal", {"mean": 0.0, "sd": 1.0}, share_below, 1 - share_below)
    if sd is None:
        return {"sd": ((value - (mean or 0.0)) / z)}
    return {"mean": value - z * sd}


EXPECTED: Mapping[str, Callable[..., Mapping[str, Any]]] = {
    "distribution_probability": _probability,
    "distribution_quantile": _quantile,
    "distribution_moments": _moments,
    "z_score": _z,
    "parameter_from_probability": _parameter,
}

_ABOVE_ZERO = ("sd", "sigma", "df", "df1", "df2", "shape", "scale", "a", "b")
_WHOLE = ("n", "r", "population", "marked", "drawn")
_MOST_TRIALS = 1_000_000


def impossible_parameters(family: str, parameters: Parameters) -> str:
    """Why a distribution cannot have these parameters, or ""."""
    for name, value in parameters.items():
        if not math.isfinite(value):
            return f"the {name} of a {family} distribution is not finite"
        if name in _ABOVE_ZERO and value <= 0:
            return f"the {name} of a {family} distribution is {value:g}, but it must be above 0"
        if name == "p" and not 0 <= value <= 1:
            return f"a probability of {value:g} lies outside 0 to 1"
        if name in _WHOLE and (value != int(value) or value < 0):
            return f"the {name} of a {family} distribution is {value:g}: it must be a whole number"
        if name in (*_WHOLE, "rate") and value > _MOST_TRIALS:
            return f"the {name} of a {family} distribution is {value:g}: at most {_MOST_TRIALS:,}"
    return _impossible_together(family, parameters)


def _impossible_together(family: str, p: Parameters) -> str:
    if family == "exponential" and p["mean"] <= 0:
        return f"the mean of an exponential distribution is {p['mean']:g}: it must be above 0"
    if family == "poisson" and (p["rate"] < 0 or p.get("exposure", 1.0) < 0):
        return f"a rate of {p['rate']:g} is below 0"
    if family == "poisson" and p["rate"] * p.get("exposure", 1.0) > _MOST_TRIALS:
        return f"more than {_MOST_TRIALS:,} arrivals are too many"
    if family in ("uniform", "discrete_uniform") and p["low"] >= p["high"]:
        return f"nothing lies between {p['low']:g} and {p['high']:g}"
    if family in ("geometric", "negative_binomial") and p["p"] < 1e-5:
        return "with so small a probability of success one waits for ever"
    if family == "hypergeometric" and (
        p["marked"] > p["population"] or p["drawn"] > p["population"]
    ):
        return f"a population of {p['population']:g} does not hold so many"
    return ""


def _impossible_event(
    family: str,
    parameters: Parameters,
    low: float | None = None,
    high: float | None = None,
    out_of: float | None = None,
    **_: bool,
) -> str:
    if low is not None and high is not None and low > high:
        return f"nothing lies between {low:g} and {high:g}"
    if out_of is not None and out_of < 0:
        return f"{out_of:g} is no number of cases"
    return impossible_parameters(family, parameters)


def _impossible_quantile(
    family: str,
    parameters: Parameters,
    below: float | None = None,
    above: float | None = None,
    middle: float | None = None,
    **_: str,
) -> str:
    share = next((s for s in (below, above, middle) if s is not None), 0.5)
    if not 0 < share < 1:
        return f"a share of {share:.4g} has no quantile: it must lie between 0 and 1"
    return impossible_parameters(family, parameters)


def _impossible_moments(family: str, parameters: Parameters) -> str:
    if family == "t" and parameters["df"] <= 2:
        return "a t distribution of at most 2 degrees of freedom has no variance"
    if family == "f" and parameters["df2"] <= 4:
        return "an F distribution with at most 4 degrees of freedom below has no variance"
    return impossible_parameters(family, parameters)


def _impossible_z(sd: float, **_: float) -> str:
    return f"a standard deviation of {sd:g} is not above 0" if sd <= 0 else ""


def _impossible_parameter(
    value: float, share_below: float, mean: float | None = None, sd: float | None = None
) -> str:
    if not 0 < share_below < 1:
        return f"a share of {share_below:.4g} lies outside 0 to 1"
    if sd is not None:
        return f"a standard deviation of {sd:g} is not above 0" if sd <= 0 else ""
    centre = mean or 0.0
    if (value - centre) * (share_below - 0.5) <= 0:
        return f"no spread puts {share_below:.4g} of a normal distribution below {value:g}"
    return ""


IMPOSSIBLE: Mapping[str, Callable[..., str]] = {
    "distribution_probability": _impossible_event,
    "distribution_quantile": _impossible_quantile,
    "distribution_moments": _impossible_moments,
    "z_score": _impossible_z,
    "parameter_from_probability": _impossible_parameter,
}
