"""Tests whether the scores of one column are uniform: in all, on average, at the ends, in gaps.

A sample that fits too well is as impossible as one that does not fit: a grid of quantiles fails.
"""

import math

import numpy as np
from scipy import special

from sandbox.judging.check import Column
from sandbox.judging.figures.kolmogorov import ks_above, ks_below
from sandbox.judging.samples.measurement import Measurement
from sandbox.judging.samples.scores import Scores
from sandbox.spec import Distribution

_CLEAR = 0.02  # a p-value above this is not worth an exact computation
_RESOLUTION = 1e-15  # of a score
_TOO_FEW = "with {n} values this test can hardly fail"


def two_sided(below: float, above: float) -> float:
    return min(1.0, 2 * min(below, above))


def fit(name: str, ordered: Column, detail: str) -> Measurement:
    """Kolmogorov and Smirnov's distance, which may be neither too large nor too small."""
    n = len(ordered)
    steps = np.arange(n + 1) / n
    distance = float(max((steps[1:] - ordered).max(), (ordered - steps[:-1]).max()))
    p = 2 * min(_far(distance, n), _near(distance, n))

    def power(alpha: float) -> str:
        missed = math.sqrt(math.log(4 / alpha) / (2 * n))
        if missed >= 0.5:
            return _TOO_FEW.format(n=n)
        return f"at n = {n} a distribution that is off by {missed:.2g} passes half the time"

    return Measurement(name, f"KS: {detail}", distance, p, power)


def _far(distance: float, n: int) -> float:
    root = math.sqrt(n)
    p = float(special.kolmogorov(root * distance + 1 / (6 * root)))
    return p if p > _CLEAR else ks_above(distance, n)


def _near(distance: float, n: int) -> float:
    p = 1 - float(special.kolmogorov(math.sqrt(n) * distance))
    return p if p > _CLEAR and n > 20 else ks_below(distance, n)


def mean(name: str, normal: Column, of: Distribution | None) -> Measurement:
    n = len(normal)
    z = float(normal.mean()) * math.sqrt(n)

    def power(alpha: float) -> str:
        reach = -float(special.ndtri(alpha / 2)) / math.sqrt(n)
        if of is not None and of.family == "normal":
            centre, missed = of.parameters["mean"], reach * of.parameters["sd"]
            wrong = f"a mean of {centre + missed:.4g} for {centre:.4g}"
        else:
            wrong = f"a shift by {reach:.2g} standard deviations"
        return _missed(n, wrong, hardly=reach > 1)

    detail = f"{z:+.2f} standard errors from what was asked for"
    return Measurement(name, detail, z, 2 * float(special.ndtr(-abs(z))), power)


def spread(name: str, normal: Column, of: Distribution | None) -> Measurement:
    n = len(normal)
    squares = float(((normal - normal.mean()) ** 2).sum())
    p = two_sided(float(special.chdtr(n - 1, squares)), float(special.chdtrc(n - 1, squares)))
    ratio = math.sqrt(squares / (n - 1))

    def power(alpha: float) -> str:
        most = float(special.chdtri(n - 1, alpha / 2))
        middle = float(special.chdtri(n - 1, 0.5))
        times = math.sqrt(most / middle)
        if of is not None and of.family == "normal":
            sd = of.parameters["sd"]
            wrong = f"an sd of {times * sd:.3g} for {sd:.3g}"
        else:
            wrong = f"a spread {times:.3g} times as wide"
        return _missed(n, wrong, hardly=times > 2)

    detail = f"{ratio:.3f} times the spread that was asked for"
    return Measurement(name, detail, ratio, p, power)


def extremes(name: str, ordered: Column) -> Measurement:
    """The smallest and the largest score, which may lie neither too far out nor too far inside."""
    n = len(ordered)
    ends = (float(ordered[0]), float(1 - ordered[-1]))
    inside = [math.exp(n * math.log1p(-end)) for end in ends]
    outside = [-math.expm1(n * math.log1p(-end)) for end in ends]
    p = min(1.0, 4 * min(*inside, *outside))

    def power(alpha: float) -> str:
        return (
            f"at n = {n} an outlier passes up to one that comes once in {4 * n / alpha:.1g} draws"
        )

    detail = f"outer shares {ends[0]:.2g} and {ends[1]:.2g} of about {1 / n:.2g}"
    return Measurement(name, detail, min(ends), p, power)


def gaps(name: str, ordered: Column) -> Measurement:
    """The smallest of the gaps: 0 if values repeat, and the mean gap if they form a grid."""
    n = len(ordered)
    count, width = n - 1, float(ordered[-1] - ordered[0])
    smallest = max(float(np.diff(ordered).min()), _RESOLUTION) / max(width, _RESOLUTION)
    share = min(1.0, count * smallest)
    above = (1 - share) ** (count - 1)
    p = two_sided(above, -math.expm1((count - 1) * math.log1p(-share)) if share < 1 else 1.0)

    def power(alpha: float) -> str:
        most = 1 - (alpha / 2) ** (1 / (count - 1)) if count > 1 else 1.0
        if most > 0.9:
            return _TOO_FEW.format(n=n)
        return f"at n = {n} a grid passes if it is jittered by {1 - most:.2g} of its step"

    what = "values repeat" if smallest <= 2 * _RESOLUTION else f"{share:.2g} of the mean gap"
    return Measurement(name, f"smallest gap: {what}", share, p, power)


def repeats(name: str, x: Column, chances: Column) -> Measurement:
    """The pairs of equal values, compared with the number that the rounding makes likely."""
    n = len(x)
    counts = np.unique(x, return_counts=True)[1]
    pairs = float((counts * (counts - 1.0)).sum() / 2)
    likely = n * (n - 1) / 2 * float(chances.mean())
    apart = chances - chances.mean()
    variance = likely + n**3 / 4 * float((apart**2).mean())
    # Three equal values are three pairs at once, and likely values attract pairs: both skew.
    third = likely + n**3 * float((chances**2).mean()) + n**4 / 8 * float((apart**3).mean())
    below, above = _pearson3(pairs, likely, variance, max(third, likely))

    def power(alpha: float) -> str:
        reach = -float(special.ndtri(alpha / 2)) * math.sqrt(variance)
        return f"at n = {n} up to about {likely + reach + 2:.0f} pairs of equal values pass"

    detail = f"{pairs:.0f} pairs of equal values, about {likely:.3g} expected"
    return Measurement(name, detail, pairs, two_sided(below, above), power)


def _pearson3(count: float, middle: float, variance: float, third: float) -> tuple[float, float]:
    """The chances of at most, and of at least, a count: a gamma distribution with three moments."""
    if third <= 0:  # no value can occur, and none may
        return 1.0, 0.0 if count else 1.0
    shape = 4 * variance**3 / third**2
    scale = third / (2 * variance)
    origin = middle - shape * scale
    at_most, at_least = (max(0.0, count + half - origin) / scale for half in (0.5, -0.5))
    return float(special.gammainc(shape, at_most)), float(special.gammaincc(shape, at_least))


def _missed(n: int, wrong: str, *, hardly: bool) -> str:
    if hardly:
        return f"{_TOO_FEW.format(n=n)}: {wrong} passes half the time"
    return f"at n = {n} {wrong} passes half the time"


def normal_scores(scores: Scores) -> Column:
    return np.asarray(special.ndtri(scores.uniform))
