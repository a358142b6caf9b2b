"""Plays one player on one stream of recorded outcomes, under chosen conditions.

A player gives the odds of all arms. A step counts what the odds are worth on average, so that no
run profits from lucky draws; the player hears about one drawn answer.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from experiments.replay.outcomes import Matrix, Outcomes
from experiments.replay.streams import Stream

Vector = np.ndarray[Any, np.dtype[np.float64]]
COST = 0.1  # the usual weight of cost in utility


class Player(Protocol):
    def odds(self, step: int) -> Vector: ...
    def answer(self, step: int, arm: int) -> None:
        """The drawn arm answered."""
        ...

    def learn(self, step: int, arm: int, quality: float) -> None:
        """An answer was rated."""
        ...


@dataclass(frozen=True, slots=True)
class Conditions:
    """How a stream differs from one whose answers are all rated at once and whose models never
    change. Changes come halfway."""

    share: float = 1.0  # the share of answers that are rated
    delay: int = 0  # A rating arrives after so many more answers.
    drift: bool = False  # the best single model loses half of its quality
    joins: bool = False  # the best single model becomes available
    price_cut: bool = False  # the dearest model costs as little as the cheapest


@dataclass(frozen=True, slots=True)
class Played:
    """The mean utility, quality and cost of each step, and the worth of every arm at each step."""

    utility: Vector
    quality: Vector
    cost: Vector
    worth: Matrix  # A row is a step, a column an arm.
    odds: Matrix


def play(stream: Stream, player: Player, conditions: Conditions, weight: float = COST) -> Played:
    outcomes, size = stream.outcomes, len(stream)
    chance = np.random.default_rng(1000 + stream.seed)
    worth, chosen = np.zeros((2, size, len(outcomes.arms)))
    qualities, dear = outcomes.quality, weight * outcomes.dearness
    true_quality = np.zeros(size)
    pending: list[tuple[int, int, int, float]] = []  # step of arrival, rated step, arm, quality
    for step in range(size):
        if step == size // 2:
            qualities, dear = changed(outcomes, conditions, weight)
            _show_change(player, outcomes, conditions, weight)
        quality = qualities[step]
        odds = player.odds(step)
        worth[step], chosen[step] = quality - dear, odds
        true_quality[step] = odds @ quality
        arm = drawn(odds, chance.random())
        player.answer(step, arm)
        if chance.random() < conditions.share:
            pending.append((step + conditions.delay, step, arm, float(quality[arm])))
        while pending and pending[0][0] <= step:
            _, rated, its_arm, score = pending.pop(0)
            player.learn(rated, its_arm, score)
    utility = (chosen * worth).sum(axis=1)
    return Played(utility, true_quality, (chosen * outcomes.cost).sum(axis=1), worth, chosen)


def drawn(odds: Vector, uniform: float) -> int:
    return min(int(np.searchsorted(np.cumsum(odds), uniform)), len(odds) - 1)


def changed(outcomes: Outcomes, conditions: Conditions, weight: float) -> tuple[Matrix, Vector]:
    """The quality and the weighted dearness in the second half of the stream."""
    quality, dear = outcomes.quality.copy(), weight * outcomes.dearness
    if conditions.drift:
        quality[:, outcomes.best(weight)] *= 0.5
    if conditions.price_cut:
        dear[int(outcomes.dearness.argmax())] = 0.0
    return quality, dear


def _show_change(player: Player, outcomes: Outcomes, conditions: Conditions, weight: float) -> None:
    """Tell the player what an operator would tell a router: a new plan, or a new price."""
    operated: Any = player
    if conditions.joins:
        operated.join(outcomes.best(weight))
    if conditions.price_cut:
        operated.reprice({outcomes.arms[int(outcomes.dearness.argmax())]: 0.0})


def last_fifth(size: int) -> slice:
    return slice(size - size // 5, None)
