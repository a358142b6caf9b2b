"""Cumulative distributions of columns that are clipped, truncated or rounded.

Only scipy.special is used, so that processes that verify results need not load scipy.stats.
"""

import numpy as np
import numpy.typing as npt
from scipy import special

from sandbox.spec import Distribution, Field

Floats = npt.NDArray[np.float64]


def cdf(of: Distribution, x: Floats) -> Floats:
    """The share of the distribution at or below each x."""
    p = of.parameters
    match of.family:
        case "normal":
            share = special.ndtr((x - p["mean"]) / p["sd"])
        case "lognormal":
            positive = np.maximum(x, 1e-300)
            share = np.where(x > 0, special.ndtr((np.log(positive) - p["mu"]) / p["sigma"]), 0.0)
        case "uniform":
            share = np.clip((x - p["low"]) / (p["high"] - p["low"]), 0, 1)
        case "exponential":
            share = -np.expm1(-np.maximum(x, 0) / p["mean"])
        case "poisson":
            share = np.where(x >= 0, special.pdtr(np.floor(np.maximum(x, 0)), p["rate"]), 0.0)
        case "binomial":
            n = int(p["n"])
            whole = np.clip(np.floor(x), 0, n)
            share = np.where(x < 0, 0.0, special.bdtr(whole, n, p["p"]))
        case "beta":
            share = special.betainc(p["a"], p["b"], np.clip(x, 0, 1))
        case "gamma":
            share = special.gammainc(p["shape"], np.maximum(x, 0) / p["scale"])
        case "pareto":
            least = np.maximum(x, p["minimum"])
            share = 1 - (p["minimum"] / least) ** p["alpha"]
        case "weibull":
            share = -np.expm1(-((np.maximum(x, 0) / p["scale"]) ** p["shape"]))
        case "mixture":
            parts = zip(of.weights, of.parts, strict=True)
            share = np.sum([weight * cdf(part, x) for weight, part in parts], axis=0)
        case _:
            raise ValueError(f"no cumulative distribution is defined for {of.family}")
    return np.asarray(share, dtype=np.float64)


def expected_cdf(field: Field, x: Floats) -> Floats:
    """The cumulative distribution that a column's values should have.

    A rounded value stands for all values that round to it.
    """
    of = field.distribution
    assert of is not None
    places = field.decimals
    at = x
    if places is not None and not of.discrete:
        at = x + 0.5 * 10.0**-places
    if of.family == "uniform" and places == 0:
        low, high = np.ceil(of.parameters["low"]), np.floor(of.parameters["high"])
        return np.asarray(np.clip((np.floor(x) - low + 1) / (high - low + 1), 0, 1))
    share = cdf(of, at)
    low_, high_ = field.low, field.high
    if low_ is None and high_ is None:
        return share
    if field.clip:
        if low_ is not None:
            share = np.where(x < low_, 0.0, share)
        return np.where(x >= high_, 1.0, share) if high_ is not None else share
    # The program drew values outside the bounds again, until they fell inside.
    below = cdf(of, np.array([np.nextafter(low_, -np.inf)]))[0] if low_ is not None else 0.0
    upto = cdf(of, np.array([high_]))[0] if high_ is not None else 1.0
    return np.clip((share - below) / (upto - below), 0, 1)


def share_between(field: Field) -> float:
    """The share of a column's distribution that lies within its bounds."""
    of = field.distribution
    assert of is not None
    low = cdf(of, np.array([field.low], dtype=float))[0] if field.low is not None else 0.0
    high = cdf(of, np.array([field.high], dtype=float))[0] if field.high is not None else 1.0
    return float(high - low)
