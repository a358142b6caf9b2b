"""Makes a distribution of the figures that a request gives for a column.

No parameter is guessed: it was read, or a convention fixes it. A figure that the family does not use is
an error.
"""

import math
from collections.abc import Callable, Mapping
from itertools import pairwise

from sandbox.reading.records_draft import Draft
from sandbox.reading.records_usual import lognormal_of
from sandbox.reading.rules import NotUnderstood
from sandbox.spec import Distribution

_Numbers = dict[str, list[float]]


def distribution_of(
    draft: Draft, name: str, low: float | None, high: float | None
) -> Distribution | None:
    """The distribution; None if the request gives no figure for it."""
    family = draft.family
    numbers = {key: list(values) for key, values in draft.numbers.items()}
    if family in ("", "uniform"):
        return _uniform(draft, name, low, high)
    if family == "mixture":
        return _mixture(numbers, name)
    if family == "triangular":
        return _triangular(draft, name, low, high)
    if not any(numbers.values()) and not draft.arguments and family != "standard_normal":
        return None
    for key, values in numbers.items():
        if len(values) > 1:
            raise NotUnderstood(f"{name} has {len(values)} values for its {key}")
    single = {key: values[0] for key, values in numbers.items()}
    if family == "pareto" and low is not None and "minimum" not in single:
        single["minimum"] = low
    of = _BUILD[family](single, draft.arguments)
    if of is None:
        raise NotUnderstood(f"the parameters of {name} ({family}) are not all given")
    if single:
        left = ", ".join(single)
        raise NotUnderstood(f"the {left} of {name} is not understood for a {family} distribution")
    return of


def _uniform(draft: Draft, name: str, low: float | None, high: float | None) -> Distribution | None:
    if draft.arguments:
        low, high = draft.arguments if len(draft.arguments) == 2 else (None, None)
    if draft.numbers:
        listed = ", ".join(draft.numbers)
        if draft.family:
            raise NotUnderstood(
                f"the {listed} of {name} is not understood for a uniform distribution"
            )
        raise NotUnderstood(f"it does not say which distribution {name} follows")
    if low is None or high is None:
        return None
    return Distribution("uniform", {"low": float(low), "high": float(high)})


def _triangular(
    draft: Draft, name: str, low: float | None, high: float | None
) -> Distribution | None:
    """By its two ends and its peak, in any order in brackets: the peak lies between the ends."""
    numbers = [value for values in draft.numbers.values() for value in values]
    ends = [value for value in (low, high) if value is not None]
    figures = sorted([*draft.arguments, *numbers, *ends])
    if not figures:
        return None
    named = draft.numbers.keys() == {"mode"} and len(numbers) == 1 and len(ends) == 2
    if len(figures) != 3 or not (named or (len(draft.arguments) == 3)):
        raise NotUnderstood(
            f"the lowest value, the mode and the highest value of {name} are needed"
        )
    least, mode, most = (low, numbers[0], high) if named else figures
    return Distribution("triangular", {"low": least, "mode": mode, "high": most})  # type: ignore[dict-item]


def _take(numbers: dict[str, float], *names: str) -> float | None:
    """Take the number with the first of these names; the others of these names stay."""
    return next((numbers.pop(name) for name in names if name in numbers), None)


_Single = dict[str, float]


def _moments(numbers: _Single, arguments: list[float]) -> tuple[float | None, float | None]:
    if len(arguments) == 2 and not numbers:
        return arguments[0], arguments[1]
    sd = _take(numbers, "sd", "sigma", "scale")
    variance = _take(numbers, "variance") if sd is None else None
    if variance is not None and variance >= 0:
        sd = math.sqrt(variance)
    return _take(numbers, "mean", "mu"), sd


def _normal(numbers: _Single, arguments: list[float]) -> Distribution | None:
    mean, sd = _moments(numbers, arguments)
    if mean is None or sd is None:
        return None
    return Distribution("normal", {"mean": mean, "sd": sd})


def _standard(numbers: _Single, arguments: list[float]) -> Distribution | None:
    if numbers.get("mean", 0) == 0 and numbers.get("sd", 1) == 1 and not arguments:
        numbers.clear()
    return Distribution("normal", {"mean": 0.0, "sd": 1.0})


def _lognormal(numbers: _Single, arguments: list[float]) -> Distribution | None:
    """By mu and sigma, by median and sigma, or by the values' own mean and sd."""
    if len(arguments) == 2 and not numbers:
        return Distribution("lognormal", {"mu": arguments[0], "sigma": arguments[1]})
    median = _take(numbers, "median")
    if median is not None:
        sigma = _take(numbers, "sigma", "shape")
        sd = _take(numbers, "sd") if sigma is None else None
        if sigma is None and sd is not None and median > 0:
            # The logarithm's variance v solves exp(v)(exp(v)-1) = (sd / median)**2. A tiny sd, such as
            # 0.5 beside a median of 40000, is that of the logarithm.
            ratio = (1 + math.sqrt(1 + 4 * (sd / median) ** 2)) / 2
            sigma = sd if sd / median < 0.02 else math.sqrt(math.log(ratio))
        if sigma is None or median <= 0:
            return None
        return Distribution("lognormal", {"mu": round(math.log(median), 12), "sigma": sigma})
    mu, sigma = numbers.get("mu"), numbers.get("sigma")
    if mu is not None and (sigma is not None or "sd" in numbers):
        _take(numbers, "mu")
        spread = _take(numbers, "sigma", "sd")
        return Distribution("lognormal", {"mu": mu, "sigma": spread or 0.0})
    if mu is not None or (sigma is not None and "mean" not in numbers):
        return None
    mean, sd = _take(numbers, "mean"), _take(numbers, "sd", "sigma")
    if mean is None or sd is None or mean <= 0 or sd <= 0:
        return None
    if sd <= 3 and mean <= 25 and sd < mean:
        raise NotUnderstood(
            f"are {mean:g} and {sd:g} of the values or of their logarithm? Write mu and sigma, "
            "or median and sigma"
        )
    return lognormal_of(mean, sd)


def _exponential(numbers: _Single, arguments: list[float]) -> Distribution | None:
    rate = _take(numbers, "rate")
    if rate is None and len(arguments) == 1 and not numbers:
        rate = arguments[0]  # the number in Exp(0.5) is a rate
    if rate is not None:
        return Distribution("exponential", {"mean": 1 / rate}) if rate else None
    mean = _take(numbers, "mean", "scale", "b")
    return None if mean is None else Distribution("exponential", {"mean": mean})


def _poisson(numbers: _Single, arguments: list[float]) -> Distribution | None:
    rate = _take(numbers, "rate", "mean", "mu")
    if rate is None and len(arguments) == 1:
        rate = arguments[0]
    return None if rate is None else Distribution("poisson", {"rate": rate})


def _binomial(numbers: _Single, arguments: list[float]) -> Distribution | None:
    if len(arguments) == 2 and not numbers:
        return Distribution("binomial", {"n": arguments[0], "p": arguments[1]})
    n, p = _take(numbers, "trials"), _take(numbers, "probability")
    return None if n is None or p is None else Distribution("binomial", {"n": n, "p": p})


def _bernoulli(numbers: _Single, arguments: list[float]) -> Distribution | None:
    p = _take(numbers, "probability", "mean")
    if p is None and len(arguments) == 1:
        p = arguments[0]
    return None if p is None else Distribution("binomial", {"n": 1.0, "p": p})


def _beta(numbers: _Single, arguments: list[float]) -> Distribution | None:
    if len(arguments) == 2 and not numbers:
        return Distribution("beta", {"a": arguments[0], "b": arguments[1]})
    a, b = _take(numbers, "alpha"), _take(numbers, "b")
    return None if a is None or b is None else Distribution("beta", {"a": a, "b": b})


def _gamma(numbers: _Single, arguments: list[float]) -> Distribution | None:
    if len(arguments) == 2 and not numbers:
        return Distribution("gamma", {"shape": arguments[0], "scale": arguments[1]})
    shape, scale = _take(numbers, "shape", "alpha"), _take(numbers, "scale")
    if shape is not None and scale is None:
        rate = _take(numbers, "rate", "b")
        mean = _take(numbers, "mean") if rate is None else None
        scale = 1 / rate if rate else mean / shape if mean else None
    elif shape is None and scale is None and numbers.keys() >= {"mean", "sd"}:
        mean, sd = numbers.pop("mean"), numbers.pop("sd")
        if mean > 0 and sd > 0:
            shape, scale = (mean / sd) ** 2, sd**2 / mean
    if shape is None or scale is None:
        return None
    return Distribution("gamma", {"shape": shape, "scale": scale})


def _pareto(numbers: _Single, arguments: list[float]) -> Distribution | None:
    if len(arguments) == 2 and not numbers:
        return Distribution("pareto", {"alpha": arguments[0], "minimum": arguments[1]})
    alpha, least = _take(numbers, "alpha", "shape"), _take(numbers, "minimum", "scale")
    if alpha is None:
        return None
    return Distribution("pareto", {"alpha": alpha, "minimum": 1.0 if least is None else least})


def _weibull(numbers: _Single, arguments: list[float]) -> Distribution | None:
    if len(arguments) == 2 and not numbers:
        return Distribution("weibull", {"shape": arguments[0], "scale": arguments[1]})
    shape, scale = _take(numbers, "shape"), _take(numbers, "scale", "rate")
    if shape is None:
        return None
    return Distribution("weibull", {"shape": shape, "scale": 1.0 if scale is None else scale})


_BUILD: Mapping[str, Callable[[_Single, list[float]], Distribution | None]] = {
    "normal": _normal, "standard_normal": _standard, "lognormal": _lognormal,
    "exponential": _exponential, "poisson": _poisson, "binomial": _binomial,
    "bernoulli": _bernoulli, "beta": _beta, "gamma": _gamma, "pareto": _pareto, "weibull": _weibull,
}  # fmt: skip


def _mixture(numbers: _Numbers, name: str) -> Distribution | None:
    means, weights = numbers.pop("mean", []), numbers.pop("weights", [])
    sds = numbers.pop("sd", []) + numbers.pop("sigma", [])
    if not means and not sds and not weights and not numbers:
        return None
    if len(means) > 1 and not sds and not numbers:
        ends = sorted(means)
        sds = [round(min(b - a for a, b in pairwise(ends)) / 6, 12)]
    if numbers or len(means) < 2 or len(sds) not in (1, len(means)):
        raise NotUnderstood(
            f"{name}: a mixture needs a mean and a standard deviation for each part"
        )
    sds = sds * len(means) if len(sds) == 1 else sds
    if len(weights) == len(means) - 1 and 0 < sum(weights) < 1:
        weights.append(1 - sum(weights))
    weights = weights or [1.0] * len(means)
    total = sum(weights)
    close = abs(total - 1) < 0.011 or abs(total - 100) < 1.1 or len(set(weights)) == 1
    if len(weights) != len(means) or total <= 0 or not close:
        raise NotUnderstood(f"{name}: the weights of the mixture do not fit its {len(means)} parts")
    parts = tuple(
        Distribution("normal", {"mean": mean, "sd": sd})
        for mean, sd in zip(means, sds, strict=True)
    )
    return Distribution(
        "mixture", parts=parts, weights=tuple(round(w / total, 12) for w in weights)
    )
