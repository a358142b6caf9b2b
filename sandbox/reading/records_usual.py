"""The usual figures of quantities like an age or a salary, for requests that give no figures.

Only a request that leaves all parameters open gets these figures, and its answer says so.
"""

import math
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sandbox.spec import Distribution

COUNT = 100  # records, if a request names whose records it wants, but not how many
_TWO_PEAKS = 1.25  # standard deviations between the mean and each of two peaks


@dataclass(frozen=True, slots=True)
class Usual:
    mean: float
    sd: float
    low: float | None = None
    high: float | None = None
    decimals: int | None = None


@cache
def _figures() -> dict[str, Usual]:
    text = Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
    return {
        word: Usual(**{key: value for key, value in row.items() if key != "words"})
        for row in tomllib.loads(text).values()
        for word in row["words"]
    }


def usual_of(name: str) -> Usual | None:
    """The figures of a named quantity, such as `starting_salary`; None if the name is unknown."""
    words = name.replace("-", "_").split("_")
    if "iq" in words:  # not any score
        return _figures()["iq"]
    return next((_figures()[word] for word in reversed(words) if word in _figures()), None)


def usual_distribution(family: str, usual: Usual) -> Distribution | None:
    """The distribution of this family with the usual figures; None if the family has none."""
    mean, sd = float(usual.mean), float(usual.sd)
    match family:
        case "normal":
            return Distribution("normal", {"mean": mean, "sd": sd})
        case "mixture":
            peaks = (mean - _TWO_PEAKS * sd, mean + _TWO_PEAKS * sd)
            parts = tuple(Distribution("normal", {"mean": at, "sd": sd / 2}) for at in peaks)
            return Distribution("mixture", parts=parts, weights=(0.5, 0.5))
        case "uniform":
            low = mean - 2 * sd if usual.low is None else float(usual.low)
            high = mean + 2 * sd if usual.high is None else float(usual.high)
            return Distribution("uniform", {"low": low, "high": high})
        case "lognormal":
            return lognormal_of(mean, sd)
        case "exponential":
            return Distribution("exponential", {"mean": mean})
    return None


def lognormal_of(mean: float, sd: float) -> Distribution:
    """The lognormal distribution whose values have this mean and standard deviation."""
    share = math.log1p((sd / mean) ** 2)
    mu, sigma = round(math.log(mean) - share / 2, 12), round(math.sqrt(share), 12)
    return Distribution("lognormal", {"mu": mu, "sigma": sigma})
