"""What is known of contexts beyond the sums: trees, how far to believe them, and what they gain.

`Insight` is a plain value over numpy, and loads nothing else. `growing.py` makes it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import log, sqrt
from typing import Any

import numpy as np

from learner.forest import Forest
from learner.policy import Arm
from learner.posterior import Matrix, Vector

_DOUBT = 0.1  # the chance that the lower bound of a gain is ever above the gain
_TUNED_TO = 500.0  # answers at which the bound is tightest
_ENOUGH, _LEAST_VARIANCE = 30.0, 1e-4
_KEPT = 3_000.0  # answers after which an old answer hardly counts


def kept_of(answers: int) -> float:
    """The share of old sums that remains when so many answers come."""
    return 1 - min(answers / _KEPT, 0.5)


@dataclass(frozen=True, slots=True)
class Ledger:
    """What choosing by context gained over the best arm, on answers judged since it was known.

    Each answer is a doubly robust estimate, made before the answer was learned from. Old answers
    count less, because what is known grows.
    """

    count: float = 0.0
    total: float = 0.0
    squares: float = 0.0

    def plus(self, gains: Vector) -> "Ledger":
        kept = kept_of(len(gains))
        return Ledger(
            kept * self.count + len(gains),
            kept * self.total + float(gains.sum()),
            kept * self.squares + float((gains**2).sum()),
        )

    def state(self) -> list[float]:
        return [self.count, self.total, self.squares]

    @property
    def gain(self) -> float:
        """Utility a request; none while too little is known."""
        return self.total / self.count if self.count >= _ENOUGH else 0.0

    @property
    def deviation(self) -> float:
        """Of one answer's gain."""
        if self.count < _ENOUGH:
            return 1.0
        return sqrt(max(self.squares / self.count - self.gain**2, _LEAST_VARIANCE))

    @property
    def least_gain(self) -> float:
        """A lower bound of the gain that holds at every look, as far as the mean is normal."""
        if self.count < _ENOUGH:
            return -1.0
        ratio = self.count / _TUNED_TO
        radius = sqrt((1 + 1 / ratio) * log((1 + ratio) / _DOUBT**2) / self.count)
        return self.gain - self.deviation * radius


@dataclass(frozen=True, slots=True)
class Insight:
    """An arm's quality is its mean, plus parts of what two estimators say of the context."""

    arms: tuple[Arm, ...]
    forest: Forest
    alike: float  # how far to believe what regressions say of all arms together
    linear: Vector  # how far to believe what regressions say of one arm alone, by arm
    trees: Vector  # how far to believe the trees, by arm
    ledger: Ledger

    def mixed(self, means: Vector, linear: Matrix, trees: Matrix) -> Matrix:
        """The quality of arms, from their means and what estimators say beyond these means.

        The last axis is that of the arms.
        """
        alike = np.add.reduce(linear, axis=-1, keepdims=True) / linear.shape[-1]
        return np.asarray(
            means + self.alike * alike + self.linear * (linear - alike) + self.trees * trees
        )

    def of(self, arms: Sequence[Arm]) -> "Insight":
        """The same for other arms: a new arm has no trees, and the usual trust in regressions."""
        if tuple(arms) == self.arms:
            return self
        before = {arm: at for at, arm in enumerate(self.arms)}
        usual = float(self.linear.mean()) if len(self.linear) else 1.0
        at = {before[arm]: place for place, arm in enumerate(arms) if arm in before}
        kept = np.array([int(owner) in at for owner in self.forest.owners], dtype=bool)
        owners = [at[int(owner)] for owner in self.forest.owners[kept]]
        forest = replace(
            self.forest,
            roots=self.forest.roots[kept],
            owners=np.array(owners, dtype=np.intp),
            count=len(arms),
        )
        return replace(
            self,
            arms=tuple(arms),
            forest=forest,
            linear=np.array([self.linear[before[a]] if a in before else usual for a in arms]),
            trees=np.array([self.trees[before[a]] if a in before else 0.0 for a in arms]),
        )

    def state(self) -> dict[str, Any]:
        return {
            "arms": self.arms,
            "forest": self.forest.state(),
            "alike": self.alike,
            "linear": self.linear.tolist(),
            "trees": self.trees.tolist(),
            "ledger": self.ledger.state(),
        }

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> "Insight":
        return cls(
            tuple(map(Arm, state["arms"])),
            Forest.restored(state["forest"]),
            float(state["alike"]),
            np.array(state["linear"], dtype=float),
            np.array(state["trees"], dtype=float),
            Ledger(*map(float, state["ledger"])),
        )
