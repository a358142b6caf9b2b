"""Checks whether figures computed from given data are present, possible and correct."""

import itertools
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from sandbox.judging.check import SHOWN, StatisticalCheck
from sandbox.spec import Spec

_MOST_FIGURES = 100_000


def check_figures(spec: Spec, result: Any) -> list[StatisticalCheck]:
    """Check that every figure is possible, and compute again those that have a short definition."""
    if not isinstance(result, dict) or not result:
        return [
            StatisticalCheck(
                "shape", False, f"the result is a {type(result).__name__}, not figures"
            )
        ]
    numbers = list(itertools.islice(_leaves(result), _MOST_FIGURES + 1))
    if len(numbers) > _MOST_FIGURES:
        return [StatisticalCheck("figures", False, f"more than {_MOST_FIGURES} figures")]
    finite = bool(numbers) and all(math.isfinite(n) for _, n in numbers)
    checks = [
        StatisticalCheck(
            "figures", finite, f"{len(numbers)} figures" if finite else "some are not finite"
        )
    ]
    for name, value in numbers:
        if name == "p_value" and not -1e-9 <= value <= 1 + 1e-9:
            checks.append(StatisticalCheck("p_value", False, f"{value:g} is not a probability"))
        if name in ("r", "rho", "tau") and abs(value) > 1 + 1e-9:
            checks.append(StatisticalCheck(name, False, f"{value:g} is not a correlation"))
    for analysis in spec.analyses:
        definition = _DEFINITIONS.get(analysis.method)
        if (
            definition is None
            or analysis.by
            or len(analysis.columns) != 1 + (analysis.method in _OF_TWO_COLUMNS)
        ):
            continue
        expected = definition(*_rows(spec, analysis.columns), dict(analysis.parameters))
        figure = _figure(result, analysis.method)
        slack = 0.51 * 10.0**-spec.decimals if spec.decimals is not None else 0.0
        holds = figure is not None and math.isclose(
            figure, expected, rel_tol=1e-6, abs_tol=slack + 1e-9
        )
        measured = "missing" if figure is None else f"{figure:.{SHOWN}g}"
        checks.append(
            StatisticalCheck(
                analysis.method, holds, f"{measured}, recomputed: {expected:.{SHOWN}g}"
            )
        )
    return checks


def _leaves(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, key)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item, name)
    elif isinstance(value, np.ndarray):
        for item in value.flat:
            yield name, float(item)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield name, float(value)


def _figure(result: Mapping[str, Any], method: str) -> float | None:
    figure = result.get(method)
    if isinstance(figure, dict):
        figure = next(iter(figure.values()), None)
    return float(figure) if isinstance(figure, int | float) else None


def _rows(spec: Spec, names: Sequence[str]) -> list[list[float]]:
    rows = [row for row in zip(*(spec.data[n] for n in names), strict=True) if None not in row]
    return [[float(value) for value in column] for column in zip(*rows, strict=True)]


_OF_TWO_COLUMNS = frozenset({"correlation", "covariance"})
_DEFINITIONS: Mapping[str, Callable[..., float]] = {
    "mean": lambda x, _: statistics.fmean(x),
    "median": lambda x, _: statistics.median(x),
    "sd": lambda x, given: (statistics.pstdev if given.get("ddof") == 0 else statistics.stdev)(x),
    "variance": lambda x, given: (
        statistics.pvariance if given.get("ddof") == 0 else statistics.variance
    )(x),
    "minimum": lambda x, _: min(x),
    "maximum": lambda x, _: max(x),
    "range": lambda x, _: max(x) - min(x),
    "sum": lambda x, _: math.fsum(x),
    "count": lambda x, _: len(x),
    "correlation": lambda x, y, _: statistics.correlation(x, y),
    "covariance": lambda x, y, _: statistics.covariance(x, y),
}
