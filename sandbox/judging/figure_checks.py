"""Figures worked out of given data: there, possible, and the same when worked out again."""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sandbox.judging.check import SHOWN, StatisticalCheck
from sandbox.spec import Spec


def of_analysis(spec: Spec, result: Any) -> list[StatisticalCheck]:
    """That each figure is there and can be; those with a short definition are worked out again."""
    if not isinstance(result, dict) or not result:
        return [
            StatisticalCheck(
                "shape", False, f"the result is a {type(result).__name__}, and no figures"
            )
        ]
    numbers = list(_leaves(result))
    finite = bool(numbers) and all(math.isfinite(n) for _, n in numbers)
    checks = [
        StatisticalCheck(
            "figures", finite, f"{len(numbers)} figures" if finite else "some are not finite"
        )
    ]
    for name, value in numbers:
        if name == "p_value" and not -1e-9 <= value <= 1 + 1e-9:
            checks.append(StatisticalCheck("p_value", False, f"{value:g} is no probability"))
        if name in ("r", "rho", "tau") and abs(value) > 1 + 1e-9:
            checks.append(StatisticalCheck(name, False, f"{value:g} is no correlation"))
    for each in spec.analyses:
        again = _AGAIN.get(each.method)
        if again is None or each.by or len(each.columns) != 1 + (each.method in _PAIRS):
            continue
        expected = again(*_rows(spec, each.columns), dict(each.parameters))
        found = _figure(result, each.method)
        slack = 0.51 * 10.0**-spec.decimals if spec.decimals is not None else 0.0
        holds = found is not None and math.isclose(
            found, expected, rel_tol=1e-6, abs_tol=slack + 1e-9
        )
        told = "not there" if found is None else f"{found:.{SHOWN}g}"
        checks.append(
            StatisticalCheck(each.method, holds, f"{told}, worked out again: {expected:.{SHOWN}g}")
        )
    return checks


def _leaves(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, key)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item, name)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield name, float(value)


def _figure(result: Mapping[str, Any], method: str) -> float | None:
    found = result.get(method)
    if isinstance(found, dict):
        found = next(iter(found.values()), None)
    return float(found) if isinstance(found, int | float) else None


def _rows(spec: Spec, names: Sequence[str]) -> list[list[float]]:
    rows = [row for row in zip(*(spec.data[n] for n in names), strict=True) if None not in row]
    return [[float(value) for value in column] for column in zip(*rows, strict=True)]


_PAIRS = frozenset({"correlation", "covariance"})
_AGAIN: Mapping[str, Callable[..., float]] = {
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
