"""Which arm is best on the whole, as far as is known, and which arms are worth another try.

An arm's standing is its mean quality over all contexts. Arms are alike until answers tell them
apart: a rarely tried arm stands near the mean of all arms, and how far arms differ is estimated
from the arms. An arm is tried if what a few tries may still win, over half as many requests as
were judged so far, pays for the tries. So exploring ends by itself where nothing is left to win.

Not covered: contexts. An arm that is best only in some contexts has no better standing for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import mul

import numpy as np
from numpy.typing import NDArray

from learner.explore import lower, thompson
from learner.posterior import Vector

_NOISE, _SUPPOSED = 0.17, 20.0  # variance of an answer's quality about the arm's mean
_MEAN, _MEAN_VARIANCE = 0.6, 0.04  # what is supposed of the mean of all arms
# Deviations between arms, of which the likelier ones weigh more.
_APART = (0.03, 0.06, 0.1, 0.15, 0.22, 0.3)
_USUALLY_APART, _SURE_OF_APART = 0.12, 0.7
_TRIES = np.array([1.0, 2, 4, 8, 16, 32, 64])[:, None, None]
_ROOT = np.sqrt(2 * np.pi)
# A try has to pay for itself within this many requests, and half as many as were judged.
_LEAST_AHEAD, _MOST_AHEAD = 50.0, 5_000.0
_LEAST_SPREAD = 1e-9
_ALLOWED, _ALLOWED_AT, _FALLS = 0.004, 200.0, 0.75


Matrix = NDArray[np.float64]
Matrices = NDArray[np.float64]
Rows = Sequence[list[float]]  # one value for each arm


@dataclass(frozen=True)
class Standing:
    """The mean quality of each arm, and the variance of that estimate."""

    means: Vector
    variances: Vector
    judged: float = 0.0  # the total weight of judged answers
    noise: float = _NOISE  # the variance of one answer's quality about its arm's mean

    def shares(self, worth: Vector, variances: Vector, *, most: float) -> Vector:
        """The share of each arm: the best has most, and the others what is worth trying.

        At most the share `most` is for tries that pay for themselves. Arms share it by the square
        of what their tries are expected to win, because many requests are decided before the
        answers to them are judged. Where it can hardly be told which arm is best, arms share the
        rest by the odds that they are, as long as that is expected to cost next to nothing.
        `worth` and `variances` are those of the arms that can be chosen.
        """
        odds = thompson(worth, variances)
        worths, each = [worth.tolist()], [odds.tolist()]
        return np.array(self.shares_each(worths, self.tries(variances), each, most=most)[0])

    def tries(self, variances: Vector) -> "Tries":
        """What is known of tries of arms before anything is known of a request."""
        ahead = min(_LEAST_AHEAD + self.judged / 2, _MOST_AHEAD)
        moved = variances / np.sqrt(variances + self.noise / _TRIES)
        return Tries(
            variances.tolist(),
            np.maximum(moved, _LEAST_SPREAD),
            moved / _ROOT,
            np.maximum(ahead - _TRIES, 0) / _TRIES,
        )

    def shares_each(
        self, worths: Rows, tries: "Tries", odds: Rows, *, most: float
    ) -> list[list[float]]:
        """The same for several worths of the same arms; `odds` are how likely each arm is the
        best."""
        tops = [max(worth) for worth in worths]
        below = [[top - value for value in worth] for top, worth in zip(tops, worths, strict=True)]
        gains = tries.gains(np.array(below)).tolist()
        made = []
        for worth, top, gain, away, odd in zip(worths, tops, gains, below, odds, strict=True):
            best = worth.index(top)
            gain[best] = 0.0
            squares = [value * value for value in gain]
            loss, total = sum(map(mul, odd, away)), sum(squares)
            scale = min(1.0, self.allowance / max(loss, _LEAST_SPREAD))
            share = [value * scale for value in odd]
            share[best] += 1 - sum(share)
            if total > 0:
                of_tries = most / total
                share = [(1 - most) * s + of_tries * g for s, g in zip(share, squares, strict=True)]
            made.append(share)
        return made

    @cached_property
    def allowance(self) -> float:
        """Utility a request that telling the best arms apart may cost: ever less."""
        return float(_ALLOWED * (_ALLOWED_AT / (_ALLOWED_AT + self.judged)) ** _FALLS)


@dataclass(frozen=True, slots=True)
class Tries:
    """How far numbers of tries move an arm's estimate, which is known beforehand, and over how many
    requests they must pay. The axes are those of tries, of cases and of arms."""

    variances: list[float]  # of each arm
    moved: Matrices
    density: Matrices  # the factor of the normal density
    ahead: Matrices  # requests that are left, for each try

    def gains(self, below: Matrix) -> Matrix:
        """What tries of each arm are expected to win, less what they cost, for each try; at least
        0. An arm is so far `below` the best; the tries win something if they move it above."""
        z = below / self.moved
        won = lower(-z)
        won *= below
        z *= z
        z *= -0.5
        np.exp(z, out=z)
        z *= self.density
        z -= won
        z *= self.ahead
        z -= below
        gains: Matrix = np.maximum.reduce(z, axis=0)
        return np.maximum(gains, 0.0)


def standing(
    weights: Vector, totals: Vector, squares: Vector, alike: Matrix | None = None
) -> Standing:
    """The standing of arms with these weights of judged answers, and these sums of quality and of
    its square. `alike` says how far each two arms are alike beforehand, from 0 to 1."""
    tried = weights > 0
    means = np.where(tried, totals / np.where(tried, weights, 1.0), 0.0)
    about = float(np.maximum(squares - weights * means**2, 0.0).sum())
    variance = (_NOISE * _SUPPOSED + about) / (_SUPPOSED + max(weights.sum() - tried.sum(), 0.0))
    noise = variance / weights[tried]
    alike = np.eye(len(weights)) if alike is None else alike
    logs, estimates, spreads = [], [], []
    for apart in _APART:
        prior = _MEAN_VARIANCE + apart * apart * alike
        log, mean, spread = _given(prior, tried, means[tried] - _MEAN, noise)
        logs.append(log - 0.5 * (np.log(apart / _USUALLY_APART) / _SURE_OF_APART) ** 2)
        estimates.append(_MEAN + mean)
        spreads.append(spread)
    odds = np.exp(np.array(logs) - max(logs))
    odds /= odds.sum()
    each = np.array(estimates)
    mixed = odds @ each
    variances = odds @ (np.array(spreads) + (each - mixed) ** 2)
    return Standing(mixed, variances, float(weights.sum()), variance)


def _given(
    prior: Matrix, tried: NDArray[np.bool_], surprises: Vector, noise: Vector
) -> tuple[float, Vector, Vector]:
    """How likely the surprises of the tried arms are, and the mean and variance of all arms.

    The likelihood is a logarithm. Surprises and means count from what was supposed of all arms.
    """
    if not tried.any():
        return 0.0, np.zeros(len(prior)), prior.diagonal().copy()
    lower = np.linalg.cholesky(prior[np.ix_(tried, tried)] + np.diag(noise))
    both = np.linalg.solve(lower, np.column_stack((surprises, prior[tried])))
    surprise, towards = both[:, 0], both[:, 1:]
    log = -0.5 * float(surprise @ surprise) - float(np.log(lower.diagonal()).sum())
    variance = prior.diagonal() - (towards * towards).sum(axis=0)
    return log, surprise @ towards, np.maximum(variance, 0.0)
