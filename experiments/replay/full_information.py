"""What could be learned at all: methods that know the scores of every model on every prompt.

They are fitted to the first four fifths of a stream and judged on the last fifth.
"""

import numpy as np
from sklearn.ensemble import ExtraTreesRegressor  # type: ignore[import-untyped]
from sklearn.neighbors import NearestNeighbors  # type: ignore[import-untyped]

from experiments.replay.outcomes import Matrix
from experiments.replay.playing import COST, last_fifth
from experiments.replay.rivals import rows_of
from experiments.replay.streams import Stream

_DIRECTIONS = 48
_TREES, _LEAF = 60, 5
_NEIGHBOURS = 25
_KEPT = 10.0  # answers that the mean of all counts for, in the mean of a kind or of neighbours


def extra_trees(stream: Stream) -> dict[str, float]:
    """Extra trees on contexts and on the principal directions of the sentence vectors."""
    last = last_fifth(len(stream))
    vectors = stream.outcomes.vectors
    centred = vectors - vectors[: last.start].mean(axis=0)
    _, _, axes = np.linalg.svd(centred[: last.start], full_matrices=False)
    seen = np.hstack([rows_of(stream), centred @ axes[:_DIRECTIONS].T])
    forest = ExtraTreesRegressor(
        _TREES, min_samples_leaf=_LEAF, max_features=1 / 3, random_state=stream.seed, n_jobs=1
    )
    forest.fit(seen[: last.start], stream.outcomes.quality[: last.start])
    return _judged(stream, np.asarray(forest.predict(seen[last])))


def means_of_kinds(stream: Stream) -> dict[str, float]:
    """Each kind's mean quality of each model, drawn towards the mean of all kinds."""
    outcomes, last = stream.outcomes, last_fifth(len(stream))
    early = outcomes.quality[: last.start]
    overall = early.mean(axis=0)
    means = {}
    for task in set(outcomes.tasks):
        of_kind = early[[its_task == task for its_task in outcomes.tasks[: last.start]]]
        means[task] = (of_kind.sum(axis=0) + _KEPT * overall) / (len(of_kind) + _KEPT)
    return _judged(stream, np.array([means[task] for task in outcomes.tasks[last]]))


def nearest_neighbours(stream: Stream) -> dict[str, float]:
    """The mean scores of the prompts that are nearest by the sentence vector and the kind."""
    outcomes, last = stream.outcomes, last_fifth(len(stream))
    names = sorted(set(outcomes.tasks))
    kinds = np.array([[task == name for name in names] for task in outcomes.tasks], dtype=float)
    lengths = np.linalg.norm(outcomes.vectors, axis=1, keepdims=True)
    seen = np.hstack([outcomes.vectors / lengths, kinds * stream.tagged])
    early = outcomes.quality[: last.start]
    count = min(_NEIGHBOURS, len(early))
    nearest = NearestNeighbors(n_neighbors=count).fit(seen[: last.start])
    neighbours = nearest.kneighbors(seen[last], return_distance=False)
    total = early[neighbours].sum(axis=1) + _KEPT * early.mean(axis=0)
    return _judged(stream, total / (count + _KEPT))


def _judged(stream: Stream, expected: Matrix) -> dict[str, float]:
    outcomes, last = stream.outcomes, last_fifth(len(stream))
    dear = COST * outcomes.dearness
    chosen = (expected - dear).argmax(axis=1)
    worth = outcomes.quality[last] - dear
    at = np.arange(len(chosen))
    over = worth[at, chosen] - worth[:, outcomes.best(COST)]
    return {
        "last_fifth": float(over.mean()),
        "quality": float(outcomes.quality[last][at, chosen].mean()),
        "usd_per_1k": float(1000 * outcomes.cost[last][at, chosen].mean()),
    }
