"""Finds constraints of a spec that no data can satisfy, before any program runs."""

import math
from collections.abc import Mapping

import numpy as np

from sandbox.judging.curves import share_between
from sandbox.judging.figure_checks import problem_of_data
from sandbox.judging.impossible import IMPOSSIBLE
from sandbox.spec import Distribution, Field, Spec

_LEAST_SHARE = 1e-4  # if less of a distribution lies within its bounds, too many values are redrawn

_POSITIVE = {  # parameters that must be above 0
    "normal": ("sd",),
    "lognormal": ("sigma",),
    "exponential": ("mean",),
    "beta": ("a", "b"),
    "gamma": ("shape", "scale"),
    "pareto": ("alpha", "minimum"),
    "weibull": ("shape", "scale"),
}


def contradiction(spec: Spec) -> str:
    """The first constraint that no data can satisfy, and why; or "" if none was found."""
    for analysis in spec.analyses:
        impossible = IMPOSSIBLE.get(analysis.method)
        if impossible is not None and spec.kind == "calculate":
            problem = impossible(**analysis.parameters)
            if problem:
                return problem
    for field in spec.fields:
        if field.distribution is not None:
            problem = _in_distribution(field.name, field.distribution)
            problem = problem or _in_field(field, spec.count)
            if problem:
                return problem
        if field.role == "date" and field.start > field.end:
            return f"{field.name} cannot lie between {field.start} and {field.end}: swap the dates"
    return _in_correlations(spec) or (problem_of_data(spec) if spec.kind == "analyse" else "")


def _in_distribution(name: str, of: Distribution) -> str:
    p = of.parameters
    for parameter in _POSITIVE.get(of.family, ()):
        if p[parameter] <= 0:
            return (
                f"{name}: the {parameter} of a {of.family} distribution is {p[parameter]:g}, "
                "but it must be above 0"
            )
    if of.family in ("uniform", "triangular"):
        return _in_range(name, p)
    if of.family == "poisson" and p["rate"] < 0:
        return f"{name}: a rate of {p['rate']:g} is below 0"
    if of.family == "binomial":
        if not 0 <= p["p"] <= 1:
            return f"{name}: a probability of {p['p']:g} lies outside 0 to 1"
        if p["n"] < 0 or p["n"] != int(p["n"]):
            return f"{name}: {p['n']:g} trials is not a whole number"
    if any(weight < 0 for weight in of.weights):
        return f"{name}: a share cannot be below 0"
    for part in of.parts:
        problem = _in_distribution(name, part)
        if problem:
            return problem
    if not all(math.isfinite(value) for value in p.values()):
        return f"{name}: a parameter is not finite"
    return ""


def _in_range(name: str, p: Mapping[str, float]) -> str:
    low, high = p["low"], p["high"]
    if low >= high:
        return f"{name}: nothing lies between {low:g} and {high:g}"
    if not low <= p.get("mode", low) <= high:
        return f"{name}: a peak of {p['mode']:g} lies outside {low:g} to {high:g}"
    return "" if math.isfinite(high - low) else f"{name}: a parameter is not finite"


def _in_field(field: Field, count: int) -> str:
    of = field.distribution
    assert of is not None
    low, high = field.low, field.high
    if low is not None and high is not None and low >= high:
        return f"{field.name}: nothing lies between {low:g} and {high:g}"
    if field.role == "number" and of.family in ("normal", "poisson") and not field.unique:
        mean = of.parameters["mean" if of.family == "normal" else "rate"]
        if (low is not None and mean < low) or (high is not None and mean > high):
            least, most = "-inf" if low is None else low, "inf" if high is None else high
            return f"{field.name}: a mean of {mean:g} lies outside its bounds, {least} to {most}"
    bounded = low is not None or high is not None
    if (
        field.role == "number"
        and bounded
        and not field.clip
        and share_between(field) < _LEAST_SHARE
    ):
        return f"{field.name}: hardly any of its distribution lies within its bounds"
    if field.unique and field.decimals == 0:
        room = _whole_numbers(field)
        if room is not None and room < count:
            return (
                f"{field.name}: {count} unique values are required, but only {room} whole numbers "
                "lie within its bounds"
            )
    return ""


def _whole_numbers(field: Field) -> int | None:
    """How many whole numbers lie within the bounds; None if a bound is missing."""
    of = field.distribution
    assert of is not None
    low, high = field.low, field.high
    if of.family == "uniform":
        low, high = of.parameters["low"], of.parameters["high"]
    if of.family == "binomial":
        low, high = 0, of.parameters["n"]
    if low is None or high is None:
        return None
    return math.floor(high) - math.ceil(low) + 1


def _in_correlations(spec: Spec) -> str:
    if not spec.correlations:
        return ""
    if spec.count < 3:
        return f"a correlation needs at least 3 records, but the request wants {spec.count}"
    names = list(dict.fromkeys(n for c in spec.correlations for n in (c.first, c.second)))
    matrix = np.eye(len(names))
    for c in spec.correlations:
        if not abs(c.value) <= 1 or (c.measure == "r2" and c.value < 0):
            rule = "R² lies between 0 and 1" if c.measure == "r2" else "r lies between -1 and 1"
            return f"{c.first} and {c.second}: {c.value:g} is impossible; {rule}"
        if c.relation == ">" and c.value >= 1:
            return f"{c.first} and {c.second}: no columns correlate more than perfectly"
        r = c.value if c.measure == "r" else math.sqrt(c.value)
        i, j = names.index(c.first), names.index(c.second)
        matrix[i, j] = matrix[j, i] = r
    smallest = float(np.linalg.eigvalsh(matrix)[0])
    if len(names) > 2 and smallest < -1e-9:
        listed = ", ".join(f"{c.first}/{c.second} {c.value:g}" for c in spec.correlations)
        return (
            f"these correlations cannot hold together ({listed}): their matrix is not positive "
            f"definite, its smallest eigenvalue is {smallest:.3f}"
        )
    return ""
