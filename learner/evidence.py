"""How good each arm is in a context: linear, Bayesian, pooled across arms, averaged over beliefs.

Each arm has one of River's Bayesian regressions, which adds up what was seen: a precision and a
natural mean. Those sums are all there is. What follows from them is worked out anew whenever a
policy is made, so no order of learning matters to it:

- What arms have in common (some requests are hard for all) is one set of weights; what an arm has
  of its own is a deviation from them. An arm that was seldom tried stands where arms usually do.
- How far arms deviate, and by which features, is a belief. Nested beliefs are weighed by how likely
  each made what was seen, and their mixture is put into one mean and one covariance an arm.

Contexts and qualities lie on a binary grid, on which the sums are exact in floating point: sums of
several learners can be added in any order, and what was added can be taken back, to the last bit.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from river.linear_model import BayesianLinearRegression
from river.utils.math import sherman_morrison

from learner.deciding import Posterior, on_grid
from learner.policy import Arm, Context, group_of

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

_PRECISION = 8.0  # of one quality: scores of 0 and 1 about a mean between them
_MIDDLE = 0.5  # what is expected of an arm nobody knows
_SHARED = {"bias": 1.0, "task": 0.3}  # variance of what arms have in common; of others:
_SHARED_OTHERS = 0.1
_OWN_BIAS = 0.1
Belief = Mapping[str, float]  # group of features -> variance of an arm's own weight on them
# `far` and `near` are coarse and fine neighbourhoods of prompts that look alike. The first belief
# is that arms are the same but for a constant, as they are in a pool of near equals.
_PLAIN = dict.fromkeys(("part", "lex", "vec"), 0.003)
BELIEFS: tuple[Belief, ...] = (
    {},
    {"task": 0.01, "kind": 0.005, "far": 0.01, "near": 0.007},
    {"task": 0.03, "kind": 0.01, "far": 0.03, "near": 0.02},
    {"task": 0.09, "kind": 0.03, "far": 0.06, "near": 0.06},
    {"task": 0.03, "kind": 0.01, "far": 0.03, "near": 0.02, **_PLAIN},
)


class Regression(BayesianLinearRegression):
    """River's, with weighted observations that can be taken back, and features given ahead."""

    def __init__(self) -> None:
        super().__init__(alpha=1, beta=1)
        self.squares = self.weight = 0.0

    def know(self, names: Iterable[str]) -> None:
        self._ensure_features(names)

    def add(self, x: Vector, y: float, weight: float) -> None:
        """A negative weight takes back what was added."""
        padded = np.zeros(self._cap)
        padded[: len(x)] = x
        told = weight * padded
        self._ss_arr += np.outer(told, padded)
        sherman_morrison(A=self._ss_inv_arr, u=told, v=padded)
        self._eta_arr += told * y
        self._m_dirty = True
        self.squares += weight * y * y
        self.weight += weight

    def scale(self, share: float) -> None:
        """Keep this share of what was seen: the rest is forgotten, toward the prior."""
        eye = np.eye(self._cap)
        self._ss_arr = eye + share * (self._ss_arr - eye)
        self._ss_inv_arr = np.asfortranarray(np.linalg.inv(self._ss_arr))
        self._eta_arr = share * self._eta_arr
        self._m_dirty = True
        self.squares *= share
        self.weight *= share

    def sums(self, size: int) -> tuple[Matrix, Vector]:
        """Precision and natural mean of what was seen, without the prior."""
        return self._ss_arr[:size, :size] - np.eye(size), self._eta_arr[:size].copy()

    def restore(self, precision: Matrix, natural: Vector, squares: float, weight: float) -> None:
        size = len(natural)
        self._ss_arr[:size, :size] = precision + np.eye(size)
        self._ss_inv_arr = np.asfortranarray(np.linalg.inv(self._ss_arr))
        self._eta_arr[:size] = natural
        self._m_dirty = True
        self.squares, self.weight = squares, weight


@dataclass(frozen=True, slots=True)
class Sums:
    """What one learner saw beyond a certain point: to be added to another's."""

    names: tuple[str, ...]
    precision: Mapping[Arm, Matrix]
    natural: Mapping[Arm, Vector]
    squares: Mapping[Arm, float]
    weight: Mapping[Arm, float]


@dataclass
class Evidence:
    names: dict[str, int] = field(default_factory=lambda: {"bias": 0})
    arms: dict[Arm, Regression] = field(default_factory=dict)

    def learn(self, arm: Arm, context: Context, quality: float, weight: float = 1.0) -> None:
        x = self.vector(context)
        self._of(arm).add(x, on_grid(quality) - _MIDDLE, on_grid(weight))

    def unlearn(self, arm: Arm, context: Context, quality: float, weight: float = 1.0) -> None:
        self.learn(arm, context, quality, -weight)

    def vector(self, context: Context) -> Vector:
        grown = [name for name in context if name not in self.names]
        if grown:
            for name in grown:
                self.names[name] = len(self.names)
            for model in self.arms.values():
                model.know(self.names)
        x = np.zeros(len(self.names))
        for name, value in context.items():
            x[self.names[name]] = on_grid(value)
        x[0] = 1.0
        return x

    def weight(self, arm: Arm) -> float:
        return self.arms[arm].weight if arm in self.arms else 0.0

    def forget(self, share: float, arms: Iterable[Arm] | None = None) -> None:
        for arm in self.arms if arms is None else arms:
            self._of(arm).scale(share)

    def know(self, arm: Arm) -> None:
        self._of(arm)

    def drop(self, arm: Arm) -> None:
        self.arms.pop(arm, None)

    def sums(self, since: "Sums | None" = None) -> Sums:
        size = len(self.names)
        told = {arm: model.sums(size) for arm, model in self.arms.items()}
        now = Sums(
            tuple(self.names),
            {arm: one[0] for arm, one in told.items()},
            {arm: one[1] for arm, one in told.items()},
            {arm: model.squares for arm, model in self.arms.items()},
            {arm: model.weight for arm, model in self.arms.items()},
        )
        return now if since is None else _difference(now, since)

    def merge(self, sums: Sums) -> None:
        """Add what another learner saw: exactly as if it had been seen here."""
        for name in sums.names:
            self.names.setdefault(name, len(self.names))
        at = np.array([self.names[name] for name in sums.names])
        for model in self.arms.values():
            model.know(self.names)
        for arm in sums.precision:
            model = self._of(arm)
            size = len(self.names)
            precision, natural = model.sums(size)
            precision[np.ix_(at, at)] += sums.precision[arm]
            natural[at] += sums.natural[arm]
            squares = model.squares + sums.squares[arm]
            model.restore(precision, natural, squares, model.weight + sums.weight[arm])

    def posterior(self, arms: Sequence[Arm], beliefs: Sequence[Belief] = BELIEFS) -> Posterior:
        size = len(self.names)
        told = [self._of(arm).sums(size) for arm in arms]
        precision = _PRECISION * np.array([one[0] for one in told]).reshape(len(arms), size, size)
        natural = _PRECISION * np.array([one[1] for one in told]).reshape(len(arms), size)
        groups = [group_of(name) for name in self.names]
        shared = np.array([_SHARED.get(group, _SHARED_OTHERS) for group in groups])
        models = [_pooled(precision, natural, shared, *_own(belief, groups)) for belief in beliefs]
        logs = np.array([model.log_evidence for model in models])
        weights = np.exp(logs - logs.max())
        weights /= weights.sum()
        means = sum(w * model.means() for w, model in zip(weights, models, strict=True))
        assert isinstance(means, np.ndarray)
        spreads, common = np.zeros_like(precision), np.zeros_like(precision)
        for weight, model in zip(weights, models, strict=True):
            if weight > 1e-4:
                apart = model.means() - means
                shares = model.shared()
                common += weight * shares
                spreads += weight * (shares + apart[:, :, None] * apart[:, None, :])
                rows, columns = model.at[:, None], model.at
                spreads[:, rows, columns] += weight * model.own_spread
        means[:, 0] += _MIDDLE
        seen = np.array([self._of(arm).weight for arm in arms])
        return Posterior(dict(self.names), tuple(arms), means, spreads, common, seen, weights)

    def _of(self, arm: Arm) -> Regression:
        model = self.arms.get(arm)
        if model is None:
            model = self.arms[arm] = Regression()
            model.know(self.names)
        return model


def _own(belief: Belief, groups: Sequence[str]) -> tuple[NDArray[np.intp], Vector]:
    """The features by which arms differ under this belief, and how far."""
    told = {"bias": _OWN_BIAS, **belief}
    at = [index for index, group in enumerate(groups) if group in told]
    return np.array(at), np.array([told[groups[index]] for index in at])


@dataclass(slots=True)
class _Pooled:
    """Weights that arms share, and each arm's deviations given those: both normal."""

    common: Vector
    common_spread: NDArray[np.floating[Any]]
    from_common: NDArray[np.float64]  # (arms, size, size): what of the common weights an arm has
    own: Matrix  # (arms, size): its deviation, were the common weights nothing
    at: NDArray[np.intp]
    own_spread: NDArray[np.floating[Any]]  # (arms, own, own)
    log_evidence: float

    def means(self) -> Matrix:
        return np.asarray(self.from_common @ self.common + self.own)

    def shared(self) -> NDArray[np.float64]:
        """What is unsure of each arm because the common weights are."""
        told = self.from_common @ self.common_spread @ self.from_common.transpose(0, 2, 1)
        return np.asarray(told)


def _pooled(
    precision: NDArray[np.float64],
    natural: Matrix,
    shared: Vector,
    at: NDArray[np.intp],
    own: Vector,
) -> _Pooled:
    """Deviations of variance `own` on the features `at`, about common weights of variance `shared`.

    The deviations are integrated out first, arm by arm; what is left over speaks about the common
    weights. Terms that are the same under every belief are left out of the evidence.
    """
    count, size = natural.shape
    inner = precision[:, at[:, None], at]
    rows = precision[:, at, :]
    spread = np.linalg.inv(inner + np.diag(1 / own))
    to_common = -spread @ rows  # how a deviation gives way to the common weights
    deviation = np.einsum("kij,kj->ki", spread, natural[:, at])
    left = precision + rows.transpose(0, 2, 1) @ to_common
    left_natural = natural - np.einsum("kji,kj->ki", rows, deviation)
    common_precision = np.diag(1 / shared) + left.sum(axis=0)
    common_spread: Matrix = np.linalg.inv(common_precision).astype(np.float64)
    common = common_spread @ left_natural.sum(axis=0)
    eye = np.eye(len(at))
    logs = np.linalg.slogdet(eye + inner * own)[1].sum()
    logs += np.linalg.slogdet(common_precision * shared)[1]
    fit = (natural[:, at] * deviation).sum() + left_natural.sum(axis=0) @ common
    from_common = np.broadcast_to(np.eye(size), (count, size, size)).copy()
    from_common[:, at, :] += to_common
    full = np.zeros((count, size))
    full[:, at] = deviation
    evidence = 0.5 * float(fit - logs)
    return _Pooled(common, common_spread, from_common, full, at, spread, evidence)


def _difference(now: Sums, since: Sums) -> Sums:
    size = len(since.names)

    def less(matrix: NDArray[np.float64], before: NDArray[np.float64] | None) -> Matrix:
        told = matrix.copy()
        if before is not None:
            told[tuple(slice(0, size) for _ in range(told.ndim))] -= before
        return told

    return Sums(
        now.names,
        {arm: less(m, since.precision.get(arm)) for arm, m in now.precision.items()},
        {arm: less(m, since.natural.get(arm)) for arm, m in now.natural.items()},
        {arm: s - since.squares.get(arm, 0.0) for arm, s in now.squares.items()},
        {arm: w - since.weight.get(arm, 0.0) for arm, w in now.weight.items()},
    )
