"""The evidence on how good each arm was in each context, as sums that are exact to the last bit.

For each arm these are the sums of a Bayesian linear regression: of `x xᵀ`, of `x y`, of `y²` and of
the weights. River's `BayesianLinearRegression` adds up the same sums, but it cannot weigh an
observation or remove one, and its sums are private; the tests compare our sums with River's.

Only the sums are stored: `pooling` computes the posterior from them. Contexts and qualities lie on
a binary grid, on which adding is exact in floating point: the sums of several learners can be added
in any order, and an observation can be removed, to the last bit.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from learner.policy import Arm, Context
from learner.posterior import Matrix, Vector, on_grid

# Directions of a sentence vector beyond the first 16: too many for a linear regression. Rows keep
# them for other estimators.
_TOO_FINE = frozenset(f"vec.{number}" for number in range(16, 48))
MIDDLE = 0.5  # the expected quality without evidence; sums count from it


@dataclass(frozen=True, slots=True)
class ArmSums:
    """The weighted sums over the judged answers of one arm."""

    precision: Matrix
    natural: Vector
    squares: float = 0.0
    weight: float = 0.0

    @classmethod
    def empty(cls, size: int) -> Self:
        return cls(np.zeros((size, size)), np.zeros(size))

    @classmethod
    def of(cls, x: Vector, y: float, weight: float) -> Self:
        """The sums of one observation; a negative weight removes an earlier observation."""
        weighted = weight * x
        return cls(np.outer(weighted, x), weighted * y, weight * y * y, weight)

    def plus(self, other: "ArmSums") -> "ArmSums":
        return ArmSums(
            self.precision + other.precision,
            self.natural + other.natural,
            self.squares + other.squares,
            self.weight + other.weight,
        )

    def times(self, share: float) -> "ArmSums":
        return ArmSums(
            share * self.precision, share * self.natural, share * self.squares, share * self.weight
        )

    def placed(self, at: NDArray[np.intp], size: int) -> "ArmSums":
        """The same sums over `size` features, where feature n moves to place `at[n]`."""
        precision, natural = np.zeros((size, size)), np.zeros(size)
        precision[np.ix_(at, at)] = self.precision
        natural[at] = self.natural
        return ArmSums(precision, natural, self.squares, self.weight)


@dataclass(frozen=True, slots=True)
class Sums:
    """The sums of a learner, all or since a certain moment, for another learner to add."""

    names: tuple[str, ...]
    arms: Mapping[Arm, ArmSums]


@dataclass
class Evidence:
    """The sums of every arm, all over the same features."""

    names: dict[str, int] = field(default_factory=lambda: {"bias": 0})
    arms: dict[Arm, ArmSums] = field(default_factory=dict)

    def learn(self, arm: Arm, context: Context, quality: float, weight: float = 1.0) -> None:
        observed = ArmSums.of(self.vector(context), on_grid(quality) - MIDDLE, on_grid(weight))
        self.arms[arm] = self._of(arm).plus(observed)

    def unlearn(self, arm: Arm, context: Context, quality: float, weight: float = 1.0) -> None:
        self.learn(arm, context, quality, -weight)

    def vector(self, context: Context) -> Vector:
        """A context as an array of numbers; new features get a place in all sums."""
        self._grow(context)
        x = np.zeros(len(self.names))
        for name, value in context.items():
            if name in self.names:
                x[self.names[name]] = on_grid(value)
        x[0] = 1.0
        return x

    def weight(self, arm: Arm) -> float:
        return self.arms[arm].weight if arm in self.arms else 0.0

    def mean_context(self, arm: Arm) -> Vector | None:
        """The mean context of an arm's answers; None for an arm without evidence."""
        if self.weight(arm) <= 0:
            return None
        precision = self.arms[arm].precision
        return np.asarray(precision[0] / precision[0, 0])

    def forget(self, share: float, arms: Iterable[Arm] | None = None) -> None:
        """Multiply the sums of these arms, or of all arms, by this share."""
        for arm in list(self.arms) if arms is None else arms:
            self.arms[arm] = self._of(arm).times(share)

    def add_arm(self, arm: Arm) -> None:
        self.arms[arm] = self._of(arm)

    def drop_arm(self, arm: Arm) -> None:
        self.arms.pop(arm, None)

    def drop_features(self, names: Sequence[str]) -> None:
        """Remove features from the sums of every arm; the other sums are what they are."""
        kept = [name for name in self.names if name not in names]
        at = np.array([self.names[name] for name in kept])
        self.names = {name: place for place, name in enumerate(kept)}
        self.arms = {
            arm: ArmSums(
                sums.precision[np.ix_(at, at)], sums.natural[at], sums.squares, sums.weight
            )
            for arm, sums in self.arms.items()
        }

    def sums(self, since: Sums | None = None) -> Sums:
        """All sums, or only the sums added since `since`, an earlier result of this method."""
        if since is None:
            return Sums(tuple(self.names), dict(self.arms))
        size, at = len(self.names), np.arange(len(since.names))
        return Sums(
            tuple(self.names),
            {
                arm: sums.plus(since.arms[arm].placed(at, size).times(-1))
                if arm in since.arms
                else sums
                for arm, sums in self.arms.items()
            },
        )

    def merge(self, sums: Sums) -> None:
        """Add another learner's sums, as if this learner had learned from the same answers."""
        self._grow(sums.names)
        at = np.array([self.names[name] for name in sums.names])
        for arm, theirs in sums.arms.items():
            self.arms[arm] = self._of(arm).plus(theirs.placed(at, len(self.names)))

    def _grow(self, names: Iterable[str]) -> None:
        before = len(self.names)
        for name in names:
            if name not in _TOO_FINE:
                self.names.setdefault(name, len(self.names))
        if len(self.names) > before:
            at, size = np.arange(before), len(self.names)
            self.arms = {arm: sums.placed(at, size) for arm, sums in self.arms.items()}

    def _of(self, arm: Arm) -> ArmSums:
        return self.arms.get(arm) or ArmSums.empty(len(self.names))
