"""Learns how good heirs are: arms that begin as another arm, and may be chosen only in places.

An heir's prior is its parent's posterior, widened by how far a change may move an arm in a context;
its own judged answers are its evidence. Old answers fade soon, because an heir is watched by a
trial of its own and may go at any time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from learner.evidence import MIDDLE, ArmSums, Evidence
from learner.expense import Expense, Expenses, as_expected
from learner.inherited import Inherited
from learner.policy import Arm, Feedback, group_of
from learner.pooling import BELIEFS, PRECISION
from learner.posterior import ExpectedExpenses, Matrix, Posterior, Vector

_KEPT = 0.5 ** (1 / 1_000)  # of an heir's evidence, with each answer of it
_APART: Mapping[str, float] = {"bias": 0.1, **BELIEFS[3]}  # variance of an heir's own weights


@dataclass
class Heirs:
    """The heirs, each with its parent, and the sums over their own answers."""

    parents: dict[Arm, Arm] = field(default_factory=dict)
    evidence: Evidence = field(default_factory=Evidence)
    expenses: Expenses = field(default_factory=Expenses)

    def set_arms(self, parents: Mapping[Arm, Arm]) -> None:
        """Make these the only heirs; what was learned of others is forgotten."""
        for arm in self.parents.keys() - parents.keys():
            self.evidence.drop_arm(arm)
            self.expenses.drop(arm)
        self.parents = dict(parents)
        for arm in self.parents:
            self.evidence.add_arm(arm)

    def learn(self, feedback: Feedback) -> None:
        self.evidence.forget(_KEPT, [feedback.arm])
        self._add(feedback, 1.0)

    def revise(self, before: Feedback, now: Feedback) -> None:
        """Replace the judgement of an answer that was learned before."""
        self._add(before, -1.0)
        self._add(now, 1.0)

    def _add(self, feedback: Feedback, sign: float) -> None:
        arm, context, weight = feedback.arm, feedback.context, sign * feedback.weight
        self.evidence.learn(arm, context, feedback.quality, weight)

    def inherited(self, posterior: Posterior, of_parents: Expenses) -> Inherited | None:
        """What is known of the heirs now; None if there are none whose parents are arms."""
        places = {arm: at for at, arm in enumerate(posterior.arms)}
        heirs = [arm for arm, parent in self.parents.items() if parent in places]
        if not heirs:
            return None
        shared = [name for name in posterior.names if name in self.evidence.names]
        own = np.array([self.evidence.names[name] for name in shared])
        at, size = np.array([posterior.names[name] for name in shared]), len(posterior.names)
        groups = [group_of(name) for name in posterior.in_order]
        apart = np.diag([_APART.get(group, 0.0) for group in groups])
        offsets, spreads = [], []
        for arm in heirs:
            parent, sums = places[self.parents[arm]], self.evidence.arms[arm]
            sums = ArmSums(sums.precision[np.ix_(own, own)], sums.natural[own]).placed(at, size)
            mean, spread = posterior.means[parent].copy(), posterior.spreads[parent] + apart
            mean[0] -= MIDDLE
            offset, spread = _posterior(mean, spread, sums)
            offsets.append(offset)
            spreads.append(spread)
        kinds = dict.fromkeys(("", *self.expenses.kinds(), *of_parents.kinds()))
        return Inherited(
            tuple(heirs),
            tuple(self.parents[arm] for arm in heirs),
            np.array(offsets),
            np.array(spreads, dtype=np.float32),
            np.array([self.evidence.weight(arm) for arm in heirs]),
            {kind: self._expected(heirs, kind, of_parents) for kind in kinds},
        )

    def _expected(self, heirs: Sequence[Arm], kind: str, of_parents: Expenses) -> ExpectedExpenses:
        """What answers cost: in an heir's first answers, what its parent's do."""
        return as_expected([self._expense(arm, kind, of_parents) for arm in heirs], 0.0)

    def _expense(self, arm: Arm, kind: str, of_parents: Expenses) -> Expense:
        own = self.expenses.of(arm, kind)
        return own if own.seen else of_parents.of(self.parents[arm], kind)

    def state(self) -> dict[str, Any]:
        arms = self.evidence.arms
        return {
            "parents": self.parents,
            "names": list(self.evidence.names),
            "arms": {
                arm: [sums.precision.tolist(), sums.natural.tolist(), sums.squares, sums.weight]
                for arm, sums in arms.items()
            },
            "expenses": self.expenses.state(),
        }

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> Self:
        names = {name: at for at, name in enumerate(state["names"])}
        arms = {
            Arm(arm): ArmSums(np.array(precision, dtype=float), np.array(natural), squares, weight)
            for arm, (precision, natural, squares, weight) in state["arms"].items()
        }
        parents = {Arm(arm): Arm(parent) for arm, parent in state["parents"].items()}
        return cls(parents, Evidence(names, arms), Expenses.restored(state["expenses"]))


def _posterior(mean: Vector, spread: Matrix, sums: ArmSums) -> tuple[Vector, Matrix]:
    """How far the sums move the mean of this prior, and the covariance that is left."""
    precision = PRECISION * sums.precision
    left = np.linalg.solve(np.eye(len(mean)) + spread @ precision, spread).astype(np.float64)
    return np.asarray(left @ (PRECISION * sums.natural - precision @ mean)), left
