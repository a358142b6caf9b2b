"""Tests whether a time series has the level, trend, season and noise that its spec asks for."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import special

from sandbox.judging.check import ALPHA, Column, StatisticalCheck, listed, numbers
from sandbox.spec import Series


def check_series(count: int, series: Series, columns: Mapping[str, Any]) -> list[StatisticalCheck]:
    if series.name not in columns or len(columns) < 2:
        return [
            StatisticalCheck(
                "columns",
                False,
                f"the result has {list(columns)[:50]}, but needs a time and {series.name}",
            )
        ]
    time_values = next(values for name, values in columns.items() if name != series.name)
    x = numbers(series.name, columns[series.name])
    checks = [
        StatisticalCheck("count", len(x) == count == len(time_values), f"{len(x)} of {count}")
    ]
    if not checks[0].holds or not np.isfinite(x).all():
        return checks
    times = [str(value) for value in listed(time_values)]
    ordered = times == sorted(times) and len(set(times)) == len(times)
    starts = times[0][:7] == series.start[:7]
    checks.append(StatisticalCheck("times", ordered and starts, f"{times[0]} to {times[-1]}"))
    t = np.arange(count, dtype=float)
    level = (
        series.level * (1 + series.growth) ** t
        if series.growth
        else series.level + series.trend * t
    )
    season = series.amplitude * np.sin(2 * np.pi * t / series.period) if series.period else 0.0
    left = x - level - season
    return checks + (_check_noise(series, t, left) if series.noise else [_check_exact(left)])


def _check_exact(residuals: Column) -> StatisticalCheck:
    exact = bool(np.allclose(residuals, 0, atol=1e-4))
    largest = np.abs(residuals).max()
    return StatisticalCheck("trend and season", exact, f"largest error {largest:g}")


def _check_noise(series: Series, t: Column, residuals: Column) -> list[StatisticalCheck]:
    """Test the mean, the slope and the spread of the residuals."""
    count = len(residuals)
    mean = residuals.mean()
    z = float(mean / series.noise * math.sqrt(count))
    slope = float(np.polyfit(t, residuals, 1)[0]) if count > 2 else 0.0
    error = series.noise / math.sqrt(max(((t - t.mean()) ** 2).sum(), 1e-12))
    spread = float((residuals**2).sum() / series.noise**2)
    level_p = float(2 * special.ndtr(-abs(z)))
    trend_p = float(2 * special.ndtr(-abs(slope / error)))
    noise_p = 2 * min(float(special.chdtrc(count, spread)), float(special.chdtr(count, spread)))
    return [
        StatisticalCheck(name, p > ALPHA, detail, statistic, p)
        for name, detail, statistic, p in (
            ("level", f"the residuals have mean {mean:.4g}", z, level_p),
            ("trend", f"the residuals rise by {slope:.3g} per step", slope, trend_p),
            ("noise", f"sd {residuals.std():.4g}, required {series.noise:g}", spread, noise_p),
        )
    ]
