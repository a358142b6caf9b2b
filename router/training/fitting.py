"""Fits the models of a slot: linear ones, and boosted trees, that `router.models.scoring` runs.

Only this room needs scikit-learn. What it fits is copied into plain arrays of numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from router.models.features import BUCKETS, Array, Buckets, Features, weighed
from router.models.scoring import Inputs, Linear, Scoring, Trees, dense

_LEAST_ROWS = 2  # that have a column
_MOST_COLUMNS = 24_000
_PICKED = 300  # columns that trees see
_TREES, _LEAVES = 80, 15
Weights = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Recipe:
    """A way to fit a slot. `strength` is that of the linear model's fit to its rows."""

    name: str
    vector: bool
    strength: float = 0.0  # 0: boosted trees


RECIPES = (
    Recipe("words", vector=False, strength=3.0),
    Recipe("words, closely", vector=False, strength=30.0),
    Recipe("words and vector", vector=True, strength=3.0),
    Recipe("trees", vector=True),
)


@dataclass(frozen=True, slots=True)
class Columns:
    """The buckets that a model sees, and how much each weighs."""

    buckets: Buckets
    rarity: Array

    def inputs(self, features: Features, *, vector: bool) -> Inputs:
        columns, values = weighed(features, self.buckets, self.rarity)
        return Inputs(columns, values, features.vector if vector else features.vector[:0])


def columns_of(rows: Sequence[Features]) -> Columns:
    """The buckets that at least two rows have; the rarer a bucket is, the more it weighs."""
    counts = np.zeros(BUCKETS, np.int64)
    for row in rows:
        counts[row.buckets] += 1
    kept = np.flatnonzero(counts >= min(_LEAST_ROWS, max(1, len(rows) // 20)))
    if len(kept) > _MOST_COLUMNS:
        kept = np.sort(kept[np.argsort(-counts[kept], kind="stable")[:_MOST_COLUMNS]])
    rarity = np.log((1 + len(rows)) / (1 + counts[kept])) + 1
    return Columns(kept.astype(np.int32), rarity.astype(np.float32))


def fitted(
    recipe: Recipe,
    rows: Sequence[Inputs],
    labels: NDArray[np.intp],
    weights: Weights,
    width: int,
    values: int,
) -> Scoring:
    """Fit a slot: `labels` are positions of values, `weights` how much each row counts."""
    present, index = np.unique(labels, return_inverse=True)
    if len(present) == 1:
        return _constant(int(present[0]), rows[0], width, values)
    if recipe.strength:
        return _linear(recipe, rows, index, weights, width, present.astype(int), values)
    return _boosted(rows, index, weights, width, present.astype(int), values)


def _constant(value: int, row: Inputs, width: int, values: int) -> Scoring:
    bias = np.full(values, -20.0, np.float32)
    bias[value] = 20.0
    words = np.zeros((width, values), np.float32)
    return Linear(words, np.zeros((values, len(row.vector)), np.float32), bias)


def sparse(rows: Sequence[Inputs], width: int) -> Any:
    """The rows as a sparse matrix: the columns of words, and then the sentence vectors."""
    from scipy import sparse as matrices

    starts = np.cumsum([0, *(len(row.columns) for row in rows)])
    columns = np.concatenate([row.columns for row in rows])
    values = np.concatenate([row.values for row in rows])
    words = matrices.csr_matrix((values, columns, starts), shape=(len(rows), width))
    vectors = np.stack([row.vector for row in rows])
    return matrices.hstack([words, matrices.csr_matrix(vectors)], format="csr")


def _linear(
    recipe: Recipe,
    rows: Sequence[Inputs],
    index: NDArray[np.intp],
    weights: Weights,
    width: int,
    present: NDArray[np.int_],
    values: int,
) -> Scoring:
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]

    matrix = sparse(rows, width)
    model = LogisticRegression(C=recipe.strength, max_iter=100, tol=1e-3)
    model.fit(matrix, index, sample_weight=weights)
    inner, bias = model.coef_, model.intercept_
    if len(present) == 2:  # one row of weights, for the second value
        inner, bias = np.vstack([-inner / 2, inner / 2]), np.array([-bias[0] / 2, bias[0] / 2])
    whole = np.zeros((values, matrix.shape[1]), np.float32)
    offset = np.full(values, -20.0, np.float32)  # of values that no row has
    whole[present], offset[present] = inner, bias
    return Linear(whole[:, :width].T.copy(), whole[:, width:].copy(), offset)


def _boosted(
    rows: Sequence[Inputs],
    index: NDArray[np.intp],
    weights: Weights,
    width: int,
    present: NDArray[np.int_],
    values: int,
) -> Scoring:
    from sklearn.ensemble import HistGradientBoostingClassifier  # type: ignore[import-untyped]
    from sklearn.feature_selection import chi2  # type: ignore[import-untyped]
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    words = sparse([Inputs(r.columns, r.values, r.vector[:0]) for r in rows], width)
    telling = np.nan_to_num(chi2(words, index)[0])
    picked = np.sort(np.argsort(-telling, kind="stable")[:_PICKED]).astype(np.int32)
    matrix = np.stack([dense(row, picked) for row in rows])
    model = HistGradientBoostingClassifier(
        max_iter=_TREES,
        max_leaf_nodes=_LEAVES,
        learning_rate=0.1,
        l2_regularization=1.0,
        early_stopping=True,
        n_iter_no_change=8,
        random_state=7,
    )
    with threadpool_limits(1, user_api="openmp"):  # on a busy machine its threads would only wait
        model.fit(matrix, index, sample_weight=weights)
    return _copied(model, picked, present, values)


def _copied(model: Any, picked: Buckets, present: NDArray[np.int_], values: int) -> Trees:
    """The trees of scikit-learn's model as arrays, in which all trees lie one after another."""
    nodes, roots, label, count = [], [], [], 0
    for turn in model._predictors:
        for which, tree in enumerate(turn):
            own = tree.nodes
            nodes.append((own, count))
            roots.append(count)
            label.append(present[which if len(turn) > 1 else 1])
            count += len(own)

    def joined(name: str, *, moved: bool = False) -> Any:
        parts = [
            np.where(own["is_leaf"].astype(bool), -1, own[name].astype(np.int64) + at)
            if moved
            else own[name]
            for own, at in nodes
        ]
        return np.concatenate(parts)

    base = np.full(values, -20.0)
    start = np.ravel(model._baseline_prediction)
    base[present] = start if len(start) > 1 else [0.0, start[0]]
    return Trees(
        picked,
        joined("feature_idx").astype(np.int32),
        joined("num_threshold").astype(np.float64),
        joined("left", moved=True).astype(np.int32),
        joined("right", moved=True).astype(np.int32),
        joined("value").astype(np.float64),
        np.array(roots, np.int32),
        np.array(label, np.int32),
        base,
    )
