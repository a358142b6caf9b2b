"""Controls that Waggle must beat: single models, chance, rules, and a bandit without contexts."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from experiments.replay.outcomes import Matrix, Outcomes
from experiments.replay.playing import COST, Vector
from experiments.replay.streams import Stream
from learner.policy import Arm
from router.config.objective import LadderSettings
from router.routing.ladder import ladder_of

_DRAWS = 200


@dataclass
class Odds:
    """Always the same odds, whatever the prompt."""

    shares: Vector

    def odds(self, step: int) -> Vector:  # noqa: ARG002
        return self.shares

    def answer(self, step: int, arm: int) -> None: ...
    def learn(self, step: int, arm: int, quality: float) -> None: ...


@dataclass
class PerStep:
    """Odds of each step that were worked out beforehand."""

    shares: Matrix

    def odds(self, step: int) -> Vector:
        row: Vector = self.shares[step]
        return row

    def answer(self, step: int, arm: int) -> None: ...
    def learn(self, step: int, arm: int, quality: float) -> None: ...


@dataclass
class ThompsonWithoutContext:
    """Thompson sampling with one Beta posterior for each model."""

    stream: Stream
    weight: float = COST
    good: Vector = field(init=False)
    bad: Vector = field(init=False)

    def __post_init__(self) -> None:
        count = len(self.stream.outcomes.arms)
        self.good, self.bad = np.ones(count), np.ones(count)
        self.chance = np.random.default_rng(self.stream.seed)
        self.dear = self.weight * self.stream.outcomes.dearness

    def odds(self, step: int) -> Vector:  # noqa: ARG002
        worth = self.chance.beta(self.good, self.bad, (_DRAWS, len(self.good))) - self.dear
        return np.bincount(worth.argmax(axis=1), minlength=len(self.good)) / _DRAWS

    def answer(self, step: int, arm: int) -> None: ...

    def learn(self, step: int, arm: int, quality: float) -> None:  # noqa: ARG002
        self.good[arm] += quality
        self.bad[arm] += 1 - quality


def best_single(stream: Stream) -> Odds:
    """The single model that is best in hindsight."""
    return Odds(certain(stream.outcomes.best(COST), stream.outcomes))


def best_of_each_kind(stream: Stream) -> PerStep:
    """The model that is best in hindsight for each of the callers' kinds of request."""
    outcomes = stream.outcomes
    worth = outcomes.quality - COST * outcomes.dearness
    shares = np.zeros_like(worth)
    for task in set(outcomes.tasks):
        rows = [at for at, its_task in enumerate(outcomes.tasks) if its_task == task]
        shares[rows, int(worth[rows].mean(axis=0).argmax())] = 1.0
    return PerStep(shares)


def rule_ladder(stream: Stream) -> PerStep:
    """The service's ladder of rules over all models, the cheapest first."""
    outcomes = stream.outcomes
    cheapest_first = np.argsort(outcomes.cost.mean(axis=0), kind="stable")
    ladder = ladder_of(LadderSettings(), [str(outcomes.arms[at]) for at in cheapest_first])
    index = {arm: at for at, arm in enumerate(outcomes.arms)}
    shares = np.zeros(outcomes.quality.shape)
    for step, features in enumerate(stream.features):
        for arm, share in ladder.distribution(features.context, outcomes.arms).items():
            shares[step, index[Arm(arm)]] = share
    return PerStep(shares)


def random_choice(stream: Stream) -> Odds:
    return Odds(even(stream.outcomes))


def mix_of(outcomes: Outcomes, rows: Sequence[int] | slice, spent: float) -> tuple[Vector, float]:
    """The odds of a coin between the cheapest and the strongest model that costs `spent` on
    average, and its quality."""
    cost, quality = outcomes.cost[rows].mean(axis=0), outcomes.quality[rows].mean(axis=0)
    low, high = int(cost.argmin()), int(outcomes.quality.mean(axis=0).argmax())
    share = 1.0
    if cost[high] > cost[low]:
        share = min(max((spent - cost[low]) / (cost[high] - cost[low]), 0.0), 1.0)
    odds = (1 - share) * certain(low, outcomes) + share * certain(high, outcomes)
    return odds, float(odds @ quality)


def even(outcomes: Outcomes) -> Vector:
    return np.full(len(outcomes.arms), 1 / len(outcomes.arms))


def certain(arm: int, outcomes: Outcomes) -> Vector:
    odds = np.zeros(len(outcomes.arms))
    odds[arm] = 1.0
    return odds
