"""Estimates policies from a drawn log by the product's code, and notes if the intervals hold."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from experiments.offpolicy.worlds import Chance, DrawnLog, Matrix, World, drawn, targets
from learner.offpolicy import OffPolicyEstimate, Vector
from learner.overlap import overlap_of
from learner.policy import Arm
from router.trials.policy_values import (
    LoggedArrays,
    MeasureArrays,
    ValueEstimate,
    difference_of,
    value_of,
)

REFUSED, FEW = "refused: no overlap", "refused: too few"
_NORMAL = 1.96


@dataclass(frozen=True, slots=True)
class Judged:
    """An estimator's interval in one log, beside the true value."""

    estimator: str
    reward: str
    target: str
    state: str  # estimated, or why not
    holds: bool = False
    width: float = 0.0
    error: float = 0.0


def measured(world: World, log: str, size: int, *, by_plan: bool, chance: Chance) -> list[Judged]:
    """Draw a log once, and estimate every target from it by every estimator."""
    drawn_log = drawn(world, log, size, by_plan=by_plan, chance=chance)
    policies = targets(world)
    arrays = _arrays_of(world, drawn_log)
    wanted = {target: odds[drawn_log.prompts] for target, odds in policies.items()}
    results: list[Judged] = []
    for reward in world.rewards:
        truths = {target: _truth(world, reward, odds) for target, odds in policies.items()}
        values = {target: value_of(arrays, odds, reward) for target, odds in wanted.items()}
        for target, odds in wanted.items():
            results += _estimated(arrays, reward, target, odds, values[target], truths[target])
        results += _differences(arrays, reward, wanted, values, truths)
    return results


def _arrays_of(world: World, log: DrawnLog) -> LoggedArrays:
    """The log as the product sees it: a reward is known if the answer was judged, a cost always."""
    plans = tuple(Arm(str(model)) for model in range(world.shape[1]))
    groups = world.groups[log.prompts]
    measures = {}
    for name, table in world.rewards.items():
        is_known = log.judged if name != "cost" else np.ones(len(log.prompts), dtype=bool)
        values = np.where(is_known, table[log.prompts, log.choices], 0.0)
        measures[name] = MeasureArrays.of(name, values, is_known, groups, log.choices, log.odds)
    return LoggedArrays(plans, log.odds, log.choices, groups, measures)


def _truth(world: World, name: str, odds: Matrix) -> float:
    return float((odds * world.rewards[name]).sum(axis=1).mean())


def _estimated(
    arrays: LoggedArrays,
    reward: str,
    target: str,
    wanted: Matrix,
    value: ValueEstimate,
    truth: float,
) -> Iterator[Judged]:
    parts = arrays.measures[reward]
    yield _plain(arrays, reward, wanted, target, truth)
    if value.robust is None or value.ips is None or value.snips is None:
        overlap = overlap_of(parts.odds, wanted, arrays.plans, value.effective)
        yield Judged("doubly robust", reward, target, FEW if overlap.covered else REFUSED)
        return
    yield _judged("ips", reward, target, value.ips, truth)
    yield _judged("snips", reward, target, value.snips, truth)
    yield _judged("doubly robust", reward, target, value.robust, truth)


def _plain(arrays: LoggedArrays, reward: str, wanted: Matrix, target: str, truth: float) -> Judged:
    """SNIPS as in a textbook: 1.96 standard errors of what was drawn, and nothing is refused."""
    parts, rows = arrays.measures[reward], np.arange(len(wanted))
    logged = parts.odds[rows, arrays.choices]
    taken: Vector = np.where(parts.observed, wanted[rows, arrays.choices], 0.0)
    weights = np.divide(taken, logged, out=np.zeros(len(taken)), where=taken > 0)
    total = float(weights.sum())
    if not total:
        return Judged("textbook", reward, target, "estimated")
    value = float(weights @ parts.rewards) / total
    half = _NORMAL * float(np.sqrt(weights**2 @ (parts.rewards - value) ** 2)) / total
    holds = value - half <= truth <= value + half
    return Judged("textbook", reward, target, "estimated", holds, 2 * half, value - truth)


def _differences(
    arrays: LoggedArrays,
    reward: str,
    wanted: Mapping[str, Matrix],
    values: Mapping[str, ValueEstimate],
    truths: Mapping[str, float],
) -> Iterator[Judged]:
    for a, b in combinations(wanted, 2):
        shares = (wanted[a], wanted[b])
        estimate = difference_of(arrays, shares, (values[a], values[b]), reward).estimate
        if estimate is not None:
            name = f"{a}, less {b}"
            yield _judged("difference", reward, name, estimate, truths[a] - truths[b])


def _judged(
    estimator: str, reward: str, target: str, estimate: OffPolicyEstimate, truth: float
) -> Judged:
    holds = estimate.low <= truth <= estimate.high
    width, error = estimate.high - estimate.low, estimate.value - truth
    return Judged(estimator, reward, target, "estimated", holds, width, error)
