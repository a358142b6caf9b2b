"""Worlds of backends that are drawn at random: slots, times, prices, qualities, and a step in load.

A backend works on as many calls at a time as it has slots, and others wait. In the middle third
of a world, either more requests come, or a hosted backend takes several times as long: an incident.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

THIRD = 120.0  # seconds
_HOSTED = 10_000  # slots of a backend that never queues
_SPREAD = 0.5  # the standard deviation of the logarithm of a call's seconds


@dataclass(frozen=True, slots=True)
class Served:
    """A backend."""

    name: str
    slots: int
    seconds: float
    usd: float
    quality: float

    @property
    def most(self) -> float:
        """The requests a second that it can answer."""
        return self.slots / self.seconds


@dataclass(frozen=True, slots=True)
class World:
    number: int
    kind: str  # "load", "incident", or "idle": nothing happens
    backends: tuple[Served, ...]
    usual: float  # requests a second
    step: float
    slow: str = ""  # the backend that has the incident
    slower: float = 1.0

    def rate(self, now: float) -> float:
        return self.step if THIRD <= now < 2 * THIRD else self.usual

    def arrivals(self) -> Iterator[float]:
        drawn, now = random.Random(f"arrivals {self.kind} {self.number}"), 0.0
        while now < 3 * THIRD:
            now += drawn.expovariate(self.rate(now))
            yield now

    def seconds(self, backend: Served, now: float, drawn: random.Random) -> float:
        seconds = backend.seconds * math.exp(drawn.gauss(-(_SPREAD**2) / 2, _SPREAD))
        hurt = backend.name == self.slow and THIRD <= now < 2 * THIRD
        return seconds * self.slower if hurt else seconds


def world(number: int, kind: str) -> World:
    drawn = random.Random(f"{kind} {number}")
    backends = [
        Served(
            f"local{at}",
            drawn.choice([1, 2, 4, 8, 16]),
            math.exp(drawn.uniform(math.log(0.1), math.log(1.5))),
            drawn.choice([0.0, 0.0001, 0.0004]),
            drawn.uniform(0.7, 0.8),
        )
        for at in range(drawn.choice([1, 2]))
    ]
    backends += [
        Served(
            f"hosted{at}",
            _HOSTED,
            math.exp(drawn.uniform(math.log(0.5), math.log(3.0))),
            math.exp(drawn.uniform(math.log(0.0004), math.log(0.01))),
            drawn.uniform(0.72, 0.85),
        )
        for at in range(drawn.choice([1, 2]))
    ]
    local = [each for each in backends if each.slots < _HOSTED]
    usual = min(0.4 * min(each.most for each in local), 12.0)
    made = World(number, kind, tuple(backends), usual, usual)
    if kind == "load":
        step = drawn.uniform(1.5, 4.0) * sum(each.most for each in local)
        return replace(made, step=min(step, 40.0))
    if kind == "incident":
        hurt, slower = drawn.choice(backends).name, drawn.uniform(4, 10)
        return replace(made, slow=hurt, slower=slower)
    return made
