"""The distribution of the Kolmogorov-Smirnov distances, of one sample and between two.

Of one sample: the matrix of Durbin (Marsaglia, Tsang and Wang 2003), or for large samples the
series of Pelz and Good. Between two: paths on a grid, counted by where they first leave a band.
"""

import bisect
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from sandbox.judging.comparison import Estimate

Floats = Sequence[float]
Matrix = npt.NDArray[np.float64]
_LARGEST_MATRIX = 201  # beyond this size, the series is used
_EXACT_SAMPLES = 10_000  # values of the larger sample up to which the paths are counted
_SURE = 3.5  # n d² from which both sides are far in less than 1e-9 of the cases in which one is


def distance_from(curve: Floats) -> float:
    """The greatest distance of a sample's steps from its curve, whose values are sorted."""
    n = len(curve)
    return max(max((i + 1) / n - c, c - i / n) for i, c in enumerate(curve))


def ks_above(distance: float, n: int) -> float:
    """The probability that a sample's greatest distance is at least this."""
    if n * distance * distance > _SURE or distance >= 0.5:
        return min(1.0, 2 * float(special.smirnov(n, distance)))
    return 1 - ks_below(distance, n)


def ks_below(distance: float, n: int) -> float:
    """The probability that a sample's greatest distance is less than this."""
    if distance <= 0.5 / n:
        return 0.0
    if distance >= 1:
        return 1.0
    if 2 * math.ceil(n * distance) - 1 > _LARGEST_MATRIX:
        return _series(distance, n)
    return _durbin(distance, n)


def _durbin(distance: float, n: int) -> float:
    k = math.floor(n * distance) + 1
    h, size = k - n * distance, 2 * k - 1
    powers = h ** np.arange(1, size + 1)
    matrix = np.tril(np.ones((size, size)), 1)
    matrix[:, 0] -= powers
    matrix[-1, :] -= powers[::-1]
    matrix[-1, 0] += max(0.0, 2 * h - 1) ** size
    row, column = np.indices(matrix.shape)
    with np.errstate(all="ignore"):
        matrix *= np.exp(-special.gammaln(np.maximum(row - column + 1, 0) + 1))
    power, shift = _to_the_power(matrix, n)
    logarithm = special.gammaln(n + 1) - n * math.log(n) + shift
    return float(min(1.0, max(0.0, power[k - 1, k - 1] * math.exp(logarithm))))


def _to_the_power(matrix: Matrix, n: int) -> tuple[Matrix, float]:
    """matrix**n, divided by the exponential of the second number, so that nothing overflows."""
    result: Matrix = np.eye(len(matrix))
    shift, square, square_shift = 0.0, matrix, 0.0
    while n:
        if n & 1:
            result, shift = result @ square, shift + square_shift
            largest = float(np.abs(result).max())
            result, shift = result / largest, shift + math.log(largest)
        square, square_shift = square @ square, 2 * square_shift
        largest = float(np.abs(square).max())
        square, square_shift = square / largest, square_shift + math.log(largest)
        n >>= 1
    return result, shift


def _series(distance: float, n: int) -> float:
    """Pelz and Good (1976): the limit and its corrections to the order 1/n^(3/2)."""
    z = distance * math.sqrt(n)
    terms = range(-60, 61)
    halves = [(k + 0.5) ** 2 * math.pi**2 for k in terms]
    wholes = [k * k * math.pi**2 for k in terms]
    e_half = [math.exp(-of / (2 * z * z)) for of in halves]
    e_whole = [math.exp(-of / (2 * z * z)) for of in wholes]
    root = math.sqrt(math.pi / 2)
    k0 = root / z * math.fsum(e_half)
    k1 = root / (6 * z**4) * math.fsum((a - z * z) * e for a, e in zip(halves, e_half, strict=True))
    k2 = root / (72 * z**7) * math.fsum(
        (6 * z**6 + 2 * z**4 + (2 * z**4 - 5 * z * z) * a + (1 - 2 * z * z) * a * a) * e
        for a, e in zip(halves, e_half, strict=True)
    ) - root / (36 * z**3) * math.fsum(a * e for a, e in zip(wholes, e_whole, strict=True))
    k3 = root / (6480 * z**10) * math.fsum(
        (
            a**3 * (5 - 30 * z * z)
            + a * a * (-60 * z * z + 212 * z**4)
            + a * (135 * z**4 - 96 * z**6)
            - 30 * z**6
            - 90 * z**8
        )
        * e
        for a, e in zip(halves, e_half, strict=True)
    ) + root / (216 * z**6) * math.fsum(
        (3 * z * z * a - a * a) * e for a, e in zip(wholes, e_whole, strict=True)
    )
    return float(min(1.0, max(0.0, k0 + k1 / math.sqrt(n) + k2 / n + k3 / n**1.5)))


def ks_two(samples: Sequence[Floats]) -> dict[str, Any]:
    """The greatest distance between the steps of two samples."""
    first, second = sorted(samples[0]), sorted(samples[1])
    n, m = len(first), len(second)
    gaps = [  # in units of 1 / (n m), which are exact
        abs(m * bisect.bisect_right(first, at) - n * bisect.bisect_right(second, at))
        for at in (*first, *second)
    ]
    widest = max(gaps)
    if widest == n == m:  # nothing is nearer, and scipy then gives a limit near 1 for the certainty
        return {"statistic": 1 / n, "p_value": Estimate(1.0, 5e-5)}
    if max(n, m) <= _EXACT_SAMPLES:
        p = _paths_that_reach(widest, n, m)
    else:
        p = ks_above(widest / (n * m), round(n * m / (n + m)))
    return {"statistic": widest / (n * m), "p_value": min(1.0, max(0.0, p))}


def _paths_that_reach(widest: int, n: int, m: int) -> float:
    """The chance that |m i - n j| reaches `widest`, if i of n and j of m values have come so far.

    Only the chances of the orders that never reached it are kept, for each i. What reaches it is
    added up, so that small chances keep all their digits.
    """
    if widest == 0:
        return 1.0
    kept, low, reached = np.ones(1), 0, 0.0
    for come in range(n + m):
        i = np.arange(low, low + len(kept))
        of_first = kept * (n - i) / (n + m - come)
        moved = np.append(kept - of_first, 0.0)
        moved[1:] += of_first
        least = max(low, (n * (come + 1) - widest) // (n + m) + 1)
        most = min(low + len(kept), -((-n * (come + 1) - widest) // (n + m)) - 1)
        kept = moved[least - low : most + 1 - low]
        reached += float(moved[: least - low].sum() + moved[most + 1 - low :].sum())
        low = least
    return reached
