"""Is a result what was asked for? Judged outside the sandbox, by statistics that trust nobody.

Each check stands alone and says what it measured. A sample that is right fails a test of chance
once in a thousand runs of it; the author is then asked again, with another seed.
"""

import ast
import datetime as dt
import math
import operator
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from sandbox.curves import of_field
from sandbox.spec import Correlation, Field, Series, Spec

_ALPHA = 0.001
_FEW = 40  # different values: below, each is counted
_SHOWN = 6  # significant digits

Column = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold, whether it does, and what was measured."""

    name: str
    holds: bool
    detail: str
    statistic: float | None = None
    p_value: float | None = None


@dataclass(frozen=True, slots=True)
class Verification:
    checks: tuple[Check, ...]

    @property
    def holds(self) -> bool:
        return bool(self.checks) and all(check.holds for check in self.checks)

    @property
    def failed(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if not check.holds)

    @property
    def score(self) -> float:
        """Of the checks, how many hold: what telemetry remembers as quality."""
        return sum(check.holds for check in self.checks) / max(len(self.checks), 1)

    def told(self) -> dict[str, Any]:
        checks = [{k: v for k, v in asdict(c).items() if v is not None} for c in self.checks]
        return {"verified": self.holds, "checks": checks}


def verified(spec: Spec, result: Any) -> Verification:
    try:
        checks = _of_analysis(spec, result) if spec.kind == "analyse" else _of_data(spec, result)
    except (TypeError, ValueError, OverflowError, KeyError, IndexError) as error:
        checks = [Check("shape", False, f"the result cannot be read: {error}")]
    return Verification(tuple(checks))


def columns_of(result: Any) -> dict[str, Any]:
    """A dict of columns, or a list of records, as columns."""
    if isinstance(result, dict) and len(result) == 1:
        (only,) = result.values()
        if isinstance(only, list) and only and isinstance(only[0], dict):
            result = only
    if isinstance(result, list) and result and all(isinstance(row, dict) for row in result):
        return {name: [row.get(name) for row in result] for name in result[0]}
    if isinstance(result, dict):
        return dict(result)
    raise TypeError(f"the result is a {type(result).__name__}, and no columns")


def _of_data(spec: Spec, result: Any) -> list[Check]:
    if spec.series is not None:
        return _of_series(spec.count, spec.series, columns_of(result))
    columns = columns_of(result)
    wanted = [field for field in spec.fields if field.role != "text"]
    missing = [field.name for field in wanted if field.name not in columns]
    if missing:
        return [Check("columns", False, f"{', '.join(missing)} missing; there are {list(columns)}")]
    lengths = {name: len(columns[name]) for name in (field.name for field in wanted)}
    checks = [
        Check("count", set(lengths.values()) == {spec.count}, f"{lengths}, asked for {spec.count}")
    ]
    if not checks[0].holds:
        return checks
    for field in wanted:
        checks += _of_column(field, columns[field.name], columns)
    for correlation in spec.correlations:
        checks.append(_of_correlation(correlation, columns))
    return checks


def _of_column(field: Field, values: Any, columns: Mapping[str, Any]) -> list[Check]:
    if field.role == "id":
        texts = [str(value) for value in _listed(values)]
        return [_distinct(field.name, texts)]
    if field.role == "date":
        return _of_dates(field, values)
    if field.role in ("category", "boolean"):
        return _of_choices(field, _listed(values))
    x = np.asarray(values, dtype=np.float64)
    if not np.isfinite(x).all():
        return [Check(f"{field.name}: numbers", False, "some are missing or not finite")]
    if field.role == "derived":
        return [_of_formula(field, x, columns)]
    checks = _of_bounds(field, x) + _of_decimals(field, x)
    if field.unique:
        checks.append(_distinct(field.name, x.tolist()))
    elif field.distribution is not None:
        checks.append(_of_distribution(field, x))
    return checks


def _of_bounds(field: Field, x: Column) -> list[Check]:
    if field.low is None and field.high is None:
        return []
    low, high = float(x.min()), float(x.max())
    holds = (field.low is None or low >= field.low) and (field.high is None or high <= field.high)
    bounds = f"{_plain(field.low, '-inf')} to {_plain(field.high, 'inf')}"
    return [Check(f"{field.name}: bounds", holds, f"{low:g} to {high:g} within {bounds}")]


def _of_decimals(field: Field, x: Column) -> list[Check]:
    if field.decimals is None:
        return []
    holds = bool(
        np.allclose(x, np.round(x, field.decimals), rtol=0, atol=1e-9 * max(1, np.abs(x).max()))
    )
    what = "whole numbers" if field.decimals == 0 else f"{field.decimals} decimals"
    return [Check(f"{field.name}: {what}", holds, "as asked" if holds else "some have more")]


def _distinct(name: str, values: Sequence[Any]) -> Check:
    different = len(set(values))
    return Check(
        f"{name}: unique", different == len(values), f"{different} of {len(values)} differ"
    )


def _of_distribution(field: Field, x: Column) -> Check:
    of = field.distribution
    assert of is not None
    label = f"{field.name}: {of.family}"
    sample = f"mean {x.mean():.{_SHOWN}g}, sd {x.std(ddof=1) if len(x) > 1 else 0:.{_SHOWN}g}"
    values, counts = np.unique(x, return_counts=True)
    rounded = field.decimals is not None or of.discrete
    if rounded and len(values) <= _FEW:
        shares = np.diff(of_field(field, _with_gaps(field, values)), prepend=0.0)
        return _chi2(label, _counted(field, values, counts), shares, sample)
    expected = of_field(field, values)
    observed = np.cumsum(counts) / len(x)
    gaps = np.abs(observed - expected)
    if not rounded:  # a curve without steps is met from both sides
        below = np.concatenate([[0.0], observed[:-1]])
        steps = _steps(field)
        before = np.where(np.isin(values, steps), below, expected)
        gaps = np.maximum(gaps, np.abs(below - before))
    distance = float(gaps.max())
    p = float(special.kolmogorov(distance * (math.sqrt(len(x)) + 0.12 + 0.11 / math.sqrt(len(x)))))
    return Check(label, p > _ALPHA, f"KS: {sample}", distance, p)


def _steps(field: Field) -> list[float]:
    """Where clipping has heaped values up."""
    return [b for b in (field.low, field.high) if b is not None] if field.clip else []


def _with_gaps(field: Field, values: Column) -> Column:
    step = 1.0 if field.decimals in (0, None) else 10.0**-field.decimals
    count = round(float(values[-1] - values[0]) / step) + 1
    return values if count > 10 * _FEW else np.round(values[0] + step * np.arange(count), 9)


def _counted(field: Field, values: Column, counts: Column) -> Column:
    grid = _with_gaps(field, values)
    found = np.zeros(len(grid))
    found[np.searchsorted(grid, np.round(values, 9)).clip(0, len(grid) - 1)] = counts
    return found


def _chi2(label: str, counts: Column, shares: Column, sample: str) -> Check:
    """Bins that expect few are taken together; what lies beyond the last is one more."""
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
        return Check(label, True, f"too few for a test: {sample}")
    statistic = float(sum((s - w) ** 2 / max(w, 1e-9) for s, w in zip(seen, wanted, strict=True)))
    p = float(special.chdtrc(len(wanted) - 1, statistic))
    return Check(label, p > _ALPHA, f"chi-square: {sample}", statistic, p)


def _of_choices(field: Field, values: Sequence[Any]) -> list[Check]:
    of = field.distribution
    assert of is not None
    said = [str(v).lower() if field.role == "boolean" else str(v) for v in values]
    others = sorted(set(said) - set(of.labels))
    if others:
        return [Check(f"{field.name}: labels", False, f"{', '.join(others[:5])} not asked for")]
    counts = np.array([said.count(label) for label in of.labels], dtype=float)
    shares = np.array(of.weights)
    held = ", ".join(f"{lb} {c / len(said):.1%}" for lb, c in zip(of.labels, counts, strict=True))
    return [_chi2(f"{field.name}: shares", counts, shares, held)]


def _of_dates(field: Field, values: Any) -> list[Check]:
    days = [dt.date.fromisoformat(str(value)[:10]) for value in _listed(values)]
    first, last = dt.date.fromisoformat(field.start), dt.date.fromisoformat(field.end)
    holds = min(days) >= first and max(days) <= last
    return [
        Check(f"{field.name}: dates", holds, f"{min(days)} to {max(days)} within {first} to {last}")
    ]


def _of_correlation(wanted: Correlation, columns: Mapping[str, Any]) -> Check:
    x, y = (np.asarray(columns[name], dtype=float) for name in (wanted.first, wanted.second))
    r = float(np.corrcoef(x, y)[0, 1])
    found = r * r if wanted.measure == "r2" else r
    slack = max(0.02, 3 * (1 - min(abs(r), 1) ** 2) / math.sqrt(len(x)))
    holds = {
        "=": abs(found - wanted.value) <= slack,
        ">": found > wanted.value,
        "<": found < wanted.value,
    }[wanted.relation]
    name = "R2" if wanted.measure == "r2" else "r"
    detail = f"{found:.4f}, asked for {wanted.relation} {wanted.value:g}"
    if not holds:
        most = float(np.corrcoef(np.sort(x), np.sort(y))[0, 1])
        least = float(np.corrcoef(np.sort(x), np.sort(y)[::-1])[0, 1])
        detail += f"; columns distributed so can reach {least:.3f} to {most:.3f}"
    return Check(f"{wanted.first} and {wanted.second}: {name}", holds, detail, found)


_OPERATORS: Mapping[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}


def _worked_out(node: ast.expr, columns: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant(value) if isinstance(value, int | float):
            return float(value)
        case ast.Name(name):
            return np.asarray(columns[name], dtype=float)
        case ast.BinOp(left, op, right) if type(op) in _OPERATORS:
            with np.errstate(all="ignore"):
                return _OPERATORS[type(op)](_worked_out(left, columns), _worked_out(right, columns))
    raise ValueError(f"{ast.unparse(node)} is no arithmetic")


def _of_formula(field: Field, x: Column, columns: Mapping[str, Any]) -> Check:
    expected = _worked_out(ast.parse(field.formula, mode="eval").body, columns)
    slack = 0.5 * 10.0**-field.decimals if field.decimals is not None else 0.0
    holds = bool(np.allclose(x, expected, rtol=1e-6, atol=slack + 1e-9))
    return Check(
        f"{field.name}: {field.formula}",
        holds,
        "holds in every record" if holds else "does not hold",
    )


def _of_series(count: int, series: Series, columns: Mapping[str, Any]) -> list[Check]:
    if series.name not in columns or len(columns) < 2:
        return [Check("columns", False, f"there are {list(columns)}, not a time and {series.name}")]
    time = next(values for name, values in columns.items() if name != series.name)
    x = np.asarray(columns[series.name], dtype=float)
    checks = [Check("count", len(x) == count == len(time), f"{len(x)} of {count}")]
    if not checks[0].holds or not np.isfinite(x).all():
        return checks
    said = [str(value) for value in _listed(time)]
    ordered = said == sorted(said) and len(set(said)) == len(said)
    starts = said[0][:7] == series.start[:7]
    checks.append(Check("times", ordered and starts, f"{said[0]} to {said[-1]}"))
    t = np.arange(count, dtype=float)
    level = (
        series.level * (1 + series.growth) ** t
        if series.growth
        else series.level + series.trend * t
    )
    season = series.amplitude * np.sin(2 * np.pi * t / series.period) if series.period else 0.0
    left = x - level - season
    if not series.noise:
        exact = bool(np.allclose(left, 0, atol=1e-4))
        return [*checks, Check("trend and season", exact, f"largest miss {np.abs(left).max():g}")]
    z = float(left.mean() / series.noise * math.sqrt(count))
    p = float(2 * special.ndtr(-abs(z)))
    checks.append(Check("level", p > _ALPHA, f"what is left has mean {left.mean():.4g}", z, p))
    slope = float(np.polyfit(t, left, 1)[0]) if count > 2 else 0.0
    error = series.noise / math.sqrt(max(((t - t.mean()) ** 2).sum(), 1e-12))
    p = float(2 * special.ndtr(-abs(slope / error)))
    checks.append(Check("trend", p > _ALPHA, f"what is left rises by {slope:.3g} a step", slope, p))
    spread = float((left**2).sum() / series.noise**2)
    p = 2 * min(float(special.chdtrc(count, spread)), float(special.chdtr(count, spread)))
    checks.append(
        Check("noise", p > _ALPHA, f"sd {left.std():.4g}, asked for {series.noise:g}", spread, p)
    )
    return checks


# ---- figures


def _of_analysis(spec: Spec, result: Any) -> list[Check]:
    """That each figure is there and can be; those with a short definition are worked out again."""
    if not isinstance(result, dict) or not result:
        return [Check("shape", False, f"the result is a {type(result).__name__}, and no figures")]
    numbers = list(_leaves(result))
    finite = bool(numbers) and all(math.isfinite(n) for _, n in numbers)
    checks = [
        Check("figures", finite, f"{len(numbers)} figures" if finite else "some are not finite")
    ]
    for name, value in numbers:
        if name == "p_value" and not -1e-9 <= value <= 1 + 1e-9:
            checks.append(Check("p_value", False, f"{value:g} is no probability"))
        if name in ("r", "rho", "tau") and abs(value) > 1 + 1e-9:
            checks.append(Check(name, False, f"{value:g} is no correlation"))
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
        told = "not there" if found is None else f"{found:.{_SHOWN}g}"
        checks.append(Check(each.method, holds, f"{told}, worked out again: {expected:.{_SHOWN}g}"))
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


def _listed(values: Any) -> list[Any]:
    return values.tolist() if isinstance(values, np.ndarray) else list(values)


def _plain(value: float | None, otherwise: str) -> str:
    return otherwise if value is None else f"{value:g}"
