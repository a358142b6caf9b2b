"""What every arm can be expected to earn in a group of requests, and how often a reward is known.

An expectation for a row comes from other rows only, so that it can be corrected by the row's own
reward. The model is simple on purpose, a shrunk mean: SQL computes the same.
"""

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Places = NDArray[np.intp]
Flags = NDArray[np.bool_]
FOLDS = 5
SHRINK = 10.0  # rows that the mean of an arm counts as, in the mean of a group
_ENOUGH = 20  # rows of an arm in a group from which on the group's own share counts


def cross_fitted(
    groups: Places, arms: Places, rewards: Matrix, observed: Flags, *, arm_count: int
) -> Matrix:
    """The expected reward of every arm (a column) for every row, from the rows of other folds.

    The expectation is the mean of the arm in the row's group, shrunk towards the mean of the arm,
    and that towards the mean of all. Rows are dealt to the folds in turn.
    """
    folds = np.arange(len(rewards)) % FOLDS
    shape = (FOLDS, int(groups.max(initial=0)) + 1, arm_count)
    counts, sums = np.zeros(shape), np.zeros(shape)
    at = folds[observed], groups[observed], arms[observed]
    np.add.at(counts, at, 1.0)
    np.add.at(sums, at, rewards[observed])
    counts, sums = (part.sum(axis=0) - part for part in (counts, sums))
    overall = sums.sum(axis=(1, 2)) / np.maximum(counts.sum(axis=(1, 2)), 1.0)
    by_arm = (sums.sum(axis=1) + overall[:, None]) / (counts.sum(axis=1) + 1.0)
    means = (sums + SHRINK * by_arm[:, None, :]) / (counts + SHRINK)
    return np.asarray(means[folds, groups])


def known_shares(groups: Places, arms: Places, observed: Flags, *, arm_count: int) -> Matrix:
    """The chance that the reward of an arm (a column) becomes known, for every row.

    It may differ by arm and group, but must not depend on the reward itself. It is 0 only if a
    group often had the arm, and its reward never became known.
    """
    shape = (int(groups.max(initial=0)) + 1, arm_count)
    counts, knows = np.zeros(shape), np.zeros(shape)
    np.add.at(counts, (groups, arms), 1.0)
    np.add.at(knows, (groups, arms), observed.astype(float))
    overall = knows.sum() / max(counts.sum(), 1.0)
    by_arm = (knows.sum(axis=0) + overall) / (counts.sum(axis=0) + 1.0)
    shares = np.where(counts >= _ENOUGH, knows / np.maximum(counts, 1.0), by_arm)
    return np.asarray(shares[groups])
