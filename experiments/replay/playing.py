"""Plays one player on one stream of recorded outcomes, under chosen conditions.

Data sets and contexts stay in memory for the next run in the same process.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from experiments.replay.outcomes import Matrix, Outcomes, contexts, load
from experiments.replay.players import Ours, Player, Vector
from learner.policy import Context

COST = 0.1  # the usual weight of cost in utility
_OUTCOMES: dict[str, Outcomes] = {}
_STREAMS: dict[tuple[str, int, bool], tuple[list[int], list[Context]]] = {}


@dataclass(frozen=True, slots=True)
class Conditions:
    """How a stream differs from one whose answers are all judged at once and whose models never
    change."""

    share: float = 1.0  # the share of answers that are judged
    delay: int = 0  # A judgement arrives after so many more answers.
    drift: bool = False  # halfway, the best single model loses half of its quality
    joins: bool = False  # the best single model becomes available halfway
    price_cut: bool = False  # halfway, the dearest model costs as little as the cheapest
    warm: int = 0  # prompts with scores of all models that the player learns beforehand


@dataclass(frozen=True, slots=True)
class Played:
    """The mean utility, quality and cost of each step, and the worth of every arm at each step."""

    utility: Vector
    quality: Vector
    cost: Vector
    worth: Matrix  # A row is a step, a column an arm.
    drifts: int = 0


def play(
    outcomes: Outcomes,
    player: Player,
    order: Sequence[int],
    seen: Sequence[Context],
    seed: int,
    conditions: Conditions,
    weight: float = COST,
) -> Played:
    chance = np.random.default_rng(1000 + seed)
    half = len(order) // 2
    means: list[tuple[float, float, float]] = []
    worth = np.zeros((len(order), len(outcomes.arms)))
    pending: list[tuple[int, int, int, float]] = []  # step of arrival, prompt, arm, score
    qualities, dear = outcomes.quality, weight * outcomes.dearness
    for step, at in enumerate(order):
        if step == half:
            qualities, dear = _changed(outcomes, conditions, weight)
            if isinstance(player, Ours):
                _show_change(player, outcomes, conditions, weight)
        quality = qualities[at]
        odds = player.odds(at, seen[at])
        worth[step] = quality - dear
        mean = (odds @ worth[step], odds @ quality, odds @ outcomes.cost[at])
        means.append((float(mean[0]), float(mean[1]), float(mean[2])))
        arm = drawn(odds, chance.random())
        if chance.random() < conditions.share:
            pending.append((step + conditions.delay, at, arm, float(quality[arm])))
        while pending and pending[0][0] <= step:
            _, prompt, judged, score = pending.pop(0)
            player.learn(prompt, seen[prompt], judged, score)
    utility, mean_quality, cost = np.array(means).T
    return Played(utility, mean_quality, cost, worth, getattr(player, "drifts", 0))


def drawn(odds: Vector, uniform: float) -> int:
    return min(int(np.searchsorted(np.cumsum(odds), uniform)), len(odds) - 1)


def _changed(outcomes: Outcomes, conditions: Conditions, weight: float) -> tuple[Matrix, Vector]:
    """The quality and the weighted dearness in the second half of the stream."""
    quality, dear = outcomes.quality.copy(), weight * outcomes.dearness
    if conditions.drift:
        quality[:, outcomes.best(weight)] *= 0.5
    if conditions.price_cut:
        dear[int(outcomes.dearness.argmax())] = 0.0
    return quality, dear


def _show_change(player: Ours, outcomes: Outcomes, conditions: Conditions, weight: float) -> None:
    """Tell the player what an operator would tell a router halfway: a new arm, or a new price."""
    if conditions.joins:
        player.joins(outcomes.best(weight))
    if conditions.price_cut:
        player.reprice({outcomes.arms[int(outcomes.dearness.argmax())]: 0.0})


def loaded(name: str, data: Path, cache: Path) -> Outcomes:
    if name not in _OUTCOMES:
        if name == "near_equal":
            whole = loaded("bfcl_july", data, cache)
            close = np.argsort(-whole.quality.mean(axis=0))[:5]
            five = whole.only(close.tolist(), name)
            # With one price for all five models, only quality differs, by a few hundredths.
            _OUTCOMES[name] = replace(five, cost=np.full(five.cost.shape, 0.001))
        else:
            _OUTCOMES[name] = load(name, data, cache)
    return _OUTCOMES[name]


def stream(outcomes: Outcomes, seed: int, *, tagged: bool) -> tuple[list[int], list[Context]]:
    """An order of the prompts, and the context of every prompt, in the order of the table."""
    key = (outcomes.name, seed, tagged)
    if key not in _STREAMS:
        # Contexts are large: keep the two newest streams of each data set.
        for old in [kept for kept in _STREAMS if kept[0] == outcomes.name][:-1]:
            del _STREAMS[old]
        order = np.random.default_rng(seed).permutation(len(outcomes.prompts)).tolist()
        _STREAMS[key] = (order, contexts(outcomes, order, tagged=tagged))
    return _STREAMS[key]


def last_fifth(order: Sequence[Any]) -> slice:
    return slice(len(order) - len(order) // 5, None)
