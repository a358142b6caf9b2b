"""Works out figures of rows again: names, shares, weighted means, scales, small tables."""

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from sandbox.judging.figures import counts
from sandbox.judging.figures.descriptive import variance
from sandbox.judging.figures.relations import regression
from sandbox.judging.figures.tails import t_quantile

Floats = Sequence[float]
Rows = list[tuple[float, str]]
_MOST_TABLES = 200_000  # of one pair of margins


def _rows(values: Sequence[Any], names: Sequence[Any] | None) -> Rows:
    named = names if names is not None else values
    return [(v, str(n)) for v, n in zip(values, named, strict=True) if v is not None]


def _extreme(rows: Rows, sign: int) -> dict[str, Any]:
    most = rows[0][0]
    for value, _ in rows:
        most = value if sign * value > sign * most else most
    names = [name for value, name in rows if value == most]
    return {"name": names[0] if len(names) == 1 else names, "value": most}


def _next(rows: Rows, sign: int, *, named: bool) -> Any:
    if len(rows) < 2:
        raise ValueError("there is no second value")
    best = max(range(len(rows)), key=lambda i: (sign * rows[i][0], -i))
    rest = [row for i, row in enumerate(rows) if i != best]
    second = max(rest, key=lambda row: sign * row[0])
    if named and sum(row[0] == second[0] for row in rows) > 1:
        raise ValueError(f"several names have the value {second[0]:g}")
    return {"name": second[1], "value": second[0]} if named else second[0]


def _ranking(rows: Rows, *, descending: bool) -> list[dict[str, Any]]:
    """Each row stands after the rows that are better, and after equal rows before it."""
    sign = -1 if descending else 1
    places = sorted(range(len(rows)), key=lambda i: (sign * rows[i][0], i))
    return [{"name": rows[i][1], "value": rows[i][0]} for i in places]


def of_names(
    method: str, values: Sequence[Any], names: Sequence[Any] | None, *, descending: bool = True
) -> Any:
    rows = _rows(values, names)
    if method in ("largest", "smallest"):
        return _extreme(rows, 1 if method == "largest" else -1)
    if method in ("second_largest", "second_smallest"):
        return _next(rows, 1 if method == "second_largest" else -1, named=names is not None)
    if method == "ranking":
        return _ranking(rows, descending=descending)
    total = sum(Fraction(value) for value, _ in rows)
    if names is None:
        return [float(100 * Fraction(value) / total) for value, _ in rows]
    sums: dict[str, Fraction] = {}
    for value, name in rows:
        sums[name] = sums.get(name, Fraction(0)) + Fraction(value)
    return {name: float(100 * of / total) for name, of in sums.items()}


OF_NAMES = frozenset(
    {"largest", "smallest", "second_largest", "second_smallest", "ranking", "percent_of_total"}
)


def weighted_mean(x: Floats, weights: Floats) -> float:
    if any(weight < 0 for weight in weights):
        raise ValueError("a weight is below 0")
    pairs = [(Fraction(v), Fraction(w)) for v, w in zip(x, weights, strict=True)]
    return float(sum(v * w for v, w in pairs) / sum(w for _, w in pairs))


def cronbach_alpha(items: Sequence[Floats]) -> float:
    """From what the items vary together, as a share of the variance of their sum."""
    totals = [math.fsum(row) for row in zip(*items, strict=True)]
    k, whole = len(items), variance(totals)
    between = whole - math.fsum(variance(item) for item in items)
    return k * between / ((k - 1) * whole)


def fisher(table: Sequence[Sequence[float]]) -> dict[str, float]:
    """The chance of every table with these margins that is no likelier than this one."""
    (a, b), (c, d) = ([round(cell) for cell in row] for row in table)
    if (a, b, c, d) != tuple(cell for row in table for cell in row):
        raise ValueError("a table of counts holds whole numbers")
    if not b * c:
        raise ValueError("the odds ratio is not finite")

    possible = range(max(0, a - d), min(a + b, a + c) + 1)
    if len(possible) > _MOST_TABLES:
        raise ValueError(f"{len(possible)} tables are too many to count")

    def chance(first: int) -> float:
        chosen = _log_comb(a + b, first) + _log_comb(c + d, a + c - first)
        return chosen - _log_comb(a + b + c + d, a + c)

    ours = chance(a) + 1e-7
    rare = math.fsum(math.exp(of) for of in map(chance, possible) if of <= ours)
    return {"odds_ratio": a * d / (b * c), "p_value": min(1.0, rare)}


def _log_comb(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def line(y: Floats, given: Mapping[str, Floats], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """A regression with what is wanted beside its coefficients."""
    if wanted.get("origin"):
        figures, value = _through_origin(y, next(iter(given.values()))), _value_at(wanted)
    elif wanted.get("degree") == 2:
        figures, value = _parabola(y, next(iter(given.values()))), _value_at(wanted)
    else:
        figures = regression(y, given, at=wanted.get("at"))
        return figures | _beside(y, given, figures, wanted)
    if value is not None:
        figures["predicted"] = _predicted(figures, value)
    if wanted.get("residuals"):
        (x,) = given.values()
        figures["residuals"] = [of - _predicted(figures, v) for of, v in zip(y, x, strict=True)]
    return figures


def _value_at(wanted: Mapping[str, Any]) -> float | None:
    return wanted.get("at")


def _predicted(figures: Mapping[str, float], x: float) -> float:
    return (
        figures.get("intercept", 0.0) + figures["slope"] * x + figures.get("quadratic", 0.0) * x * x
    )


def _through_origin(y: Floats, x: Floats) -> dict[str, Any]:
    slope = float(
        sum(Fraction(a) * Fraction(b) for a, b in zip(x, y, strict=True))
        / sum(Fraction(a) ** 2 for a in x)
    )
    left = math.fsum((b - slope * a) ** 2 for a, b in zip(x, y, strict=True))
    return {"slope": slope, "r2": 1 - left / math.fsum(b * b for b in y)}


def _parabola(y: Floats, x: Floats) -> dict[str, Any]:
    fit = regression(y, {"x": x, "x2": [value * value for value in x]})
    slope, quadratic = fit["slopes"]["x"], fit["slopes"]["x2"]
    return {
        "intercept": fit["intercept"],
        "slope": slope,
        "quadratic": quadratic,
        "r2": fit["r2"],
    }


def _beside(
    y: Floats, given: Mapping[str, Floats], figures: Mapping[str, Any], wanted: Mapping[str, Any]
) -> dict[str, Any]:
    beside: dict[str, Any] = {}
    slopes = figures.get("slopes") or {next(iter(given)): figures["slope"]}
    if wanted.get("residuals"):
        beside["residuals"] = [
            of - figures["intercept"] - math.fsum(slopes[name] * given[name][i] for name in given)
            for i, of in enumerate(y)
        ]
    if "interval" in wanted:
        reach = t_quantile(wanted["interval"], len(y) - 2) * figures["slope_error"]
        beside |= {"slope_low": figures["slope"] - reach, "slope_high": figures["slope"] + reach}
    return beside


def independence_without_yates(table: Sequence[Floats]) -> dict[str, float]:
    """Of two rows and two columns, by the closed form of the statistic."""
    if len(table) == 2 and len(table[0]) == 2:
        (a, b), (c, d) = table
        total = a + b + c + d
        margins = (a + b) * (c + d) * (a + c) * (b + d)
        statistic = total * (a * d - b * c) ** 2 / margins
        return {"statistic": statistic, "p_value": math.erfc(math.sqrt(statistic / 2)), "dof": 1}
    return counts.independence(table)
