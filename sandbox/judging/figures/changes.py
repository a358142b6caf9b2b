"""Works out again what a request changes in its data, before its figures are judged."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

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
    if what in ("values", "where") or what in _PLACES:
        if rows:
            return _by_row(columns, change)
        if what == "values":
            raise ValueError("names can only be left out of rows")
    return {
        name: tuple(_of_column([v for v in values if v is not None], change))
        if _numeric(values)
        else values
        for name, values in columns.items()
    }


def _numeric(values: Sequence[Any]) -> bool:
    return all(value is None or isinstance(value, int | float) for value in values)


def _by_row(columns: Columns, change: Change) -> Columns:
    count = len(next(iter(columns.values())))
    chosen = [i for i in range(count) if _has(columns, change, i, count)]
    wanted = set(chosen) if change.kind.startswith("keep") else set(range(count)) - set(chosen)
    if change.kind.endswith("where"):
        wanted = {i for i in wanted if columns[change.column][i] is not None}
    return {
        name: tuple(value for i, value in enumerate(values) if i in wanted)
        for name, values in columns.items()
    }


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
    if change.kind in _OF_EACH:
        return [_OF_EACH[change.kind](value, change.amount or 0.0) for value in values]
    if change.kind == "unique":
        counts = Counter(values)
        return list(counts)
    if what == "where":
        return [v for v in values if _within(v, change) is (side == "keep")]
    if what in _PLACES:
        amount = round(change.amount or 0)
        wanted = range(amount) if what == "first" else range(len(values) - amount, len(values))
        return [v for i, v in enumerate(values) if (i in wanted) is (side == "keep")]
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
