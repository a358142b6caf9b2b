"""Works out correlations and regressions again, with exactly rounded sums of products."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sandbox.judging.comparison import Estimate
from sandbox.judging.figures.descriptive import mean
from sandbox.judging.figures.ranks import kendall, ranks, wilcoxon
from sandbox.judging.figures.samples import ttest_paired
from sandbox.judging.figures.tails import r_two_sided, t_two_sided

Floats = Sequence[float]
_SINGULAR = 1e-11  # share of a column that the others leave unexplained; below, they determine it


def _centred(x: Floats) -> list[float]:
    centre = mean(x)
    return [value - centre for value in x]


def _dot(x: Floats, y: Floats) -> float:
    return math.fsum(a * b for a, b in zip(x, y, strict=True))


def covariance(x: Floats, y: Floats) -> float:
    return _dot(_centred(x), _centred(y)) / (len(x) - 1)


def _r(x: Floats, y: Floats) -> float:
    dx, dy = _centred(x), _centred(y)
    r = _dot(dx, dy) / math.sqrt(_dot(dx, dx)) / math.sqrt(_dot(dy, dy))
    return max(-1.0, min(1.0, r))


def correlation(x: Floats, y: Floats) -> dict[str, Any]:
    r = _r(x, y)
    return {"r": round(r) if len(x) == 2 else r, "p_value": _chance(r_two_sided(r, len(x)))}


def _chance(p: float) -> Estimate:
    """A p-value near 0, of a fit that is perfect but for rounding errors, has few right digits."""
    return Estimate(p, 1e-8 + 1e-9 * p)


def spearman(x: Floats, y: Floats) -> dict[str, Any]:
    rho = _r(ranks(x), ranks(y))
    return {"rho": rho, "p_value": _chance(r_two_sided(rho, len(x)))}


def regression(
    y: Floats, given: Mapping[str, Floats], *, at: float | None = None
) -> dict[str, Any]:
    """Least squares by the normal equations of the centred columns."""
    left = [_centred(x) for x in given.values()]
    slopes = _solved(left, _centred(y))
    # One step of refinement: the equations are solved once more for what the first solution leaves.
    for i, correction in enumerate(_solved(left, _residuals(left, slopes, _centred(y)))):
        slopes[i] += correction
    rest = _residuals(left, slopes, _centred(y))
    intercept = mean(y) - math.fsum(
        b * mean(x) for b, x in zip(slopes, given.values(), strict=True)
    )
    total, unexplained = _dot(_centred(y), _centred(y)), _dot(rest, rest)
    figures: dict[str, Any] = {"intercept": intercept, "r2": 1 - unexplained / total}
    if len(slopes) > 1:
        return figures | {"slopes": dict(zip(given, slopes, strict=True))}
    (slope,), (x,) = slopes, left
    figures |= {"slope": slope} | _uncertainty(slope, unexplained, _dot(x, x), len(y))
    return figures if at is None else figures | {"predicted": intercept + slope * at}


def _uncertainty(slope: float, unexplained: float, spread: float, n: int) -> dict[str, Any]:
    if n == 2:
        return {"slope_error": 0.0, "p_value": 0.0 if slope else 1.0}
    error = math.sqrt(unexplained / (n - 2) / spread)
    p = t_two_sided(slope / error, n - 2) if error else float(slope == 0)
    return {"slope_error": error, "p_value": _chance(p)}


def _residuals(columns: Sequence[Floats], slopes: Floats, y: Floats) -> list[float]:
    return [
        math.fsum((of, *(-b * v for b, v in zip(slopes, row, strict=True))))
        for of, *row in zip(y, *columns, strict=True)
    ]


def _solved(columns: Sequence[Floats], y: Floats) -> list[float]:
    """Gaussian elimination, largest pivot first."""
    size = len(columns)
    rows = [[_dot(a, b) for b in columns] + [_dot(a, y)] for a in columns]
    scale = [rows[i][i] for i in range(size)]
    for i in range(size):
        best = max(range(i, size), key=lambda k: abs(rows[k][i]) / (scale[k] or 1))
        rows[i], rows[best], scale[i], scale[best] = rows[best], rows[i], scale[best], scale[i]
        if not abs(rows[i][i]) > _SINGULAR * scale[i]:
            raise ValueError("the columns determine each other, so that there is no one solution")
        for k in range(i + 1, size):
            share = rows[k][i] / rows[i][i]
            rows[k] = [a - share * b for a, b in zip(rows[k], rows[i], strict=True)]
    solution = [0.0] * size
    for i in reversed(range(size)):
        solved = math.fsum(rows[i][k] * solution[k] for k in range(i + 1, size))
        solution[i] = (rows[i][size] - solved) / rows[i][i]
    return solution


OF_TWO: Mapping[str, Callable[..., Any]] = {
    "correlation": correlation,
    "spearman": spearman,
    "kendall": kendall,
    "covariance": covariance,
    "ttest_paired": ttest_paired,
    "wilcoxon": wilcoxon,
}
