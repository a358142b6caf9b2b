"""Tests whole numbers that are drawn without putting any back, all equally likely."""

import math

import numpy as np
from scipy import special

from sandbox.judging.check import Column
from sandbox.judging.samples.measurement import Measurement
from sandbox.spec import Field


def drawn_once(field: Field, x: Column) -> list[Measurement]:
    """Test the drawn numbers; or those that were left, which are as random, if they are fewer."""
    assert field.distribution is not None
    ends = field.distribution.parameters
    first = math.ceil(ends["low"] if field.low is None else max(ends["low"], field.low))
    last = math.floor(ends["high"] if field.high is None else min(ends["high"], field.high))
    count = last - first + 1
    places = np.rint(x - first).astype(np.int64)
    if len(x) > count // 2:
        left = np.ones(count, dtype=bool)
        left[places[(places >= 0) & (places < count)]] = False
        places = np.flatnonzero(left)
    n = len(places)
    if not n:
        return []
    share = n / count
    ordered = np.sort((places + 0.5) / count)
    steps = np.arange(n + 1) / n
    distance = float(max((steps[1:] - ordered).max(), (ordered - steps[:-1]).max()))
    distance = max(0.0, distance - 0.5 / count)
    root = math.sqrt(n / (1 - share))  # what is not put back scatters less
    far = float(special.kolmogorov(distance * (root + 0.12 + 0.11 / root)))
    scatter = (count * count - 1) / (12 * count * count) * (1 - share) * count / (count - 1)
    z = (float(ordered.mean()) - 0.5) * math.sqrt(n / scatter) if scatter else 0.0

    def power(alpha: float) -> str:
        missed = math.sqrt(math.log(2 / alpha) / 2) / root
        return f"at n = {len(x)} a distribution that is off by {missed:.2g} passes half the time"

    def power_of_mean(alpha: float) -> str:
        missed = -float(special.ndtri(alpha / 2)) * math.sqrt(scatter / n) * count
        return f"at n = {len(x)} a mean that is off by {missed:.3g} passes half the time"

    return [
        Measurement(f"{field.name}: uniform", f"KS: {n} of {count}", distance, far, power),
        Measurement(
            f"{field.name}: mean",
            f"{z:+.2f} standard errors from what was asked for",
            z,
            2 * float(special.ndtr(-abs(z))),
            power_of_mean,
        ),
    ]
