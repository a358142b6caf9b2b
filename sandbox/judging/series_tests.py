"""Is a series what its level, trend, season and noise make it?"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import special

from sandbox.judging.check import ALPHA, StatisticalCheck, listed
from sandbox.spec import Series


def of_series(count: int, series: Series, columns: Mapping[str, Any]) -> list[StatisticalCheck]:
    if series.name not in columns or len(columns) < 2:
        return [
            StatisticalCheck(
                "columns", False, f"there are {list(columns)}, not a time and {series.name}"
            )
        ]
    time = next(values for name, values in columns.items() if name != series.name)
    x = np.asarray(columns[series.name], dtype=float)
    checks = [StatisticalCheck("count", len(x) == count == len(time), f"{len(x)} of {count}")]
    if not checks[0].holds or not np.isfinite(x).all():
        return checks
    said = [str(value) for value in listed(time)]
    ordered = said == sorted(said) and len(set(said)) == len(said)
    starts = said[0][:7] == series.start[:7]
    checks.append(StatisticalCheck("times", ordered and starts, f"{said[0]} to {said[-1]}"))
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
        return [
            *checks,
            StatisticalCheck("trend and season", exact, f"largest miss {np.abs(left).max():g}"),
        ]
    z = float(left.mean() / series.noise * math.sqrt(count))
    p = float(2 * special.ndtr(-abs(z)))
    checks.append(
        StatisticalCheck("level", p > ALPHA, f"what is left has mean {left.mean():.4g}", z, p)
    )
    slope = float(np.polyfit(t, left, 1)[0]) if count > 2 else 0.0
    error = series.noise / math.sqrt(max(((t - t.mean()) ** 2).sum(), 1e-12))
    p = float(2 * special.ndtr(-abs(slope / error)))
    checks.append(
        StatisticalCheck("trend", p > ALPHA, f"what is left rises by {slope:.3g} a step", slope, p)
    )
    spread = float((left**2).sum() / series.noise**2)
    p = 2 * min(float(special.chdtrc(count, spread)), float(special.chdtr(count, spread)))
    checks.append(
        StatisticalCheck(
            "noise", p > ALPHA, f"sd {left.std():.4g}, asked for {series.noise:g}", spread, p
        )
    )
    return checks
