"""How good each arm is in a context: linear, Bayesian, pooled across arms, averaged over beliefs.

The posterior is worked out anew from the sums whenever a policy is made, so the order in which
answers were learned makes no difference.

- What arms have in common (some requests are hard for all) is one set of weights. An arm's own
  weights deviate from them, so an arm that was seldom tried stands where arms usually do.
- How far arms deviate, and by which features, is a belief. Each belief is weighed by how likely it
  makes the judgements that came, and the mixture becomes one mean and one covariance an arm.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from learner.evidence import MIDDLE, ArmSums, Evidence
from learner.policy import Arm, group_of
from learner.posterior import Matrices, Matrix, Posterior, Vector

_PRECISION = 8.0  # of a judged quality: scores of 0 and 1 about a mean between them
_SHARED = {"bias": 1.0, "task": 0.3}  # variance of the common weights, by group of features
_SHARED_OTHERS = 0.1
_OWN_BIAS = 0.1
_LEAST_WEIGHT = 1e-4  # of a belief: the spread of a less likely belief is left out
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


def posterior(
    evidence: Evidence, arms: Sequence[Arm], beliefs: Sequence[Belief] = BELIEFS
) -> Posterior:
    """Mix the posteriors under all beliefs into one normal variable an arm."""
    size = len(evidence.names)
    sums = [evidence.arms.get(arm) or ArmSums.empty(size) for arm in arms]
    precision = _PRECISION * np.array([s.precision for s in sums]).reshape(len(arms), size, size)
    natural = _PRECISION * np.array([s.natural for s in sums]).reshape(len(arms), size)
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
    """The features by which arms differ under this belief, and the variance of each."""
    variances = {"bias": _OWN_BIAS, **belief}
    at = [index for index, group in enumerate(groups) if group in variances]
    return np.array(at), np.array([variances[groups[index]] for index in at])


@dataclass(frozen=True, slots=True)
class _Pooled:
    """Weights that arms share, and each arm's deviations given those: both normal."""

    common: Vector
    common_spread: Matrix
    from_common: Matrices  # (arms, size, size): the common weights as the arm has them
    own: Matrix  # (arms, size): the arm's deviation, if the common weights were nothing
    at: NDArray[np.intp]
    own_spread: Matrices  # (arms, own, own)
    log_evidence: float

    def means(self) -> Matrix:
        return np.asarray(self.from_common @ self.common + self.own)

    def shared(self) -> Matrices:
        """How unsure each arm is because the common weights are unsure."""
        return np.asarray(
            self.from_common @ self.common_spread @ self.from_common.transpose(0, 2, 1)
        )


def _pooled(
    precision: Matrices, natural: Matrix, shared: Vector, at: NDArray[np.intp], own: Vector
) -> _Pooled:
    """Deviations of variance `own` on the features `at`, about common weights of variance `shared`.

    The deviations are integrated out first, arm by arm; the rest speaks about the common weights.
    Terms that are the same under every belief are left out of the evidence.
    """
    count, size = natural.shape
    inner = precision[:, at[:, None], at]
    rows = precision[:, at, :]
    spread = np.linalg.inv(inner + np.diag(1 / own)).astype(np.float64)
    to_common = -spread @ rows  # how a deviation gives way to the common weights
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
