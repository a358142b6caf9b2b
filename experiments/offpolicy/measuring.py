"""Estimates policies from a drawn log as the product does, and notes if the intervals hold."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from experiments.offpolicy.worlds import Chance, DrawnLog, Matrix, World, drawn, targets
from learner.expectations import cross_fitted, known_shares
from learner.offpolicy import (
    Bounds,
    OffPolicyEstimate,
    Vector,
    bounds_of,
    difference,
    doubly_robust,
    normalised,
    promised_squares,
    weighted,
)
from learner.overlap import overlap_of
from learner.policy import Arm

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


@dataclass(frozen=True, slots=True)
class Rewards:
    """One reward of a drawn log, with what is known and expected of it."""

    name: str
    values: Vector
    observed: "np.ndarray[tuple[int], np.dtype[np.bool_]]"
    odds: Matrix  # of a choice whose reward is known
    expected: Matrix
    bounds: Bounds


def measured(world: World, log: str, size: int, *, by_plan: bool, chance: Chance) -> list[Judged]:
    """Draw a log once, and estimate every target from it by every estimator."""
    drawn_log = drawn(world, log, size, by_plan=by_plan, chance=chance)
    policies = targets(world)
    results: list[Judged] = []
    for name in world.rewards:
        rewards = _rewards_of(world, drawn_log, name)
        robust: dict[str, OffPolicyEstimate] = {}
        truths = {t: _truth(world, name, odds) for t, odds in policies.items()}
        for target, odds in policies.items():
            wanted = odds[drawn_log.prompts]
            results += _estimated(rewards, drawn_log, target, wanted, truths[target], robust)
        results += _differences(rewards, drawn_log, policies, truths, robust)
    return results


def _rewards_of(world: World, log: DrawnLog, name: str) -> Rewards:
    rows, groups = np.arange(len(log.prompts)), world.groups[log.prompts]
    models = world.shape[1]
    observed = log.judged if name != "cost" else np.ones(len(rows), dtype=bool)
    values = np.where(observed, world.rewards[name][log.prompts, log.choices], 0.0)
    shares = known_shares(groups, log.choices, observed, arm_count=models)
    expected = cross_fitted(groups, log.choices, values, observed, arm_count=models)
    bounds = (0.0, 1.0) if name == "quality" else bounds_of(values[observed])
    return Rewards(name, values, observed, log.odds * shares, expected, bounds)


def _truth(world: World, name: str, odds: Matrix) -> float:
    return float((odds * world.rewards[name]).sum(axis=1).mean())


def _estimated(
    rewards: Rewards,
    log: DrawnLog,
    target: str,
    wanted: Matrix,
    truth: float,
    robust: dict[str, OffPolicyEstimate],
) -> Iterator[Judged]:
    rows = np.arange(len(wanted))
    logged = rewards.odds[rows, log.choices]
    taken = np.where(rewards.observed, wanted[rows, log.choices], 0.0)
    squares = promised_squares(rewards.odds, wanted)
    arms = [Arm(str(arm)) for arm in range(wanted.shape[1])]
    yield _plain(rewards, logged, taken, target, truth)
    if not overlap_of(rewards.odds, wanted, arms, np.inf).covered:
        yield Judged("doubly robust", rewards.name, target, REFUSED)
        return
    robust_estimate = doubly_robust(
        rewards.values,
        logged,
        taken,
        expected=rewards.expected[rows, log.choices],
        expected_under=(wanted * rewards.expected).sum(axis=1),
        clip=np.inf,
        squares=squares,
        bounds=rewards.bounds,
    )
    if not overlap_of(rewards.odds, wanted, arms, robust_estimate.effective).enough:
        yield Judged("doubly robust", rewards.name, target, FEW)
        return
    robust[target] = robust_estimate
    simple = {"ips": weighted, "snips": normalised}
    for name, estimator in simple.items():
        estimate = estimator(
            rewards.values, logged, taken, clip=np.inf, squares=squares, bounds=rewards.bounds
        )
        yield _judged(name, rewards.name, target, estimate, truth)
    yield _judged("doubly robust", rewards.name, target, robust_estimate, truth)


def _plain(rewards: Rewards, logged: Vector, taken: Vector, target: str, truth: float) -> Judged:
    """SNIPS as in a textbook: 1.96 standard errors of what was drawn, and nothing is refused."""
    weights = np.divide(taken, logged, out=np.zeros(len(taken)), where=taken > 0)
    total = float(weights.sum())
    if not total:
        return Judged("textbook", rewards.name, target, "estimated")
    value = float(weights @ rewards.values) / total
    half = _NORMAL * float(np.sqrt(weights**2 @ (rewards.values - value) ** 2)) / total
    holds = value - half <= truth <= value + half
    return Judged("textbook", rewards.name, target, "estimated", holds, 2 * half, value - truth)


def _differences(
    rewards: Rewards,
    log: DrawnLog,
    policies: Mapping[str, Matrix],
    truths: Mapping[str, float],
    robust: Mapping[str, OffPolicyEstimate],
) -> Iterator[Judged]:
    for a, b in combinations(robust, 2):
        apart = (policies[a] - policies[b])[log.prompts]
        squares = promised_squares(rewards.odds, apart)
        estimate = difference(robust[a], robust[b], squares=squares, bounds=rewards.bounds)
        name = f"{a}, less {b}"
        yield _judged("difference", rewards.name, name, estimate, truths[a] - truths[b])


def _judged(
    estimator: str, reward: str, target: str, estimate: OffPolicyEstimate, truth: float
) -> Judged:
    holds = estimate.low <= truth <= estimate.high
    width, error = estimate.high - estimate.low, estimate.value - truth
    return Judged(estimator, reward, target, "estimated", holds, width, error)
