"""Checks that need no chance: bounds, decimals, ids, dates, formulas, and a stated order."""

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from sandbox.judging.check import Column, StatisticalCheck, numbers
from sandbox.spec import Field

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)


def check_ids(field: Field, values: Sequence[Any]) -> list[StatisticalCheck]:
    texts = [str(value) for value in values]
    checks = [check_unique(field.name, texts)]
    if field.prefix == "uuid":
        wrong = next((text for text in texts if not _UUID.fullmatch(text)), None)
        detail = "all are" if wrong is None else f"{wrong!r} is none"
        return [*checks, StatisticalCheck(f"{field.name}: UUIDs", wrong is None, detail)]
    digits = rf"\d{{{field.digits}}}|[1-9]\d{{{field.digits},}}" if field.digits else r"\d+"
    if field.prefix or field.digits or field.first is not None:
        form = re.compile(re.escape(field.prefix) + f"({digits})" + re.escape(field.suffix))
        forms = [form.fullmatch(text) for text in texts]
        wrong = next((t for t, match in zip(texts, forms, strict=True) if match is None), None)
        detail = "each has it" if wrong is None else f"{wrong!r} has not"
        name = f"{field.name}: the form {field.prefix}{'0' * (field.digits or 1)}"
        checks.append(StatisticalCheck(name, wrong is None, detail))
        if field.first is not None and wrong is None:
            checks.append(_check_counted(field, [int(m[1]) for m in forms if m is not None]))
    return checks


def _check_counted(field: Field, ids: Sequence[int]) -> StatisticalCheck:
    """Whether the ids count from the first one on, in any order."""
    first, last = min(ids), max(ids)
    holds = first == field.first and last == first + len(ids) - 1
    detail = f"{first} to {last} in {len(ids)} records"
    return StatisticalCheck(f"{field.name}: from {field.first}", holds, detail)


def check_multiple(field: Field, x: Column) -> list[StatisticalCheck]:
    if not field.multiple:
        return []
    rest = (field.remainder or 0) % field.multiple
    holds = bool((x % field.multiple == rest).all())
    detail = f"each leaves {rest}" if holds else f"some leave another rest than {rest}"
    return [StatisticalCheck(f"{field.name}: divided by {field.multiple}", holds, detail)]


def check_unique(name: str, values: Sequence[Any]) -> StatisticalCheck:
    different = len(set(values))
    return StatisticalCheck(
        f"{name}: unique", different == len(values), f"{different} of {len(values)} differ"
    )


def check_texts(field: Field, values: Any, count: int) -> StatisticalCheck:
    texts = sum(isinstance(value, str) and bool(value.strip()) for value in values)
    holds = texts == count == len(values)
    return StatisticalCheck(f"{field.name}: texts", holds, f"{texts} texts in {count} records")


def check_bounds(field: Field, x: Column) -> list[StatisticalCheck]:
    if field.low is None and field.high is None:
        return []
    low, high = float(x.min()), float(x.max())
    holds = (field.low is None or low >= field.low) and (field.high is None or high <= field.high)
    bounds = f"{_plain(field.low, '-inf')} to {_plain(field.high, 'inf')}"
    return [
        StatisticalCheck(f"{field.name}: bounds", holds, f"{low:g} to {high:g} within {bounds}")
    ]


def check_decimals(field: Field, x: Column) -> list[StatisticalCheck]:
    places = field.decimals
    if field.distribution is not None and field.distribution.discrete:
        places = 0
    if places is None:
        return []
    # Not `allclose`: a coarse tolerance would forgive a fraction of a large value.
    holds = bool((np.abs(x - np.round(x, places)) <= 1e-9 * np.maximum(1, np.abs(x))).all())
    what = "whole numbers" if places == 0 else f"{places} decimals"
    return [
        StatisticalCheck(
            f"{field.name}: {what}", holds, "as requested" if holds else "some have more"
        )
    ]


def days_of(values: Sequence[Any] | Column) -> Column:
    """Dates, or times of which the day counts, as days since 1970. Raises `ValueError`."""
    times = np.asarray(values)
    if times.dtype.kind != "M":
        times = np.array([str(value) for value in times.tolist()], dtype="datetime64")
    if np.isnat(times).any():
        raise ValueError("some dates are missing")
    return times.astype("datetime64[D]").astype(np.int64)


def check_order(field: Field, values: Sequence[Any] | Column) -> StatisticalCheck:
    """Each value stands on the right side of its neighbour. Labels may have their own order."""
    orders: list[Column] = [np.asarray(values)]
    labels = field.distribution.labels if field.distribution is not None else ()
    if field.role in ("category", "boolean") and labels:
        place = {label: position for position, label in enumerate(labels)}
        orders.append(np.array([place.get(str(value), -1) for value in values]))
    falls = field.order == "descending"
    holds = any(bool((o[1:] <= o[:-1] if falls else o[1:] >= o[:-1]).all()) for o in orders)
    detail = "each record follows" if holds else "some records stand in another order"
    return StatisticalCheck(f"{field.name}: {field.order}", holds, detail)


_OPERATORS: Mapping[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}


def check_formula(field: Field, x: Column, columns: Mapping[str, Any]) -> StatisticalCheck:
    expected = _computed(ast.parse(field.formula, mode="eval").body, columns)
    slack = 0.5 * 10.0**-field.decimals if field.decimals is not None else 0.0
    holds = bool(np.allclose(x, expected, rtol=1e-9, atol=slack * (1 + 1e-9) + 1e-12))
    return StatisticalCheck(
        f"{field.name}: {field.formula}",
        holds,
        "holds in every record" if holds else "does not hold",
    )


def _computed(node: ast.expr, columns: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant(value) if isinstance(value, int | float):
            return float(value)
        case ast.Name(name):
            return numbers(name, columns[name])
        case ast.BinOp(left, op, right) if type(op) in _OPERATORS:
            with np.errstate(all="ignore"):
                return _OPERATORS[type(op)](_computed(left, columns), _computed(right, columns))
        case ast.UnaryOp(ast.USub(), of):
            return -_computed(of, columns)
    raise ValueError(f"{ast.unparse(node)} is not arithmetic")


def _plain(value: float | None, otherwise: str) -> str:
    return otherwise if value is None or not math.isfinite(value) else f"{value:g}"
