"""How far to believe each estimator: as far as it foretold what came.

An estimator is asked about an answer before anything was learned from that answer. What estimators
foretold and what came are sums, by arm; the weights follow from the sums by least squares. Old
answers count less and less, because estimators get better.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learner.insight import kept_of
from learner.policy import Arm
from learner.posterior import Matrix, Vector

# The estimators: regressions on what all arms have in common, regressions on what tells arms
# apart, and trees. Regressions are averaged over beliefs by evidence, so they are believed until
# answers speak against it; trees are believed as far as answers speak for them.
_USUAL = np.array([1.0, 1.0, 0.0])
# Sums of squares of what was foretold, such as 0.1 squared for each of 100 answers.
_STRENGTH, _OWN_STRENGTH = np.array([1.0, 1.0, 0.3]), np.ones(3)
_MOST_BELIEVED = 1.2
_Sums = tuple[Matrix, Vector]


@dataclass(frozen=True, slots=True)
class Judged:
    """Answers that were judged since an estimator was made."""

    arms: tuple[Arm, ...]
    chosen: NDArray[np.intp]
    weight: Vector
    signs: Matrix  # what each estimator foretold beyond the arm's mean
    rest: Vector  # what came beyond the arm's mean
    gains: Vector  # what choosing by context gains, on answers with a propensity


@dataclass(frozen=True, slots=True)
class Foretold:
    """By arm, the sums of squares of what was foretold, and of its products with what came."""

    sums: Mapping[Arm, _Sums] = field(default_factory=dict)

    def plus(self, judged: Judged) -> "Foretold":
        kept = kept_of(len(judged.rest))
        sums = {}
        for place, arm in enumerate(judged.arms):
            here = judged.chosen == place
            weighed = judged.signs[here] * judged.weight[here, None]
            squares, products = self.sums.get(arm, _NOTHING)
            sums[arm] = (
                kept * squares + weighed.T @ judged.signs[here],
                kept * products + weighed.T @ judged.rest[here],
            )
        return Foretold(sums)

    def weights(self, arms: Sequence[Arm]) -> tuple[float, Vector, Vector]:
        """How far to believe each estimator, the second and the third one by arm.

        An arm with few answers is near the weights of all arms together.
        """
        of_arms = [self.sums.get(arm, _NOTHING) for arm in arms]
        squares = sum((sums[0] for sums in of_arms), np.zeros((3, 3)))
        products = sum((sums[1] for sums in of_arms), np.zeros(3))
        usual = _least_squares(squares, products, _USUAL, _STRENGTH)
        own = [_least_squares(*sums, usual, _OWN_STRENGTH) for sums in of_arms]
        by_arm = np.array(own).reshape(-1, 3)
        return float(usual[0]), by_arm[:, 1], by_arm[:, 2]

    def state(self) -> dict[str, Any]:
        return {arm: [sums[0].tolist(), sums[1].tolist()] for arm, sums in self.sums.items()}

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> "Foretold":
        return cls(
            {
                Arm(arm): (np.array(squares, dtype=float), np.array(products, dtype=float))
                for arm, (squares, products) in state.items()
            }
        )


_NOTHING: _Sums = np.zeros((3, 3)), np.zeros(3)


def _least_squares(squares: Matrix, products: Vector, prior: Vector, strength: Vector) -> Vector:
    """The weights of least squares, none of them negative, drawn towards a prior."""
    from scipy.optimize import nnls  # half a second, which the start of a service does not need

    root = np.linalg.cholesky(squares + np.diag(strength))
    solved, _ = nnls(root.T, np.linalg.solve(root, products + strength * prior))
    return np.asarray(np.minimum(solved, _MOST_BELIEVED))
