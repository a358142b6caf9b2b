"""All checks and tests of one column of generated records."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from sandbox.judging.check import SHOWN, Column, StatisticalCheck, listed, numbers
from sandbox.judging.curves import cells
from sandbox.judging.samples import exact, marginal
from sandbox.judging.samples.choices import shares
from sandbox.judging.samples.distinct import drawn_once
from sandbox.judging.samples.measurement import Measurement
from sandbox.judging.samples.order import order
from sandbox.judging.samples.scores import (
    Scores,
    rounding_step,
    scores_of_choices,
    scores_of_numbers,
    scores_of_ranks,
    scores_of_whole,
)
from sandbox.spec import Distribution, Field

_FEW = 40  # values that a column may take, for a test of their counts in place of the curve's
_MOST_COUNTED = 400  # and for a test of both
_FEWEST = 6  # records below which no order is unlikely, and no gap
_ATOM = 0.05  # chance of a value that is too likely to be counted among repetitions
_DENSE = 1.0  # records for each value, below which it is chance which values come
_FORCED = 0.02  # pairs of equal values for each root of the count, that unique values may lack


@dataclass(slots=True)
class ColumnVerdict:
    """What was checked of a column, what was tested, and what nobody can check."""

    checks: list[StatisticalCheck] = field(default_factory=list)
    measurements: list[Measurement] = field(default_factory=list)
    scores: Scores | None = None
    codes: Column | None = None  # the values as numbers, for the test of their order
    unchecked: str = ""


def judge_column(
    of: Field, values: Any, columns: Mapping[str, Any], *, free: bool
) -> ColumnVerdict:
    """Judge one column. `free`: its records come in no order that the request asks for."""
    verdict = ColumnVerdict()
    if of.role == "id":
        verdict.checks = exact.check_ids(of, listed(values))
        ordered: Any = values
    elif of.role == "date":
        ordered = _judge_dates(of, values, verdict)
    elif of.role in ("category", "boolean"):
        ordered = _judge_choices(of, listed(values), verdict)
    else:
        ordered = _judge_numbers(of, numbers(of.name, values), columns, verdict)
    if of.unique and of.role in ("category", "date"):
        verdict.checks.append(exact.check_unique(of.name, [str(value) for value in listed(values)]))
    if of.order and ordered is not None:
        verdict.checks.append(exact.check_order(of, ordered))
    if free and verdict.scores is not None and len(verdict.scores.uniform) >= _FEWEST:
        verdict.measurements.append(order(f"{of.name}: order", verdict.scores, verdict.codes))
    return verdict


def _judge_dates(of: Field, values: Any, verdict: ColumnVerdict) -> Column:
    days = exact.days_of(values)
    first, last = (int(exact.days_of([end])[0]) for end in (of.start, of.end))
    holds = bool(days.min() >= first and days.max() <= last)
    least, most = (np.datetime64(int(day), "D") for day in (days.min(), days.max()))
    detail = f"{least} to {most} within {of.start} to {of.end}"
    verdict.checks.append(StatisticalCheck(f"{of.name}: dates", holds, detail))
    if holds and of.unique:
        every = Distribution("uniform", {"low": float(first), "high": float(last)})
        verdict.scores, verdict.codes = scores_of_ranks(of.name, days), days
        verdict.measurements += drawn_once(replace(of, distribution=every), days)
    elif holds:
        verdict.scores, verdict.codes = scores_of_whole(of.name, days, first, last), days
        if last - first < _FEW <= len(days):
            counts = np.bincount(days - first, minlength=last - first + 1).astype(float)
            even = np.full(len(counts), 1 / len(counts))
            verdict.measurements.append(shares(f"{of.name}: days", counts, even, "days"))
            _measure(of.name, None, verdict, days, few=True)
        else:
            _measure(of.name, None, verdict, days, label="uniform dates", detail=detail)
    return days


def _judge_choices(of: Field, values: Sequence[Any], verdict: ColumnVerdict) -> Sequence[Any]:
    labels = [str(v).lower() if of.role == "boolean" else str(v) for v in values]
    if of.distribution is None:
        verdict.unchecked = f"the labels of {of.name}"
        return labels
    place = {label: position for position, label in enumerate(of.distribution.labels)}
    counted = Counter(labels)
    others = sorted(set(counted) - set(place))
    if others:
        detail = f"{', '.join(others[:5])} are not in the request"
        verdict.checks.append(StatisticalCheck(f"{of.name}: labels", False, detail))
        return labels
    counts = np.array([counted[label] for label in place], dtype=float)
    parts = zip(place, counts / len(labels), strict=True)
    sample = ", ".join(f"{label} {share:.1%}" for label, share in list(parts)[:20])
    weights = np.array(of.distribution.weights, dtype=float)
    verdict.measurements.append(
        shares(f"{of.name}: shares", counts, weights / weights.sum(), sample)
    )
    positions = verdict.codes = np.array([place[label] for label in labels])
    verdict.scores = scores_of_choices(of.name, positions, of.distribution.weights)
    return labels


def _judge_numbers(
    of: Field, x: Column, columns: Mapping[str, Any], verdict: ColumnVerdict
) -> Column | None:
    if not np.isfinite(x).all():
        detail = "some are missing or not finite"
        verdict.checks = [StatisticalCheck(f"{of.name}: numbers", False, detail)]
        return None
    verdict.checks = exact.check_bounds(of, x) + exact.check_decimals(of, x)
    verdict.checks += exact.check_multiple(of, x)
    if of.unique:
        verdict.checks.append(exact.check_unique(of.name, x.tolist()))
    if of.role == "derived":
        verdict.checks.append(exact.check_formula(of, x, columns))
    if of.role == "derived" or not all(check.holds for check in verdict.checks):
        return x
    return _judge_chance(of, x, verdict)


def _judge_chance(of: Field, x: Column, verdict: ColumnVerdict) -> Column:
    """Measure the distribution and order of a column whose values are all allowed."""
    if of.multiple:
        steps = _in_steps(of)
        if steps is None:
            verdict.unchecked = f"how {of.name} is distributed among multiples of {of.multiple}"
            return x
        x = (x - (of.remainder or 0)) / of.multiple
        of = steps
    verdict.codes = x
    if of.distribution is None:
        verdict.scores = scores_of_ranks(of.name, x)
    elif of.unique and of.distribution.family == "uniform" and of.decimals == 0:
        verdict.scores = scores_of_ranks(of.name, x)
        verdict.measurements += drawn_once(of, x)
    else:
        _judge_distribution(of, of.distribution, x, verdict)
    return x


def _in_steps(of: Field) -> Field | None:
    """The field of the quotients of a column of multiples, if they are uniform whole numbers."""
    uniform = of.distribution is not None and of.distribution.family == "uniform"
    if not of.multiple or not uniform or of.decimals != 0 or of.distribution is None:
        return None
    rest, by = of.remainder or 0, of.multiple
    ends = of.distribution.parameters
    within = {
        "low": float(math.ceil((ends["low"] - rest) / by)),
        "high": float(math.floor((ends["high"] - rest) / by)),
    }
    even = Distribution("uniform", within)
    return replace(of, distribution=even, multiple=None, remainder=None, low=None, high=None)


def _judge_distribution(
    of: Field, distribution: Distribution, x: Column, verdict: ColumnVerdict
) -> None:
    scores = scores_of_numbers(of, x)
    n, chances = len(x), scores.chances
    alike = n * n / 2 * float(chances.mean()) if chances is not None else 0.0
    if of.unique and alike > _FORCED * math.sqrt(n):
        verdict.scores = scores_of_ranks(of.name, x)
        what = f"the {distribution.family} distribution of {of.name}"
        verdict.unchecked = f"{what}, whose values must differ"
        return
    verdict.scores = scores
    sample = f"mean {x.mean():.{SHOWN}g}, sd {x.std(ddof=1) if n > 1 else 0:.{SHOWN}g}"
    dense = chances is not None and n * float(chances.mean()) >= _DENSE
    grid = _grid(of, x) if dense else None
    few = grid is not None and len(grid) <= _FEW
    if grid is not None:
        label = f"{of.name}: {distribution.family if few else 'counts'}"
        verdict.measurements.append(_shares_of_grid(label, of, x, grid, sample))
    _measure(of.name, distribution, verdict, x, few=few, detail=sample)


def _measure(
    name: str,
    distribution: Distribution | None,
    verdict: ColumnVerdict,
    x: Column,
    *,
    few: bool = False,
    label: str = "",
    detail: str = "",
) -> None:
    """The tests of a column's scores; its counts were tested already if its values are few."""
    scores = verdict.scores
    assert scores is not None
    tests, n = verdict.measurements, len(x)
    ordered = np.sort(scores.uniform)
    if not few:
        label = label or (distribution.family if distribution is not None else "uniform")
        tests.append(marginal.fit(f"{name}: {label}", ordered, detail))
    normal = marginal.normal_scores(scores)
    tests.append(marginal.mean(f"{name}: mean", normal, distribution))
    if n > 1:
        tests.append(marginal.spread(f"{name}: spread", normal, distribution))
    tests.append(marginal.extremes(f"{name}: extremes", ordered))
    if n >= _FEWEST and scores.fine:
        tests.append(marginal.gaps(f"{name}: gaps", ordered))
    if scores.chances is not None and not few:
        rare = scores.chances < _ATOM  # a bound at which many values lie is no repetition
        if rare.sum() > 1:
            left = 1 - math.fsum(dict(zip(x[~rare], scores.chances[~rare], strict=True)).values())
            tests.append(marginal.repeats(f"{name}: repeats", x[rare], scores.chances[rare] / left))


def _grid(of: Field, x: Column) -> Column | None:
    """All values that a rounded column may take between its ends, if they are few."""
    step = rounding_step(of, x)
    if not step:
        return None
    count = round(float(x.max() - x.min()) / step) + 1
    if count > _MOST_COUNTED:
        return None
    return np.asarray(np.round(x.min() + step * np.arange(count), 9))


def _shares_of_grid(label: str, of: Field, x: Column, grid: Column, sample: str) -> Measurement:
    step = rounding_step(of, x)
    lower, upper = cells(of, grid, step)
    places = np.rint((x - grid[0]) / step).astype(int)
    counts = np.bincount(places, minlength=len(grid)).astype(float)
    counts = np.concatenate([[0.0], counts, [0.0]])
    expected = np.concatenate([[lower[0]], upper - lower, [1 - upper[-1]]])
    return shares(label, counts, expected, sample)
