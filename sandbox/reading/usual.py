"""The usual figures of quantities like an age or a salary, for requests that give no figures.

Only a request that leaves all parameters open gets these figures. Any choice would satisfy such a
request, and realistic figures are the best choice.
"""

import re
from dataclasses import dataclass

from sandbox.reading.distributions import lognormal_of
from sandbox.spec import Distribution

COUNT = 100  # records, if a request does not say how many


@dataclass(frozen=True, slots=True)
class UsualFigures:
    mean: float
    deviation: float
    low: float | None = None
    high: float | None = None
    decimals: int | None = None


_USUAL = {
    "age": UsualFigures(40, 12, 18, 90, 0),
    "salary": UsualFigures(60_000, 15_000, 20_000, 150_000, 0),
    "income": UsualFigures(60_000, 20_000, 10_000, 200_000, 0),
    "wage": UsualFigures(25, 8, 8, None, 2),
    "height": UsualFigures(170, 10, 130, 220, 1),
    "weight": UsualFigures(72, 14, 35, 180, 1),
    "score": UsualFigures(70, 12, 0, 100, 1),
    "grade": UsualFigures(75, 10, 0, 100, 1),
    "iq": UsualFigures(100, 15, 40, 160, 0),
    "gpa": UsualFigures(3.0, 0.5, 0, 4, 2),
    "rating": UsualFigures(3.7, 0.8, 1, 5, 1),
    "price": UsualFigures(50, 15, 1, None, 2),
    "temperature": UsualFigures(20, 5, None, None, 1),
    "duration": UsualFigures(30, 8, 1, None, 1),
    "experience": UsualFigures(10, 5, 0, 45, 1),
    "tenure": UsualFigures(6, 3, 0, 45, 1),
}
_TWO_PEAKS = 1.25  # standard deviations between the mean and each of two peaks
_NAMED = re.compile(r"[a-z]+")


def of(name: str, family: str) -> tuple[Distribution, UsualFigures] | None:
    """The usual distribution of a named quantity, with its usual parameters; None for other
    names."""
    usual = next((_USUAL[word] for word in reversed(_NAMED.findall(name)) if word in _USUAL), None)
    if usual is None:
        return None
    mean, deviation = usual.mean, usual.deviation
    match family:
        case "normal":
            return Distribution("normal", {"mean": mean, "sd": deviation}), usual
        case "mixture":
            apart = _TWO_PEAKS * deviation
            peaks = tuple(
                Distribution("normal", {"mean": at, "sd": deviation / 2})
                for at in (mean - apart, mean + apart)
            )
            return Distribution("mixture", parts=peaks, weights=(0.5, 0.5)), usual
        case "uniform":
            low = usual.low if usual.low is not None else mean - 2 * deviation
            high = usual.high if usual.high is not None else mean + 2 * deviation
            return Distribution("uniform", {"low": low, "high": high}), usual
        case "lognormal":
            return lognormal_of(mean, deviation), UsualFigures(
                mean, deviation, decimals=usual.decimals
            )
        case "exponential":
            return Distribution("exponential", {"mean": mean}), UsualFigures(mean, deviation)
    return None
