"""Tests whether a series has the times, level, trend, season and noise that its spec asks for."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import special

from sandbox.judging.check import Column, StatisticalCheck, listed, numbers
from sandbox.judging.samples import marginal
from sandbox.judging.samples.measurement import Measurement, decided
from sandbox.judging.samples.order import order
from sandbox.judging.samples.scores import scores_of_numbers
from sandbox.spec import Distribution, Field, Series

_UNITS = {"hour": "datetime64[h]", "month": "datetime64[M]"}
_LEAST = 6  # times from which the noise can be tested


def check_series(count: int, series: Series, columns: Mapping[str, Any]) -> list[StatisticalCheck]:
    others = [name for name in columns if name != series.name]
    if series.name not in columns or len(others) != 1 or series.time not in ("", *others):
        wanted = f"{series.time or 'a time'} and {series.name}"
        detail = f"the result has {list(columns)[:50]}, but needs {wanted}, and nothing else"
        return [StatisticalCheck("columns", False, detail)]
    time_values = columns[others[0]]
    x = numbers(series.name, columns[series.name])
    checks = [
        StatisticalCheck("count", len(x) == count == len(time_values), f"{len(x)} of {count}")
    ]
    if not checks[0].holds:
        return checks
    if not np.isfinite(x).all():
        return [*checks, StatisticalCheck("numbers", False, "some are missing or not finite")]
    checks.append(_check_times(series, listed(time_values)))
    t = np.arange(count, dtype=float)
    level = (
        series.level * (1 + series.growth) ** t
        if series.growth
        else series.level + series.trend * t
    )
    season = series.amplitude * np.sin(2 * np.pi * t / series.period) if series.period else 0.0
    left = x - level - season
    return checks + (decided(_noise(series, t, left)) if series.noise else [_check_exact(left)])


def _check_times(series: Series, values: list[Any]) -> StatisticalCheck:
    """Each time must be one step after the time before it, from the start on."""
    times = np.array([str(value) for value in values], dtype="datetime64")
    start = series.start[:7] if series.step == "month" else series.start
    begin = np.array(start, dtype=_UNITS.get(series.step, "datetime64[D]"))
    expected = begin + (7 if series.step == "week" else 1) * np.arange(len(values))
    holds = not np.isnat(times).any() and bool((times == expected).all())
    detail = f"{values[0]} to {values[-1]}, one {series.step} apart"
    return StatisticalCheck("times", holds, detail if holds else f"{detail}: some are not")


def _check_exact(residuals: Column) -> StatisticalCheck:
    exact = bool(np.allclose(residuals, 0, atol=1e-4))
    largest = np.abs(residuals).max()
    return StatisticalCheck("trend and season", exact, f"largest error {largest:g}")


def _noise(series: Series, t: Column, residuals: Column) -> list[Measurement]:
    """Test that what level, trend and season leave is normal, and as random as noise."""
    count = len(residuals)
    of = Distribution("normal", {"mean": 0.0, "sd": series.noise})
    scores = scores_of_numbers(Field(series.name, distribution=of), residuals)
    normal = marginal.normal_scores(scores)
    tests = [
        marginal.mean("level", normal, of),
        marginal.fit("noise: normal", np.sort(scores.uniform), f"sd {residuals.std():.4g}"),
    ]
    if count > 1:
        tests.append(marginal.spread("noise", normal, of))
    if count > 2:
        tests.append(_slope("trend", series.noise, t - t.mean(), residuals))
    if series.period and count > 2:
        wave = np.sin(2 * np.pi * t / series.period)
        tests.append(_slope("season", series.noise, wave - wave.mean(), residuals))
    if count >= _LEAST:
        tests.append(order("noise: order", scores, None))
    return tests


def _slope(name: str, noise: float, against: Column, residuals: Column) -> Measurement:
    """Whether the residuals still follow the trend, or the season."""
    spread = math.sqrt(max(float(against @ against), 1e-12))
    slope = float(against @ residuals) / spread**2
    z = slope / (noise / spread)

    def power(alpha: float) -> str:
        missed = -float(special.ndtri(alpha / 2)) * noise / spread
        return f"at n = {len(residuals)} a {name} that is off by {missed:.2g} passes half the time"

    detail = f"the residuals have a {name} of {slope:.3g}"
    return Measurement(name, detail, slope, 2 * float(special.ndtr(-abs(z))), power)
