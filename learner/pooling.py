"""Computes how good each arm is in a context, from the evidence: a Bayesian linear model.

The posterior is computed from the sums whenever a policy is made, so the order in which answers
were learned makes no difference.

- All arms share one set of weights, since some requests are hard for every arm. An arm's own
  weights deviate from the shared ones, so a rarely tried arm is judged like the usual arm.
- A belief says how far arms deviate, and by which features. Each belief is weighted by how likely
  it makes the judgements, and the mixture becomes one mean and one covariance for each arm.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from learner.evidence import MIDDLE, ArmSums, Evidence
from learner.policy import Arm, group_of
from learner.posterior import Matrices, Matrix, Posterior, Vector

PRECISION = 8.0  # one over the variance of a score about its mean
_SHARED = {"bias": 1.0, "task": 0.3}  # variance of the common weights, by group of features
_SHARED_OTHERS = 0.1
_OWN_BIAS = 0.1
_LEAST_WEIGHT = 1e-4  # less likely beliefs add nothing to the spread
Belief = Mapping[str, float]  # group of features -> variance of an arm's own weights
# `far` and `near` are large and small groups of similar prompts; `agent` and `path` say what an
# agent's request is for and what has happened in its session. The first belief says that arms
# differ only by a constant.
_PLAIN = dict.fromkeys(("part", "lex", "vec"), 0.003)
BELIEFS: tuple[Belief, ...] = (
    {},
    {"task": 0.01, "kind": 0.005, "far": 0.01, "near": 0.007, "agent": 0.005, "path": 0.01},
    {"task": 0.03, "kind": 0.01, "far": 0.03, "near": 0.02, "agent": 0.01, "path": 0.03},
    {"task": 0.09, "kind": 0.03, "far": 0.06, "near": 0.06, "agent": 0.03, "path": 0.09},
    {"task": 0.03, "kind": 0.01, "far": 0.03, "near": 0.02, "agent": 0.01, "path": 0.03, **_PLAIN},
)


def posterior(
    evidence: Evidence, arms: Sequence[Arm], beliefs: Sequence[Belief] = BELIEFS
) -> Posterior:
    """Mix the posteriors under all beliefs into one normal distribution for each arm."""
    size = len(evidence.names)
    sums = [evidence.arms.get(arm) or ArmSums.empty(size) for arm in arms]
    precision = PRECISION * np.array([s.precision for s in sums]).reshape(len(arms), size, size)
    natural = PRECISION * np.array([s.natural for s in sums]).reshape(len(arms), size)
    groups = [group_of(name) for name in evidence.names]
    shared = np.array([_SHARED.get(group, _SHARED_OTHERS) for group in groups])
    models = [_pooled(precision, natural, shared, *_own(belief, groups)) for belief in beliefs]
    logs = np.array([model.log_evidence for model in models])
    weights = np.exp(logs - logs.max())
    weights /= weights.sum()
    means = np.zeros_like(natural)
    for weight, model in zip(weights, models, strict=True):
        means += weight * model.means()
    spreads, common = np.zeros_like(precision), np.zeros_like(precision)
    for weight, model in zip(weights, models, strict=True):
        if weight > _LEAST_WEIGHT:
            apart = model.means() - means
            shares = model.shared()
            common += weight * shares
            spreads += weight * (shares + apart[:, :, None] * apart[:, None, :])
            spreads[:, model.at[:, None], model.at] += weight * model.own_spread
    means[:, 0] += MIDDLE
    seen = np.array([s.weight for s in sums])
    return Posterior(dict(evidence.names), tuple(arms), means, spreads, common, seen, weights)


def _own(belief: Belief, groups: Sequence[str]) -> tuple[NDArray[np.intp], Vector]:
    """The features by which arms differ under this belief, and the variance of each feature."""
    variances = {"bias": _OWN_BIAS, **belief}
    at = [index for index, group in enumerate(groups) if group in variances]
    return np.array(at), np.array([variances[groups[index]] for index in at])


@dataclass(frozen=True, slots=True)
class _Pooled:
    """The posterior under one belief: shared weights, and each arm's deviations from them."""

    common: Vector
    common_spread: Matrix
    from_common: Matrices  # (arms, size, size): maps common weights to an arm's weights
    own: Matrix  # (arms, size): the arm's deviation, if the common weights were zero
    at: NDArray[np.intp]
    own_spread: Matrices  # (arms, own, own), where own is the number of features in `at`
    log_evidence: float

    def means(self) -> Matrix:
        return np.asarray(self.from_common @ self.common + self.own)

    def shared(self) -> Matrices:
        """The covariance of each arm's weights that comes from unsure common weights."""
        return np.asarray(
            self.from_common @ self.common_spread @ self.from_common.transpose(0, 2, 1)
        )


def _pooled(
    precision: Matrices, natural: Matrix, shared: Vector, at: NDArray[np.intp], own: Vector
) -> _Pooled:
    """Estimate common weights of variance `shared`, and deviations of variance `own` on the
    features `at`.

    The deviations of each arm are integrated out first; the rest of the evidence is about the
    common weights. `log_evidence` leaves out terms that are the same under every belief.
    """
    count, size = natural.shape
    inner = precision[:, at[:, None], at]
    rows = precision[:, at, :]
    spread = np.linalg.inv(inner + np.diag(1 / own)).astype(np.float64)
    to_common = -spread @ rows  # how a deviation depends on the common weights
    deviation = np.einsum("kij,kj->ki", spread, natural[:, at])
    left = precision + rows.transpose(0, 2, 1) @ to_common
    left_natural = natural - np.einsum("kji,kj->ki", rows, deviation)
    common_precision = np.diag(1 / shared) + left.sum(axis=0)
    common_spread = np.linalg.inv(common_precision).astype(np.float64)
    common = common_spread @ left_natural.sum(axis=0)
    logs = np.linalg.slogdet(np.eye(len(at)) + inner * own)[1].sum()
    logs += np.linalg.slogdet(common_precision * shared)[1]
    fit = (natural[:, at] * deviation).sum() + left_natural.sum(axis=0) @ common
    from_common = np.broadcast_to(np.eye(size), (count, size, size)).copy()
    from_common[:, at, :] += to_common
    full = np.zeros((count, size))
    full[:, at] = deviation
    return _Pooled(common, common_spread, from_common, full, at, spread, 0.5 * float(fit - logs))
