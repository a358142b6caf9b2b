"""What a policy expects of all arms in a context, in one pass over arrays that are stacked once.

`Stacked` holds what depends on nothing but what was learned: a policy makes it when it first
decides. The places of a context's features are looked up once for regressions and trees.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import log10, sqrt
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from learner.guarding import LEAST_VARIANCE
from learner.insight import Insight
from learner.policy import Context
from learner.posterior import GRID, TENTHS, ExpectedExpenses, Posterior, Vector
from learner.standing import Standing, Tries

_Expected = TypeVar("_Expected")
_LEAST_PART = 0.1  # of its usual time that any answer takes
_HARDLY = 1e-4  # quality; a smaller part explains nothing


def of_kind(by_kind: Mapping[str, _Expected], context: Context) -> _Expected:
    """What is expected of the kind of request that a context names; `""` stands for any other."""
    if len(by_kind) > 1:
        for name in context:
            if name in by_kind:
                return by_kind[name]
    return by_kind[""]


@dataclass(frozen=True, slots=True)
class View:
    """What regressions and trees say of each arm in a context, and what is believed of both."""

    x: Vector
    linear: list[float]
    trees: list[float] | None
    quality: list[float]


@dataclass(frozen=True, slots=True)
class Expenses:
    """The expected expenses of an answer of each arm for one kind of request, as numbers; with
    `tries`, what is known of tries of all arms on requests of this kind."""

    spend: list[float]
    log_seconds: list[float]
    seconds: list[float]
    works: list[float]
    tries: Tries | None

    def waiting(self, waits: Sequence[float]) -> "Expenses":
        """The expenses while each arm takes so many seconds longer than it usually does."""
        pairs = zip(self.seconds, waits, strict=True)
        seconds = [max(usual + wait, _LEAST_PART * usual) for usual, wait in pairs]
        logs = [log10(1 + TENTHS * each) for each in seconds]
        return replace(self, log_seconds=logs, seconds=seconds)


class Stacked:
    """What depends on nothing but what a policy has learned, in the order in which it is used."""

    def __init__(
        self,
        posterior: Posterior,
        expected: Mapping[str, ExpectedExpenses],
        insight: Insight | None,
        standing: Standing | None,
    ) -> None:
        self.posterior, self.insight, self.standing = posterior, insight, standing
        self.all_places = list(range(len(posterior.arms)))
        self.on_whole = [] if standing is None else standing.means.tolist()
        self.deviations = [] if standing is None else np.sqrt(standing.variances).tolist()
        self._kinds = {kind: self._expenses(expenses) for kind, expenses in expected.items()}
        self._weights, self._size = posterior.means, len(posterior.names)
        self._places: Mapping[str, int] = posterior.names
        self._walks = insight is not None and standing is not None
        if insight is not None and self._walks:
            # What regressions say of all arms alike tells none of them apart.
            means = posterior.means
            self._weights = insight.linear[:, None] * (means - means.mean(axis=0))
            self._believed = insight.linear.tolist(), insight.trees.tolist()
            forest = insight.forest
            places = dict(posterior.names)
            for name in forest.names:
                places.setdefault(name, len(places))
            at = np.array([places[name] for name in forest.names], dtype=np.intp)
            self._places = places
            self._feature = at[forest.feature] if len(at) else forest.feature.astype(np.intp)
            self._threshold, self._left = forest.threshold, forest.left
            self._roots, self._owners = forest.roots.astype(np.intp), forest.owners
            self._value, self._depth = forest.value, forest.depth

    def _expenses(self, expected: ExpectedExpenses) -> Expenses:
        tries = None
        if self.standing is not None:
            deviation = np.sqrt(self.standing.variances) * expected.works
            tries = self.standing.tries(np.maximum(deviation**2, LEAST_VARIANCE))
        return Expenses(
            expected.spend.tolist(),
            expected.log_seconds.tolist(),
            expected.seconds.tolist(),
            expected.works.tolist(),
            tries,
        )

    def expenses(self, context: Context) -> Expenses:
        """The expected expenses for the kind of request that a context names."""
        return of_kind(self._kinds, context)

    def view(self, context: Context) -> View:
        """What regressions and trees say of all arms in a context."""
        places = self._places
        raw = np.zeros(len(places))
        for name, value in context.items():
            at = places.get(name)
            if at is not None:
                raw[at] = value
        x = raw[: self._size] * GRID
        np.rint(x, out=x)
        x /= GRID
        x[0] = 1.0
        linear: list[float] = (self.posterior.means @ x).tolist()
        if not self._walks or self.insight is None:
            return View(x, linear, None, linear)
        trees = self._expected(raw)
        alike = sum([a - b for a, b in zip(linear, self.on_whole, strict=True)]) / len(linear)
        common = self.insight.alike * alike
        quality = [
            mean + common + own * (expects - mean - alike) + believed * grown
            for mean, expects, grown, own, believed in zip(
                self.on_whole, linear, trees, *self._believed, strict=True
            )
        ]
        return View(x, linear, trees, quality)

    def _expected(self, raw: Vector) -> list[float]:
        """What the trees expect of each arm: `Forest.expected`, but each node is asked first and
        each tree is walked afterwards, which is quicker for a few hundred shallow trees."""
        if not len(self._roots):
            return [0.0] * len(self.on_whole)
        seen: NDArray[np.float32] = raw.astype(np.float32)
        seen *= GRID
        np.rint(seen, out=seen)
        seen /= GRID
        follows = self._left + (seen.take(self._feature) > self._threshold)
        nodes: NDArray[np.signedinteger[Any]] = self._roots
        for _ in range(self._depth):
            nodes = follows.take(nodes)
        values = self._value.take(nodes)
        expected: list[float] = np.bincount(self._owners, values, len(self.on_whole)).tolist()
        return expected

    def parts(self, view: View, at: int, beside: int) -> list[tuple[str, float]]:
        """What tells an arm from another in a context, most important first, by their places."""
        weights, trees = self._weights, 0.0
        if self.insight is not None and view.trees is not None:
            own = self._believed[1]
            trees = own[at] * view.trees[at] - own[beside] * view.trees[beside]
        features = weights[at] - weights[beside]
        values = features * view.x
        values[0] = 0.0
        bias = float(view.quality[at] - view.quality[beside] - values.sum()) - trees
        names = self.posterior.in_order
        places = np.flatnonzero(np.abs(values) > _HARDLY)
        parts = [
            (names[n], value) for n, value in zip(places, values[places].tolist(), strict=True)
        ]
        parts += [part for part in (("trees", trees), ("bias", bias)) if abs(part[1]) > _HARDLY]
        return sorted(parts, key=_less_important)


def _less_important(part: tuple[str, float]) -> float:
    return -abs(part[1])


def apart(variances: Sequence[float], commons: Sequence[float]) -> list[float]:
    """The variance of each arm that it does not share with the other arms.

    Uncertainty that all arms have in common makes no arm better than another, and is no reason to
    explore.
    """
    commons = [max(common, 0.0) for common in commons]
    alike = [sqrt(common) for common in commons]
    least = min(alike)
    return [
        max(variance - common + (own - least) ** 2, LEAST_VARIANCE)
        for variance, common, own in zip(variances, commons, alike, strict=True)
    ]


def only(worth: list[float], default: int | None = None) -> list[float]:
    """Everything to the default, or to the best arm if there is no default."""
    shares = [0.0] * len(worth)
    shares[worth.index(max(worth)) if default is None else default] = 1.0
    return shares
