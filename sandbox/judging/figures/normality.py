"""Works out tests of normality again: Shapiro and Wilk by Royston's approximation, and KS."""

import math
from collections.abc import Callable, Mapping, Sequence

from scipy import special

from sandbox.judging.figures.descriptive import mean, sd
from sandbox.judging.figures.kolmogorov import distance_from, ks_above

# Royston (1995), algorithm AS R94: polynomials in 1/sqrt(n), in n, and in log(n).
_LAST = (0.0, 0.221157, -0.147981, -2.07119, 4.434685, -2.706056)
_LAST_BUT_ONE = (0.0, 0.042981, -0.293762, -1.752461, 5.682633, -3.582633)
_GAMMA = (-2.273, 0.459)
_SMALL_MEAN = (0.544, -0.39978, 0.025054, -6.714e-4)
_SMALL_SD = (1.3822, -0.77857, 0.062767, -0.0020322)
_LARGE_MEAN = (-1.5861, -0.31082, -0.083751, 0.0038915)
_LARGE_SD = (-0.4803, -0.082676, 0.0030302)


def shapiro(x: Sequence[float]) -> dict[str, float]:
    n = len(x)
    if n < 3 or min(x) == max(x):
        raise ValueError("a test of normality needs three values that differ")
    ordered, weights, centre = sorted(x), _weights(n), mean(x)
    fit = math.fsum(a * (value - centre) for a, value in zip(weights, ordered, strict=True))
    w = min(1.0, fit * fit / math.fsum((value - centre) ** 2 for value in x))
    return {"statistic": w, "p_value": _p_value(w, n)}


def _polynomial(coefficients: Sequence[float], at: float) -> float:
    return math.fsum(c * at**power for power, c in enumerate(coefficients))


def _weights(n: int) -> list[float]:
    """The weights of the sorted values: normal scores, of which the outer ones are corrected."""
    if n == 3:
        return [-math.sqrt(0.5), 0.0, math.sqrt(0.5)]
    scores = [float(special.ndtri((i - 0.375) / (n + 0.25))) for i in range(1, n + 1)]
    squares = math.fsum(score * score for score in scores)
    last = _polynomial(_LAST, 1 / math.sqrt(n)) + scores[-1] / math.sqrt(squares)
    outer = [last]
    if n > 5:
        near = _polynomial(_LAST_BUT_ONE, 1 / math.sqrt(n)) + scores[-2] / math.sqrt(squares)
        outer.append(near)
    kept = len(outer)
    left = squares - 2 * math.fsum(score * score for score in scores[-kept:])
    norm = math.sqrt(left / (1 - 2 * math.fsum(weight * weight for weight in outer)))
    inner = [score / norm for score in scores[kept : n - kept]]
    return [-weight for weight in outer] + inner + outer[::-1]


def _p_value(w: float, n: int) -> float:
    if n == 3:
        share = 6 / math.pi * (math.asin(math.sqrt(w)) - math.asin(math.sqrt(0.75)))
        return max(0.0, share)
    y = math.log1p(-w) if w < 1 else -math.inf
    if n <= 11:
        limit = _polynomial(_GAMMA, n)
        if y >= limit:
            return 1e-99
        y = -math.log(limit - y)
        centre, spread = _polynomial(_SMALL_MEAN, n), math.exp(_polynomial(_SMALL_SD, n))
    else:
        size = math.log(n)
        centre, spread = _polynomial(_LARGE_MEAN, size), math.exp(_polynomial(_LARGE_SD, size))
    return 0.5 * math.erfc((y - centre) / spread / math.sqrt(2))


def ks_normal(x: Sequence[float]) -> dict[str, float]:
    """The distance from the normal distribution with the sample's own mean and deviation."""
    centre, spread = mean(x), sd(x)
    curve = [0.5 * math.erfc((centre - value) / spread / math.sqrt(2)) for value in sorted(x)]
    distance = distance_from(curve)
    return {"statistic": distance, "p_value": ks_above(distance, len(x))}


NORMALITY: Mapping[str, Callable[..., dict[str, float]]] = {
    "shapiro": shapiro,
    "ks_normal": ks_normal,
}
