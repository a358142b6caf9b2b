"""Works out again what a request changes in its data, before its figures are judged."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sandbox.judging.figures.descriptive import quantile
from sandbox.spec import Change, Spec

Columns = Mapping[str, tuple[Any, ...]]
_OF_EACH: Mapping[str, Callable[[float, float], float]] = {
    "power": lambda x, amount: math.prod([x] * round(amount)),
    "log": lambda x, _: math.log2(x) * math.log(2),
    "log10": lambda x, _: math.log2(x) / math.log2(10),
    "root": lambda x, _: x**0.5,
    "reciprocal": lambda x, _: x**-1,
    "absolute": lambda x, _: math.copysign(x, 1),
    "multiply": lambda x, amount: x / (1 / amount) if amount else 0.0,
    "add": lambda x, amount: math.fsum((x, amount)),
    "cap": lambda x, amount: amount if x > amount else x,
}
_PLACES = frozenset({"first", "last"})


def with_changes(spec: Spec) -> Spec:
    """The spec with the changed data. Raises `ValueError` if a change cannot be made."""
    columns: Columns = spec.data
    for change in spec.changes:
        columns = _changed(columns, change, rows=spec.has_rows)
    return replace(spec, data=columns, changes=()) if spec.changes else spec


def _changed(columns: Columns, change: Change, *, rows: bool) -> Columns:
    what = change.kind.partition("_")[2]
    if change.kind in _OF_EACH:
        return _of_each_number(columns, change)
    if rows and (what in ("values", "where") or what in _PLACES or change.column):
        return _by_row(columns, change)
    if what == "values":
        raise ValueError("names can only be left out of rows")
    return {
        name: tuple(_of_column([v for v in values if v is not None], change))
        for name, values in columns.items()
    }


def _of_each_number(columns: Columns, change: Change) -> Columns:
    work, amount = _OF_EACH[change.kind], change.amount or 0.0
    changed = dict(columns)
    for name in [change.column] if change.column else list(columns):
        if not any(isinstance(value, str) for value in columns[name]):
            changed[name] = tuple(None if v is None else work(v, amount) for v in columns[name])
    return changed


def _by_row(columns: Columns, change: Change) -> Columns:
    count = len(next(iter(columns.values())))
    if change.column and change.kind.partition("_")[2] not in ("values", "where", *_PLACES):
        return _by_value(columns, change)
    chosen = [i for i in range(count) if _has(columns, change, i, count)]
    wanted = set(chosen) if change.kind.startswith("keep") else set(range(count)) - set(chosen)
    if change.kind.endswith("where"):
        wanted = {i for i in wanted if columns[change.column][i] is not None}
    return {
        name: tuple(value for i, value in enumerate(values) if i in wanted)
        for name, values in columns.items()
    }


def _by_value(columns: Columns, change: Change) -> Columns:
    """The rows of which the number is one that the change leaves in its column."""
    numbers = columns[change.column]
    left = Counter(_of_column([v for v in numbers if v is not None], change))
    smallest_first = change.kind in ("drop_smallest", "keep_largest")
    rows = range(len(numbers))
    kept = []
    for i in reversed(rows) if smallest_first else rows:
        if left[numbers[i]] > 0:
            left[numbers[i]] -= 1
            kept.append(i)
    return {name: tuple(values[i] for i in sorted(kept)) for name, values in columns.items()}


def _has(columns: Columns, change: Change, row: int, count: int) -> bool:
    """Whether a row is one that the change is about."""
    what = change.kind.partition("_")[2]
    if what == "values":
        return str(columns[change.column][row]) in change.values
    if what == "where":
        return _within(columns[change.column][row], change)
    amount = change.amount or 0
    return row + 1 <= amount if what == "first" else count - row <= amount


def _within(value: Any, change: Change) -> bool:
    if value is None:
        return False
    low = -math.inf if change.low is None else change.low
    high = math.inf if change.high is None else change.high
    above = low < value if change.low_open else low <= value
    return bool(above and (value < high if change.high_open else value <= high))


def _of_column(values: Sequence[float], change: Change) -> Sequence[float]:
    side, _, what = change.kind.partition("_")
    if change.kind == "unique":
        counts = Counter(values)
        return list(counts)
    if what == "where":
        return [v for v in values if _within(v, change) is (side == "keep")]
    if what in _PLACES:
        amount = round(change.amount or 0)
        wanted = range(amount) if what == "first" else range(len(values) - amount, len(values))
        return [v for i, v in enumerate(values) if (i in wanted) is (side == "keep")]
    if what == "outliers":
        low, high = quantile(values, q=0.25), quantile(values, q=0.75)
        reach = (change.amount or 0.0) * (high - low)
        return [v for v in values if v >= low - reach and v - high <= reach]
    if what in ("smallest", "largest"):
        ordered = sorted(values, reverse=what == "largest")
        amount = round(change.amount or 0)
        return ordered[:amount] if side == "keep" else ordered[amount:]
    signs = {
        "odd": lambda v: float(v).is_integer() and round(v) & 1 == 1,
        "even": lambda v: float(v).is_integer() and round(v) & 1 == 0,
        "positive": lambda v: math.copysign(1, v) > 0 and v != 0,
        "negative": lambda v: math.copysign(1, v) < 0 and v != 0,
    }
    return [v for v in values if signs[what](v) is (side == "keep")]
