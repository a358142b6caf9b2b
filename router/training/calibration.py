"""Makes a head's confidence true, and chooses from which confidence on it answers. Pure functions.

`losses` are how much worse than its teacher a head's answer would be, from 0 to 1. The threshold
is the lowest confidence at which the answers above it lose at most what is allowed, by an upper
bound.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from router.models.scoring import chances

Numbers = NDArray[np.float64]
NEVER = 2.0  # a threshold that no confidence reaches
DEVIATIONS = 1.28  # of the bound: nine of ten
_LEAST_ANSWERED = 20  # rows that must speak for a threshold
_TEMPERATURES = np.geomspace(0.2, 5.0, 41)
_BINS = 10


@dataclass(frozen=True, slots=True)
class Threshold:
    """From which confidence on the head answers, and what that meant for the rows it came from."""

    confidence: float
    share: float
    loss: float
    bound: float


def temperature_of(scores: Numbers, labels: NDArray[np.intp], weights: Numbers) -> float:
    """The temperature at which the chances of the right labels are likeliest."""

    def surprise(temperature: float) -> float:
        right = chances(scores, temperature)[np.arange(len(labels)), labels]
        return float(-(weights * np.log(np.maximum(right, 1e-12))).sum())

    return min(map(float, _TEMPERATURES), key=surprise) if len(labels) else 1.0


def calibrated(confidences: Numbers, losses: Numbers) -> tuple[Numbers, Numbers]:
    """How often answers of a confidence are as good as the teacher's, as a rising line."""
    from sklearn.isotonic import IsotonicRegression  # type: ignore[import-untyped]

    if not len(confidences):
        return np.array([0.0, 1.0]), np.array([0.0, 0.0])
    line = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip")
    # Two rows of doubt at each end: few rows prove neither certainty.
    around = np.concatenate([confidences, [0.0, 1.0]])
    weights = np.concatenate([np.ones(len(confidences)), [1.0, 1.0]])
    line.fit(around, np.concatenate([1 - losses, [0.0, 0.5]]), sample_weight=weights)
    return np.asarray(line.X_thresholds_, float), np.asarray(line.y_thresholds_, float)


def threshold_of(
    confidences: Numbers, losses: Numbers, allowed: float, deviations: float = DEVIATIONS
) -> Threshold:
    """The lowest threshold that keeps to the allowed loss; `NEVER` if there is none. The bound is
    so many deviations above what was seen: none suffice to compare, and not to decide."""
    order = np.argsort(-confidences, kind="stable")
    falling, lost = confidences[order], losses[order]
    best = Threshold(NEVER, 0.0, 0.0, 1.0)
    total = np.cumsum(lost)
    for n in range(_LEAST_ANSWERED, len(order) + 1):
        if n < len(order) and falling[n] == falling[n - 1]:
            continue  # rows of one confidence are answered together
        bound = upper(float(total[n - 1]), n, deviations)
        if bound <= allowed:
            loss = float(total[n - 1]) / n
            best = Threshold(float(falling[n - 1]), n / len(order), loss, bound)
    return best


def upper(lost: float, rows: int, deviations: float = DEVIATIONS) -> float:
    """Wilson's upper bound of a share."""
    share, z2 = lost / rows, deviations**2
    spread = math.sqrt(share * (1 - share) / rows + z2 / (4 * rows * rows))
    return (share + z2 / (2 * rows) + deviations * spread) / (1 + z2 / rows)


def reliability(probabilities: Numbers, losses: Numbers) -> dict[str, Any]:
    """How far probabilities are from what happened: the mean gap over ten bins, and the bins."""
    bins = []
    gap = 0.0
    for step in range(_BINS):
        low, high = step / _BINS, (step + 1) / _BINS
        inside = (probabilities >= low) & ((probabilities < high) | (step == _BINS - 1))
        if inside.any():
            stated, was = float(probabilities[inside].mean()), float(1 - losses[inside].mean())
            rows = int(inside.sum())
            gap += rows * abs(stated - was)
            bins.append({"from": low, "rows": rows, "predicted": stated, "right": was})
    rows = max(1, len(probabilities))
    return {"expected_calibration_error": gap / rows, "bins": bins}
