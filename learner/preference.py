"""A caller's preference between quality, cost and latency, and a policy's estimate of an arm."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log10
from typing import NamedTuple

from learner.policy import Arm


@dataclass(frozen=True, slots=True)
class Preference:
    """Utility is quality - cost * log10(1 + 1000 * dollars) - latency * log10(1 + 10 * seconds)."""

    cost: float = 0.1
    latency: float = 0.05

    def price(self, usd: float, seconds: float) -> float:
        """What the dollars and the time of an answer take from its utility."""
        return self.cost * log10(1 + 1000 * usd) + self.latency * log10(1 + 10 * seconds)


BALANCED = Preference()
PRESETS: Mapping[str, Preference] = {
    "quality": Preference(0.02, 0.01),
    "balanced": BALANCED,
    "cheap": Preference(0.4, 0.02),
    "fast": Preference(0.05, 0.4),
}


class Estimate(NamedTuple):
    """What a policy expects of an arm in a context."""

    arm: Arm
    quality: float
    deviation: float  # the standard deviation of the quality
    cost: float
    seconds: float
    failure: float
    utility: float
    share: float
