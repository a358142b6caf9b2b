"""Draws columns that are right for their fields: every family, bounds, roundings, labels, dates.

They are drawn by numpy from the field's words, not by the programs that are judged.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from sandbox.spec import Distribution, Field

Values = npt.NDArray[Any]
_TRIES = 3000  # draws of the values that lie outside their bounds


def _normal(mean: float, sd: float) -> Distribution:
    return Distribution("normal", {"mean": mean, "sd": sd})


NUMBERS = (
    _normal(35.0, 12.0),
    Distribution("lognormal", {"mu": 10.8, "sigma": 0.5}),
    Distribution("lognormal", {"mu": 2.0, "sigma": 1.5}),
    Distribution("uniform", {"low": 0.0, "high": 1.0}),
    Distribution("uniform", {"low": -10.0, "high": 35.0}),
    Distribution("exponential", {"mean": 12.0}),
    Distribution("poisson", {"rate": 0.05}),
    Distribution("poisson", {"rate": 2.5}),
    Distribution("poisson", {"rate": 40.0}),
    Distribution("binomial", {"n": 1.0, "p": 0.02}),
    Distribution("binomial", {"n": 10.0, "p": 0.5}),
    Distribution("beta", {"a": 2.0, "b": 5.0}),
    Distribution("beta", {"a": 0.5, "b": 0.5}),
    Distribution("gamma", {"shape": 2.0, "scale": 3.0}),
    Distribution("pareto", {"alpha": 1.5, "minimum": 1000.0}),
    Distribution("weibull", {"shape": 1.5, "scale": 1000.0}),
    Distribution("triangular", {"low": 2.0, "mode": 5.0, "high": 11.0}),
    Distribution("mixture", weights=(0.6, 0.4), parts=(_normal(20.0, 5.0), _normal(45.0, 8.0))),
)
_DRAWS: Mapping[str, Callable[[np.random.Generator, Mapping[str, float], int], Values]] = {
    "normal": lambda rng, p, n: rng.normal(p["mean"], p["sd"], n),
    "lognormal": lambda rng, p, n: rng.lognormal(p["mu"], p["sigma"], n),
    "uniform": lambda rng, p, n: rng.uniform(p["low"], p["high"], n),
    "exponential": lambda rng, p, n: rng.exponential(p["mean"], n),
    "poisson": lambda rng, p, n: rng.poisson(p["rate"], n).astype(float),
    "binomial": lambda rng, p, n: rng.binomial(int(p["n"]), p["p"], n).astype(float),
    "beta": lambda rng, p, n: rng.beta(p["a"], p["b"], n),
    "gamma": lambda rng, p, n: rng.gamma(p["shape"], p["scale"], n),
    "pareto": lambda rng, p, n: p["minimum"] * (1 + rng.pareto(p["alpha"], n)),
    "weibull": lambda rng, p, n: p["scale"] * rng.weibull(p["shape"], n),
    "triangular": lambda rng, p, n: rng.triangular(p["low"], p["mode"], p["high"], n),
}


def draw(rng: np.random.Generator, of: Distribution, n: int) -> Values:
    if of.family != "mixture":
        return _DRAWS[of.family](rng, of.parameters, n)
    parts = np.array([draw(rng, part, n) for part in of.parts])
    choice = rng.choice(len(of.parts), n, p=of.weights)
    return np.asarray(parts[choice, np.arange(n)])


def right_column(rng: np.random.Generator, name: str, n: int) -> tuple[Field, Any]:
    """A field drawn by chance, and values that are right for it."""
    kind = rng.choice(["number", "whole", "category", "date"], p=[0.7, 0.08, 0.15, 0.07])
    if kind == "category":
        return _category(rng, name, n)
    if kind == "date":
        days = int(rng.choice([7, 30, 365, 2000]))
        first = np.datetime64("2023-01-01")
        field = Field(name, "date", start=str(first), end=str(first + days - 1))
        return field, first + rng.integers(0, days, n)
    if kind == "whole":
        return _whole(rng, name, n)
    of = NUMBERS[rng.integers(len(NUMBERS))]
    return _number(rng, name, of, n)


def _category(rng: np.random.Generator, name: str, n: int) -> tuple[Field, list[str]]:
    count = int(rng.integers(2, 8))
    weights = np.full(count, 1 / count) if rng.random() < 0.4 else rng.dirichlet(np.ones(count))
    labels = tuple("abcdefgh"[:count])
    of = Distribution("categorical", {}, labels, tuple(weights.tolist()))
    return Field(name, "category", of), rng.choice(labels, n, p=weights).tolist()


def _whole(rng: np.random.Generator, name: str, n: int) -> tuple[Field, Values]:
    low, high = ((1, 6), (0, 100), (1, 1000), (0, 1))[rng.integers(4)]
    of = Distribution("uniform", {"low": float(low), "high": float(high)})
    if high - low + 1 >= n and rng.random() < 0.3:
        drawn = rng.choice(np.arange(low, high + 1), n, replace=False)
        return Field(name, "number", of, decimals=0, unique=True), drawn
    return Field(name, "number", of, decimals=0), rng.integers(low, high + 1, n)


def _number(rng: np.random.Generator, name: str, of: Distribution, n: int) -> tuple[Field, Values]:
    """Bounds cut off up to a tenth on each side. Values are rounded as stated, finely, or not."""
    small = of.family == "beta" or of.parameters.get("high") == 1.0
    unit = 2 if small else 0  # decimals of the bounds, which every stated rounding can express
    ends = np.quantile(draw(rng, of, 400), [0.1, 0.9])
    low = round(math.floor(ends[0] * 10**unit) / 10**unit, unit) if rng.random() < 0.3 else None
    high = round(math.ceil(ends[1] * 10**unit) / 10**unit, unit) if rng.random() < 0.3 else None
    if low is not None and high is not None and high - low < 2 and not small:
        low = None
    if of.discrete:
        decimals = 0 if rng.random() < 0.5 else None
    else:
        decimals = int(rng.integers(unit, unit + 4)) if rng.random() < 0.5 else None
        if of.family == "uniform" and decimals == 0:
            decimals = 1  # whole uniform numbers are drawn by `_whole`
    clip = bool(rng.random() < 0.5)
    values = _bounded(rng, of, n, low, high, clip=clip)
    if decimals is not None:
        values = np.round(values, decimals)
    elif not of.discrete and rng.random() < 0.5:
        values = np.round(values, unit + 4)
    return Field(name, "number", of, low, high, clip, decimals), values


def _bounded(
    rng: np.random.Generator,
    of: Distribution,
    n: int,
    low: float | None,
    high: float | None,
    *,
    clip: bool,
) -> Values:
    values = draw(rng, of, n)
    least, most = -math.inf if low is None else low, math.inf if high is None else high
    if clip:
        return np.clip(values, least, most)
    for _ in range(_TRIES):
        outside = (values < least) | (values > most)
        if not outside.any():
            break
        values[outside] = draw(rng, of, int(outside.sum()))
    return values


def right_table(
    rng: np.random.Generator, n: int, columns: int
) -> tuple[tuple[Field, ...], dict[str, Any]]:
    drawn: Sequence[tuple[Field, Any]] = [
        right_column(rng, f"column_{i}", n) for i in range(columns)
    ]
    return tuple(field for field, _ in drawn), {field.name: values for field, values in drawn}
