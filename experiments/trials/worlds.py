"""Made-up requests for trials of two strategies that agree on most requests.

The experiment chooses the true gain of the candidate, so that it can count false verdicts. Contexts
explain a part of the outcome, as contexts in telemetry do.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from learner.assignment import Side
from learner.sequence import ComparedUnit

Kind = Literal["binary", "graded", "rare failures", "heavy costs"]
KINDS: tuple[Kind, ...] = ("binary", "graded", "rare failures", "heavy costs")


@dataclass(frozen=True)
class Unit:
    side: Side
    seconds: float
    exposed: ComparedUnit | None  # None if both strategies choose the same plan


@dataclass
class TrialWorld:
    """A stream of requests.

    `gain` is the mean quality that the candidate adds to a request. `apart` is the share of
    requests on which the strategies differ. `share` is the candidate's share of the requests.
    """

    kind: Kind = "binary"
    gain: float = 0.0
    apart: float = 0.3
    share: float = 0.5

    def units(self, chance: np.random.Generator, most: int) -> Iterator[Unit]:
        for _ in range(most):
            yield self._unit(chance)

    def _unit(self, chance: np.random.Generator) -> Unit:
        gain = self.gain / self.apart  # The other requests gain nothing.
        candidate = bool(chance.random() < self.share)
        side: Side = "candidate" if candidate else "current"
        seconds = float(np.exp(chance.normal(-1.5, 0.6)))
        if chance.random() >= self.apart:
            return Unit(side, seconds, None)
        task, hard = int(chance.integers(4)), float(chance.random())
        base = (0.75, 0.6, 0.85, 0.5)[task] - 0.3 * hard
        likely = min(max(base + (gain if candidate else 0.0), 0.0), 1.0)
        cost = float(np.exp(chance.normal(-7, 0.5)))
        if self.kind == "graded":
            quality = float(chance.beta(6 * likely + 0.1, 6 * (1 - likely) + 0.1))
        elif self.kind == "rare failures":
            quality = float(chance.random() < 0.97 + (gain if candidate else 0.0))
        else:
            quality = float(chance.random() < likely)
        if self.kind == "heavy costs":
            cost = float(np.exp(chance.normal(-7, 0.5)) * (1 + chance.pareto(1.5)))
        log_cost = float(np.log10(1 + 1000 * cost))
        utility = quality - 0.1 * log_cost - 0.05 * float(np.log10(1 + 10 * seconds))
        context = {f"task={task}": 1.0, "hard": hard}
        share = self.share if candidate else 1 - self.share
        exposed = ComparedUnit(side, share, context, log_cost, seconds, False, quality, utility)
        return Unit(side, seconds, exposed)
