"""Tests whether a column is distributed, bounded and rounded as its spec asks."""

import ast
import datetime as dt
import math
import operator
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy import special

from sandbox.judging.check import ALPHA, SHOWN, Column, StatisticalCheck, listed, numbers
from sandbox.judging.curves import expected_cdf
from sandbox.spec import Correlation, Field

_FEW = 40  # rounded columns with at most this many different values get a chi-square test


def check_column(field: Field, values: Any, columns: Mapping[str, Any]) -> list[StatisticalCheck]:
    if field.role == "id":
        texts = [str(value) for value in listed(values)]
        return [_check_unique(field.name, texts)]
    if field.role == "date":
        return _check_dates(field, values)
    if field.role in ("category", "boolean"):
        return _check_choices(field, listed(values))
    x = numbers(field.name, values)
    if not np.isfinite(x).all():
        return [StatisticalCheck(f"{field.name}: numbers", False, "some are missing or not finite")]
    if field.role == "derived":
        return [_check_formula(field, x, columns)]
    checks = _check_bounds(field, x) + _check_decimals(field, x)
    if field.unique:
        checks.append(_check_unique(field.name, x.tolist()))
    elif field.distribution is not None:
        checks.append(_check_distribution(field, x))
    return checks


def _check_bounds(field: Field, x: Column) -> list[StatisticalCheck]:
    if field.low is None and field.high is None:
        return []
    low, high = float(x.min()), float(x.max())
    holds = (field.low is None or low >= field.low) and (field.high is None or high <= field.high)
    bounds = f"{_plain(field.low, '-inf')} to {_plain(field.high, 'inf')}"
    return [
        StatisticalCheck(f"{field.name}: bounds", holds, f"{low:g} to {high:g} within {bounds}")
    ]


def _check_decimals(field: Field, x: Column) -> list[StatisticalCheck]:
    if field.decimals is None:
        return []
    holds = bool(
        np.allclose(x, np.round(x, field.decimals), rtol=0, atol=1e-9 * max(1, np.abs(x).max()))
    )
    what = "whole numbers" if field.decimals == 0 else f"{field.decimals} decimals"
    return [
        StatisticalCheck(
            f"{field.name}: {what}", holds, "as requested" if holds else "some have more"
        )
    ]


def _check_unique(name: str, values: Sequence[Any]) -> StatisticalCheck:
    different = len(set(values))
    return StatisticalCheck(
        f"{name}: unique", different == len(values), f"{different} of {len(values)} differ"
    )


def _check_distribution(field: Field, x: Column) -> StatisticalCheck:
    of = field.distribution
    assert of is not None
    label = f"{field.name}: {of.family}"
    sample = f"mean {x.mean():.{SHOWN}g}, sd {x.std(ddof=1) if len(x) > 1 else 0:.{SHOWN}g}"
    values, counts = np.unique(x, return_counts=True)
    rounded = field.decimals is not None or of.discrete
    if rounded and len(values) <= _FEW:
        shares = np.diff(expected_cdf(field, _with_gaps(field, values)), prepend=0.0)
        return _chi2(label, _counted(field, values, counts), shares, sample)
    expected = expected_cdf(field, values)
    observed = np.cumsum(counts) / len(x)
    gaps = np.abs(observed - expected)
    if not rounded:  # compare the curves on both sides of each step of the sample
        below = np.concatenate([[0.0], observed[:-1]])
        steps = _steps(field)
        before = np.where(np.isin(values, steps), below, expected)
        gaps = np.maximum(gaps, np.abs(below - before))
    distance = float(gaps.max())
    p = float(special.kolmogorov(distance * (math.sqrt(len(x)) + 0.12 + 0.11 / math.sqrt(len(x)))))
    return StatisticalCheck(label, p > ALPHA, f"KS: {sample}", distance, p)


def _steps(field: Field) -> list[float]:
    """The bounds of a clipped column, at which many equal values lie."""
    return [b for b in (field.low, field.high) if b is not None] if field.clip else []


def _with_gaps(field: Field, values: Column) -> Column:
    step = 1.0 if field.decimals in (0, None) else 10.0**-field.decimals
    count = round(float(values[-1] - values[0]) / step) + 1
    return values if count > 10 * _FEW else np.round(values[0] + step * np.arange(count), 9)


def _counted(field: Field, values: Column, counts: Column) -> Column:
    grid = _with_gaps(field, values)
    complete = np.zeros(len(grid))
    complete[np.searchsorted(grid, np.round(values, 9)).clip(0, len(grid) - 1)] = counts
    return complete


def _chi2(label: str, counts: Column, shares: Column, sample: str) -> StatisticalCheck:
    """A chi-square test. Bins with few expected values are merged; the tail is one more bin."""
    total = counts.sum()
    shares = np.append(shares, max(1 - shares.sum(), 0.0))
    counts = np.append(counts, 0.0)
    seen, wanted = [0.0], [0.0]
    for count, share in zip(counts, shares, strict=True):
        if wanted[-1] >= 5:
            seen.append(0.0)
            wanted.append(0.0)
        seen[-1] += count
        wanted[-1] += share * total
    if len(wanted) > 1 and wanted[-1] < 5:
        last_seen, last_wanted = seen.pop(), wanted.pop()
        seen[-1] += last_seen
        wanted[-1] += last_wanted
    if len(wanted) < 2:
        return StatisticalCheck(label, True, f"too few values for a test: {sample}")
    statistic = float(sum((s - w) ** 2 / max(w, 1e-9) for s, w in zip(seen, wanted, strict=True)))
    p = float(special.chdtrc(len(wanted) - 1, statistic))
    return StatisticalCheck(label, p > ALPHA, f"chi-square: {sample}", statistic, p)


def _check_choices(field: Field, values: Sequence[Any]) -> list[StatisticalCheck]:
    of = field.distribution
    assert of is not None
    labels = [str(v).lower() if field.role == "boolean" else str(v) for v in values]
    others = sorted(set(labels) - set(of.labels))
    if others:
        return [
            StatisticalCheck(
                f"{field.name}: labels", False, f"{', '.join(others[:5])} are not in the request"
            )
        ]
    counted = Counter(labels)
    counts = np.array([counted[label] for label in of.labels], dtype=float)
    weights = np.array(of.weights)
    shares = zip(of.labels, counts / len(labels), strict=True)
    sample = ", ".join(f"{label} {share:.1%}" for label, share in shares)
    return [_chi2(f"{field.name}: shares", counts, weights, sample)]


def _check_dates(field: Field, values: Any) -> list[StatisticalCheck]:
    days = [dt.date.fromisoformat(str(value)[:10]) for value in listed(values)]
    first, last = dt.date.fromisoformat(field.start), dt.date.fromisoformat(field.end)
    holds = min(days) >= first and max(days) <= last
    return [
        StatisticalCheck(
            f"{field.name}: dates", holds, f"{min(days)} to {max(days)} within {first} to {last}"
        )
    ]


def check_correlation(correlation: Correlation, columns: Mapping[str, Any]) -> StatisticalCheck:
    x, y = (numbers(name, columns[name]) for name in (correlation.first, correlation.second))
    r = float(np.corrcoef(x, y)[0, 1])
    measured = r * r if correlation.measure == "r2" else r
    slack = max(0.02, 3 * (1 - min(abs(r), 1) ** 2) / math.sqrt(len(x)))
    holds = {
        "=": abs(measured - correlation.value) <= slack,
        ">": measured > correlation.value,
        "<": measured < correlation.value,
    }[correlation.relation]
    name = "R2" if correlation.measure == "r2" else "r"
    detail = f"{measured:.4f}, asked for {correlation.relation} {correlation.value:g}"
    if not holds:
        most = float(np.corrcoef(np.sort(x), np.sort(y))[0, 1])
        least = float(np.corrcoef(np.sort(x), np.sort(y)[::-1])[0, 1])
        detail += f"; columns with these distributions can reach {least:.3f} to {most:.3f}"
    return StatisticalCheck(
        f"{correlation.first} and {correlation.second}: {name}", holds, detail, measured
    )


_OPERATORS: Mapping[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}


def _computed(node: ast.expr, columns: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant(value) if isinstance(value, int | float):
            return float(value)
        case ast.Name(name):
            return numbers(name, columns[name])
        case ast.BinOp(left, op, right) if type(op) in _OPERATORS:
            with np.errstate(all="ignore"):
                return _OPERATORS[type(op)](_computed(left, columns), _computed(right, columns))
    raise ValueError(f"{ast.unparse(node)} is not arithmetic")


def _check_formula(field: Field, x: Column, columns: Mapping[str, Any]) -> StatisticalCheck:
    expected = _computed(ast.parse(field.formula, mode="eval").body, columns)
    slack = 0.5 * 10.0**-field.decimals if field.decimals is not None else 0.0
    holds = bool(np.allclose(x, expected, rtol=1e-6, atol=slack + 1e-9))
    return StatisticalCheck(
        f"{field.name}: {field.formula}",
        holds,
        "holds in every record" if holds else "does not hold",
    )


def _plain(value: float | None, otherwise: str) -> str:
    return otherwise if value is None else f"{value:g}"
