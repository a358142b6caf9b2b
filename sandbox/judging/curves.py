"""Cumulative distributions as they are after clipping, truncation and rounding.

scipy.special alone: the processes that verify need not load all of scipy.stats.
"""

import numpy as np
import numpy.typing as npt
from scipy import special

from sandbox.spec import Distribution, Field

Floats = npt.NDArray[np.float64]


def cdf(of: Distribution, x: Floats) -> Floats:
    """The share at or below each x."""
    p = of.parameters
    match of.family:
        case "normal":
            found = special.ndtr((x - p["mean"]) / p["sd"])
        case "lognormal":
            positive = np.maximum(x, 1e-300)
            found = np.where(x > 0, special.ndtr((np.log(positive) - p["mu"]) / p["sigma"]), 0.0)
        case "uniform":
            found = np.clip((x - p["low"]) / (p["high"] - p["low"]), 0, 1)
        case "exponential":
            found = -np.expm1(-np.maximum(x, 0) / p["mean"])
        case "poisson":
            found = np.where(x >= 0, special.pdtr(np.floor(np.maximum(x, 0)), p["rate"]), 0.0)
        case "binomial":
            n = int(p["n"])
            whole = np.clip(np.floor(x), 0, n)
            found = np.where(x < 0, 0.0, special.bdtr(whole, n, p["p"]))
        case "beta":
            found = special.betainc(p["a"], p["b"], np.clip(x, 0, 1))
        case "gamma":
            found = special.gammainc(p["shape"], np.maximum(x, 0) / p["scale"])
        case "pareto":
            least = np.maximum(x, p["minimum"])
            found = 1 - (p["minimum"] / least) ** p["alpha"]
        case "weibull":
            found = -np.expm1(-((np.maximum(x, 0) / p["scale"]) ** p["shape"]))
        case "mixture":
            parts = zip(of.weights, of.parts, strict=True)
            found = np.sum([weight * cdf(part, x) for weight, part in parts], axis=0)
        case _:
            raise ValueError(f"no curve is known for {of.family}")
    return np.asarray(found, dtype=np.float64)


def of_field(field: Field, x: Floats) -> Floats:
    """Of a column's values as they should have come out. Rounded values stand for all that
    rounds to them."""
    of = field.distribution
    assert of is not None
    places = field.decimals
    at = x
    if places is not None and not of.discrete:
        at = x + 0.5 * 10.0**-places
    if of.family == "uniform" and places == 0:
        low, high = np.ceil(of.parameters["low"]), np.floor(of.parameters["high"])
        return np.asarray(np.clip((np.floor(x) - low + 1) / (high - low + 1), 0, 1))
    found = cdf(of, at)
    low_, high_ = field.low, field.high
    if low_ is None and high_ is None:
        return found
    if field.clip:
        if low_ is not None:
            found = np.where(x < low_, 0.0, found)
        return np.where(x >= high_, 1.0, found) if high_ is not None else found
    # What lies outside was drawn again.
    below = cdf(of, np.array([np.nextafter(low_, -np.inf)]))[0] if low_ is not None else 0.0
    upto = cdf(of, np.array([high_]))[0] if high_ is not None else 1.0
    return np.clip((found - below) / (upto - below), 0, 1)


def share_between(field: Field) -> float:
    """How much of a column's distribution lies within its bounds."""
    of = field.distribution
    assert of is not None
    low = cdf(of, np.array([field.low], dtype=float))[0] if field.low is not None else 0.0
    high = cdf(of, np.array([field.high], dtype=float))[0] if field.high is not None else 1.0
    return float(high - low)
