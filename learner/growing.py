"""Grows trees from judged answers.

The result depends on nothing but the rows, so whoever has the rows grows the same trees.
"""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesRegressor  # type: ignore[import-untyped]

from learner.forest import Forest
from learner.foretold import Foretold
from learner.insight import Insight, Ledger
from learner.model import Model
from learner.posterior import Posterior, Vector
from learner.rows import RowArrays

_TREES, _LEAF, _FEATURES, _DEPTH = 30, 5, 1 / 3, 8
_FEWEST = 12  # answers of an arm before it has trees


def grown(
    rows: RowArrays, posterior: Posterior, means: Vector, ledger: Ledger, foretold: Foretold
) -> Model:
    """`means` are the qualities of arms on the whole."""
    trees = _trees(rows, rows.quality - means[rows.chosen])
    forest = _forest(rows.names, trees, len(rows.arms))
    insight = Insight(rows.arms, forest, *foretold.weights(rows.arms), ledger)
    at = {arm: place for place, arm in enumerate(posterior.arms)}
    regressions = posterior.means[[at[arm] for arm in rows.arms]]
    next_number = int(rows.numbers.max(initial=-1)) + 1
    return Model(insight, dict(posterior.names), regressions, means, next_number)


def _trees(rows: RowArrays, rest: Vector) -> dict[int, list[Any]]:
    """The trees of each arm, of what the arm adds to how hard a request is for every arm."""
    hard = _fitted(rows.contexts, rest, rows.weight, seed=len(rest))
    unseen = np.nan_to_num(np.asarray(hard.oob_prediction_).ravel())
    trees = {}
    for arm in range(len(rows.arms)):
        here = rows.chosen == arm
        if here.sum() >= _FEWEST:
            y = rest[here] - unseen[here]
            forest = _fitted(rows.contexts[here], y, rows.weight[here], seed=len(rest) + arm)
            trees[arm] = [estimator.tree_ for estimator in forest.estimators_]
    return trees


def _fitted(contexts: NDArray[np.float32], y: Vector, weight: Vector, *, seed: int) -> Any:
    with warnings.catch_warnings():  # a row that every tree saw has no unseen estimate: it is 0
        warnings.simplefilter("ignore", UserWarning)
        return ExtraTreesRegressor(
            _TREES,
            max_depth=_DEPTH,
            min_samples_leaf=_LEAF,
            max_features=_FEATURES,
            bootstrap=True,
            oob_score=True,
            random_state=seed,
        ).fit(contexts, y, sample_weight=weight)


def _forest(names: Sequence[str], trees: Mapping[int, Sequence[Any]], count: int) -> Forest:
    """All trees as one list of nodes."""
    parts, roots, owners, depth, size = [], [], [], 0, 0
    for arm, of_arm in trees.items():
        for tree in of_arm:
            order, lefts = _side_by_side(tree.children_left, tree.children_right)
            leaf = tree.children_left[order] < 0
            parts.append(
                (
                    np.where(leaf, 0, tree.feature[order]),
                    np.where(leaf, np.inf, tree.threshold[order]),
                    lefts + size,
                    tree.value[order, 0, 0] / len(of_arm),
                )
            )
            roots.append(size)
            owners.append(arm)
            depth = max(depth, int(tree.max_depth))
            size += len(order)
    empty = np.zeros(0)
    feature, threshold, left, value = (
        np.concatenate(part) for part in (zip(*parts, strict=True) if parts else [(empty,)] * 4)
    )
    return Forest(
        {name: at for at, name in enumerate(names)},
        feature.astype(np.int32),
        threshold.astype(np.float32),
        left.astype(np.int32),
        value.astype(np.float32),
        np.array(roots, dtype=np.int32),
        np.array(owners, dtype=np.intp),
        count,
        depth,
    )


def _side_by_side(
    lefts: NDArray[np.intp], rights: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """An order in which each right child follows its left sibling, and the place of each node's
    left child in that order; a leaf is its own."""
    order, waiting = [0], [0]
    new = {0: 0}
    for node in waiting:
        if lefts[node] >= 0:
            for child in (int(lefts[node]), int(rights[node])):
                new[child] = len(order)
                order.append(child)
                waiting.append(child)
    places = [new[int(lefts[node])] if lefts[node] >= 0 else new[node] for node in order]
    return np.array(order, dtype=np.intp), np.array(places, dtype=np.intp)
