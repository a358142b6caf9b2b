"""Estimates what named policies would have brought on logged requests, and how they differ.

Both policies of a comparison are estimated on the same rows: those for which the odds of both are
known. Where the log cannot tell, there is a reason and a mend instead of a number.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

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
from learner.overlap import ENOUGH, Overlap, overlap_of
from learner.policy import Arm, Distribution
from learner.preference import Preference
from router.trials.drawn_rows import DrawnRow
from router.trials.logged import utility_of

Matrix = NDArray[np.float64]
MEASURES = ("utility", "quality", "cost_usd", "seconds")
Reward = Callable[[DrawnRow], float | None]


@dataclass(frozen=True, slots=True)
class ValueEstimate:
    """One measure of a policy. If the log cannot tell, there are no estimates, but the reason."""

    robust: OffPolicyEstimate | None  # doubly robust: the estimate to read
    ips: OffPolicyEstimate | None
    snips: OffPolicyEstimate | None
    effective: float
    judged: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class DifferenceEstimate:
    """How much more the first policy has of a measure; None if either cannot be told."""

    estimate: OffPolicyEstimate | None
    agree: float  # the share of choices that both policies make alike


@dataclass(frozen=True, slots=True)
class LoggedArrays:
    """The rows as arrays; a column is a plan that a row or a policy knows."""

    plans: tuple[Arm, ...]
    odds: Matrix
    choices: NDArray[np.intp]
    groups: NDArray[np.intp]
    measures: Mapping[str, "MeasureArrays"]

    @classmethod
    def of(
        cls, rows: Sequence[DrawnRow], policies: Sequence[Sequence[Distribution]], by: Preference
    ) -> "LoggedArrays":
        logged = [row.odds for row in rows]
        plans = tuple(sorted({arm for odds in (logged, *policies) for row in odds for arm in row}))
        odds = shares_of(logged, plans)
        columns = {arm: n for n, arm in enumerate(plans)}
        choices = np.array([columns[row.plan] for row in rows], dtype=np.intp)
        _, groups = np.unique([row.kind for row in rows], return_inverse=True)
        rewards: dict[str, Reward] = {
            "utility": lambda row: _utility(row, by),
            "quality": lambda row: row.quality,
            "cost_usd": lambda row: row.cost_usd,
            "seconds": lambda row: row.seconds,
        }
        measures = {
            name: MeasureArrays.of(
                name, *_with_mask([reward(row) for row in rows]), groups, choices, odds
            )
            for name, reward in rewards.items()
        }
        return cls(plans, odds, choices, groups.astype(np.intp), measures)


@dataclass(frozen=True, slots=True)
class MeasureArrays:
    """One measure of the rows: what came of the choice, and what can be expected of each plan."""

    rewards: Vector  # 0 where unknown
    observed: NDArray[np.bool_]
    odds: Matrix  # of a choice whose reward becomes known
    expected: Matrix
    bounds: Bounds

    @classmethod
    def of(
        cls,
        name: str,
        rewards: Vector,
        observed: NDArray[np.bool_],
        groups: NDArray[np.intp],
        choices: NDArray[np.intp],
        odds: Matrix,
    ) -> "MeasureArrays":
        count = odds.shape[1]
        shares = known_shares(groups, choices, observed, arm_count=count)
        expected = cross_fitted(groups, choices, rewards, observed, arm_count=count)
        bounds = (0.0, 1.0) if name == "quality" else bounds_of(rewards[observed])
        return cls(rewards, observed, odds * shares, expected, bounds)


def value_of(arrays: LoggedArrays, wanted: Matrix, measure: str) -> ValueEstimate:
    """Estimate a policy, whose shares of each plan are `wanted`."""
    parts, rows = arrays.measures[measure], np.arange(len(wanted))
    logged = parts.odds[rows, arrays.choices]
    taken = np.where(parts.observed, wanted[rows, arrays.choices], 0.0)
    squares = promised_squares(parts.odds, wanted)
    robust = doubly_robust(
        parts.rewards,
        logged,
        taken,
        expected=parts.expected[rows, arrays.choices],
        expected_under=(wanted * parts.expected).sum(axis=1),
        clip=inf,
        squares=squares,
        bounds=parts.bounds,
    )
    judged = int(parts.observed.sum())
    overlap = overlap_of(parts.odds, wanted, arrays.plans, robust.effective)
    if not overlap.enough:
        why = _why(overlap, arrays, wanted, judged)
        return ValueEstimate(None, None, None, robust.effective, judged, why)
    ips, snips = (
        estimator(parts.rewards, logged, taken, clip=inf, squares=squares, bounds=parts.bounds)
        for estimator in (weighted, normalised)
    )
    return ValueEstimate(robust, ips, snips, robust.effective, judged)


def difference_of(
    arrays: LoggedArrays,
    shares: tuple[Matrix, Matrix],
    values: tuple[ValueEstimate, ValueEstimate],
    measure: str,
) -> DifferenceEstimate:
    """How much more of the measure the first policy has, on the same rows."""
    apart, parts = shares[0] - shares[1], arrays.measures[measure]
    agree = 1 - float(np.abs(apart).sum(axis=1).mean()) / 2
    first, second = (value.robust for value in values)
    if first is None or second is None:
        return DifferenceEstimate(None, agree)
    squares = promised_squares(parts.odds, apart)
    estimate = difference(first, second, squares=squares, bounds=parts.bounds)
    return DifferenceEstimate(estimate, agree)


def shares_of(odds: Sequence[Distribution], plans: Sequence[Arm]) -> Matrix:
    return np.array([[row.get(arm, 0.0) for arm in plans] for row in odds])


def _with_mask(values: Sequence[float | None]) -> tuple[Vector, NDArray[np.bool_]]:
    """The values, 0 where unknown, and which are known."""
    rewards = np.array([value or 0.0 for value in values])
    return rewards, np.array([value is not None for value in values], dtype=bool)


def _utility(row: DrawnRow, by: Preference) -> float | None:
    if row.quality is None or row.cost_usd is None:
        return None
    return utility_of(row.quality, row.cost_usd, row.seconds, by)


def _why(overlap: Overlap, arrays: LoggedArrays, wanted: Matrix, judged: int) -> str:
    """Why the log cannot tell, and what would mend that."""
    most = arrays.plans[int(wanted.sum(axis=0).argmax())]
    if overlap.covered:
        return (
            f"the log is worth only {overlap.effective:.0f} answers for it, and {ENOUGH:.0f} are "
            f"needed: look further back with --since, have more answers judged, or give {most} a "
            f"share: waggle trial new NAME --candidate always-{most} --traffic 0.1"
        )
    plans = ", ".join(f"`{arm}`" for arm in overlap.arms[:3])
    never = [arm for arm in overlap.arms if not arrays.odds[:, arrays.plans.index(arm)].any()]
    if judged and not never:
        mend = "have such answers judged, or look at a time since when it could be chosen"
    else:
        mend = f"give it a share: waggle trial new NAME --candidate always-{overlap.arms[0]}"
    return (
        f"it chooses {plans} for {overlap.uncovered:.1%} of the requests where the log gave no "
        f"chance to that, or never learned how good it was: {mend}"
    )
