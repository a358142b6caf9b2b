"""Cumulative distributions of columns that are clipped, truncated or rounded.

Only scipy.special is used, so that processes that verify results need not load scipy.stats.
"""

import math

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
        case "uniform" | "triangular":
            share = _straight(x, p["low"], p.get("mode"), p["high"])
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


def _straight(x: Floats, low: float, mode: float | None, high: float) -> Floats:
    """The area under a level line, or under lines that rise to the mode and fall from it."""
    if mode is None:
        return np.asarray(np.clip((x - low) / (high - low), 0, 1))
    rise = np.clip(x, low, mode) - low
    fall = high - np.clip(x, mode, high)
    up = rise**2 / ((high - low) * (mode - low)) if mode > low else np.zeros_like(x)
    down = fall**2 / ((high - low) * (high - mode)) if high > mode else np.zeros_like(x)
    return np.asarray(np.where(x <= mode, up, 1 - down))


def cells(field: Field, x: Floats, step: float | Floats) -> tuple[Floats, Floats]:
    """The shares of a column's distribution below each value, and up to and with it.

    Between the two lies all that the bounds and the rounding by `step` turn into this value. The
    program draws, moves values to the bounds or draws them again, and then rounds.
    """
    of = field.distribution
    assert of is not None
    lower = _share(field, x - step / 2)
    rounded = bool(np.any(step))
    upper = _share(field, x + step / 2) if rounded else lower
    low, high = field.low, field.high
    if not field.clip and (low is not None or high is not None):
        below, upto = _bounds(field)
        lower, upper = ((np.clip(s, below, upto) - below) / (upto - below) for s in (lower, upper))
    if low is not None and (rounded or field.clip):
        least = np.ceil(low / step - 1e-9) * step if rounded else low
        lower = np.where(x <= least + step / 4, 0.0, lower)
    if high is not None and (rounded or field.clip):
        most = np.floor(high / step + 1e-9) * step if rounded else high
        upper = np.where(x >= most - step / 4, 1.0, upper)
    return lower, upper


def _whole(field: Field) -> bool:
    """Whether the column takes whole values only, before any rounding."""
    of = field.distribution
    assert of is not None
    return of.discrete or (of.family == "uniform" and field.decimals == 0)


def _share(field: Field, x: Floats) -> Floats:
    """As `cdf`, but whole numbers that are uniform are all equally likely, the ends too."""
    of = field.distribution
    assert of is not None
    if of.family != "uniform" or field.decimals != 0:
        return cdf(of, x)
    first, last = math.ceil(of.parameters["low"]), math.floor(of.parameters["high"])
    return np.asarray(np.clip((np.floor(x) - first + 1) / (last - first + 1), 0, 1))


def _bounds(field: Field) -> tuple[float, float]:
    """The shares of the distribution below the lower bound, and up to the upper bound."""
    below, upto, whole = 0.0, 1.0, _whole(field)
    if field.low is not None:
        edge = math.ceil(field.low) - 0.5 if whole else field.low
        below = float(_share(field, np.array([edge]))[0])
    if field.high is not None:
        edge = math.floor(field.high) + 0.5 if whole else field.high
        upto = float(_share(field, np.array([edge]))[0])
    return below, upto


def share_between(field: Field) -> float:
    """The share of a column's distribution that lies within its bounds."""
    of = field.distribution
    assert of is not None
    low = cdf(of, np.array([field.low], dtype=float))[0] if field.low is not None else 0.0
    high = cdf(of, np.array([field.high], dtype=float))[0] if field.high is not None else 1.0
    return float(high - low)
