"""Tests pairs of columns: stated correlations, and independence where nothing is stated."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from scipy import special

from sandbox.judging.check import Column, StatisticalCheck, numbers
from sandbox.judging.samples.measurement import Measurement
from sandbox.judging.samples.scores import Scores
from sandbox.spec import Correlation, Spec

_AIMED = 1e-3  # a program that aims at a correlation may miss it by so much, whatever the size
_BENT = 30  # records from which columns are also tested for bent relations


def independence(scores: Mapping[str, Scores], linked: Mapping[str, int]) -> Measurement | None:
    """The strongest relation of two columns that nothing links: straight, or bent."""
    names = list(scores)
    apart = np.array([[linked[a] != linked[b] for b in names] for a in names], dtype=bool)
    if not apart.any():
        return None
    n = len(scores[names[0]].uniform)
    parts = [[scores[name].centred for name in names]]
    if n >= _BENT:
        parts.append([scores[name].bowl for name in names])
    table = np.array([column for part in parts for column in part])
    z = np.abs(table @ table.T) / math.sqrt(n)
    mask = np.triu(np.tile(apart, (len(parts), len(parts))), 1)
    z = np.where(mask, z, 0.0)
    first, second = np.unravel_index(int(z.argmax()), z.shape)
    worst, tested = float(z[first, second]), int(mask.sum())
    pair = f"{names[int(first) % len(names)]} and {names[int(second) % len(names)]}"

    def power(alpha: float) -> str:
        reach = -float(special.ndtri(alpha / 2 / tested)) / math.sqrt(n)
        if reach > 0.9:
            return f"with {n} records hardly any relation could be noticed"
        return f"at n = {n} columns that correlate by {reach:.2g} pass half the time"

    return Measurement(
        "independence",
        f"{pair} are related by {worst / math.sqrt(n):.3f}",
        worst / math.sqrt(n),
        2 * tested * float(special.ndtr(-worst)),
        power,
    )


def copies(values: Mapping[str, Column], linked: Mapping[str, int]) -> list[StatisticalCheck]:
    """Columns of finely divided values that are the same values in another order are copies."""
    seen: dict[bytes, str] = {}
    for name, column in values.items():
        key = np.sort(column).tobytes()
        if key in seen and linked[seen[key]] != linked[name]:
            detail = "they hold the same values in another order"
            return [StatisticalCheck(f"{seen[key]} and {name}", False, detail)]
        seen[key] = name
    return []


def linked_columns(spec: Spec) -> dict[str, int]:
    """A number for each column; columns that a correlation or a formula links have the same."""
    group = {field.name: position for position, field in enumerate(spec.fields)}
    for names in _links(spec):
        together = {group[name] for name in names if name in group}
        for name, number in group.items():
            if number in together:
                group[name] = min(together)
    return group


def _links(spec: Spec) -> Iterable[tuple[str, ...]]:
    for correlation in spec.correlations:
        yield correlation.first, correlation.second
    words = str.maketrans("+-*/()", "      ")
    for field in spec.fields:
        if field.formula:
            yield (field.name, *field.formula.translate(words).split())


def stated(correlation: Correlation, columns: Mapping[str, Any]) -> Measurement | StatisticalCheck:
    """A bound holds exactly. A value holds within what a sample of this size allows (Fisher)."""
    x, y = (numbers(name, columns[name]) for name in (correlation.first, correlation.second))
    n, r = len(x), _r(x, y)
    squared = correlation.measure == "r2"
    measured = r * r if squared else r
    name = f"{correlation.first} and {correlation.second}: {'R2' if squared else 'r'}"
    detail = f"{measured:.4f}, asked for {correlation.relation} {correlation.value:g}"
    wrong = detail + _possible(x, y)
    if correlation.relation != "=":
        beyond = measured > correlation.value
        below = measured < correlation.value
        holds = beyond if correlation.relation == ">" else below
        return StatisticalCheck(name, holds, detail if holds else wrong, measured)
    wanted = math.sqrt(correlation.value) if squared else correlation.value
    reached = abs(r) if squared else r
    if abs(reached - wanted) <= _AIMED:
        z = 0.0
    elif n <= 3 or abs(wanted) >= 1 or abs(reached) >= 1:
        return StatisticalCheck(name, False, wrong, measured)
    else:
        z = (math.atanh(reached) - math.atanh(wanted)) * math.sqrt(n - 3)

    def power(alpha: float) -> str:
        if n <= 3 or abs(wanted) >= 1:
            return ""
        reach = -float(special.ndtri(alpha / 2)) / math.sqrt(n - 3)
        ends = [math.tanh(math.atanh(wanted) + side * reach) for side in (-1, 1)]
        low, high = (f"{end * abs(end) if squared else end:.3g}" for end in ends)
        return f"at n = {n} a value of {low} or {high} passes half the time"

    p = 2 * float(special.ndtr(-abs(z)))
    return Measurement(name, wrong if p < 1e-3 else detail, measured, p, power)


def _r(x: Column, y: Column) -> float:
    dx, dy = x - x.mean(), y - y.mean()
    spread = math.sqrt(float(dx @ dx)) * math.sqrt(float(dy @ dy))
    return float(dx @ dy) / spread if spread else math.nan


def _possible(x: Column, y: Column) -> str:
    x, y = np.sort(x), np.sort(y)
    return f"; columns with these distributions can reach {_r(x, y[::-1]):.3f} to {_r(x, y):.3f}"
