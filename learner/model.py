"""What was known when trees grew: enough to say what it foretells of later answers, and gains.

The gain of choosing by context is doubly robust: estimates of all arms, corrected by the answers
that were drawn, over their logged propensities. A correction is bounded, so where an arm was drawn
rarely, the gain rests on estimates; it is corrected as soon as choosing by context is tried.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from learner.foretold import Judged
from learner.insight import Insight
from learner.posterior import Matrix, Vector
from learner.rows import RowArrays

_LEAST_PROPENSITY = 0.1


@dataclass(frozen=True, slots=True)
class Model:
    insight: Insight
    names: Mapping[str, int]  # the features of the regressions
    regressions: Matrix  # a row of weights for each arm
    means: Vector  # the qualities of arms on the whole
    next_number: int  # the number of the first answer that it does not know

    def judged(self, rows: RowArrays, prices: Vector) -> Judged:
        """What the model foretold of later answers, and what choosing by it gains on them."""
        rows = rows.since(self.next_number)
        own = np.arange(len(rows.chosen)), rows.chosen
        linear = self._linear(rows) - self.means
        trees = self.insight.forest.of_rows(rows.over(self.insight.forest.names))
        quality = self.insight.mixed(self.means, linear, trees)
        alike = linear.mean(axis=1)
        signs = np.stack((alike, linear[own] - alike, trees[own]), axis=1)
        rest = rows.quality - self.means[rows.chosen]
        gains = _gains(rows, quality, prices, int((self.means - prices).argmax()))
        return Judged(rows.arms, rows.chosen, rows.weight, signs, rest, gains[rows.propensity > 0])

    def _linear(self, rows: RowArrays) -> Matrix:
        """What the regressions expect of each arm on each row."""
        x = rows.over(self.names)
        x[:, 0] = 1.0
        return np.asarray(x @ self.regressions.T)

    def state(self) -> dict[str, Any]:
        return {
            "insight": self.insight.state(),
            "names": list(self.names),
            "regressions": self.regressions.tolist(),
            "means": self.means.tolist(),
            "next_number": self.next_number,
        }

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> "Model":
        return cls(
            Insight.restored(state["insight"]),
            {name: at for at, name in enumerate(state["names"])},
            np.array(state["regressions"], dtype=float),
            np.array(state["means"], dtype=float),
            int(state["next_number"]),
        )


def _gains(rows: RowArrays, quality: Matrix, prices: Vector, best: int) -> Vector:
    """What the arm that is best in its context gains over the arm that is best on the whole."""
    every = np.arange(len(rows.chosen))
    worth = quality - prices
    picked = worth.argmax(axis=1)
    missed = rows.quality - quality[every, rows.chosen]
    differs = (rows.chosen == picked).astype(np.float64) - (rows.chosen == best)
    corrected = differs * missed / np.maximum(rows.propensity, _LEAST_PROPENSITY)
    return np.asarray(worth[every, picked] - worth[:, best] + corrected)
