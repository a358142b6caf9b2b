"""A shallow tree that says in a few lines what a policy has learned to do.

The tree grows by the utility of its choices, not by its agreement with a policy: the next split is
the split that adds most utility over all contexts. A split that adds too little is not made.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learner.policy import Arm

Matrix = NDArray[np.float64]
_CUTS = 100  # the most cuts of a number to compare
_ROUNDING = 1e-9  # utility per context: closer gains count as equal, and the first is used


@dataclass(frozen=True, slots=True)
class TreeLeaf:
    """The arm for all contexts that end in this leaf, and the mean worth of each arm for them."""

    arm: Arm
    count: int
    worth: Mapping[Arm, float]
    rows: Any = None  # the indices of the contexts that end in this leaf


@dataclass(frozen=True, slots=True)
class Split:
    """Leads to `yes` if the word is one of `words`, or the number is below `cut`; else to `no`."""

    name: str
    yes: "TreeLeaf | Split"
    no: "TreeLeaf | Split"
    words: tuple[str, ...] = ()
    cut: float | None = None

    def takes(self, words: Mapping[str, str], numbers: Mapping[str, float]) -> bool:
        if self.cut is None:
            return words.get(self.name, "") in self.words
        return numbers.get(self.name, 0.0) < self.cut


Tree = TreeLeaf | Split


@dataclass(frozen=True, slots=True)
class DecisionTable:
    """Contexts as words and numbers, and the worth of each arm in each context."""

    arms: tuple[Arm, ...]
    worth: Matrix  # (contexts, arms)
    words: Mapping[str, Sequence[str]] = field(default_factory=dict)
    numbers: Mapping[str, Matrix] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class _Open:
    """A leaf that may still be split, with the best split found so far."""

    rows: NDArray[np.intp]
    gain: float = 0.0
    name: str = ""
    words: tuple[str, ...] = ()
    cut: float | None = None
    yes: "_Open | None" = None
    no: "_Open | None" = None

    def gains_by(self, gain: float) -> bool:
        """Whether this gain exceeds the best gain so far by more than a rounding error."""
        return gain > self.gain + _ROUNDING * len(self.rows)


def grown(
    table: DecisionTable, *, leaves: int = 9, least: float = 0.0005, least_rows: int = 20
) -> Tree:
    """Grow a tree. A split must add the utility `least` on average over all requests."""
    root = _Open(np.arange(len(table.worth)))
    _find_split(table, root, least_rows)
    edge = [root]
    while len(edge) < leaves:
        best = max(edge, key=lambda leaf: leaf.gain)
        if best.gain < least * len(table.worth):
            break
        edge.remove(best)
        takes = _takes(table, best)
        best.yes, best.no = _Open(best.rows[takes]), _Open(best.rows[~takes])
        for child in (best.yes, best.no):
            _find_split(table, child, least_rows)
            edge.append(child)
    return _closed(table, root)


def chosen(tree: Tree, words: Mapping[str, str], numbers: Mapping[str, float]) -> Arm:
    while isinstance(tree, Split):
        tree = tree.yes if tree.takes(words, numbers) else tree.no
    return tree.arm


def leaves_of(tree: Tree) -> Iterator[TreeLeaf]:
    if isinstance(tree, TreeLeaf):
        yield tree
    else:
        yield from leaves_of(tree.yes)
        yield from leaves_of(tree.no)


def _find_split(table: DecisionTable, leaf: _Open, least_rows: int) -> None:
    if len(leaf.rows) < 2 * least_rows:
        return
    worth = table.worth[leaf.rows]
    base = float(worth.sum(axis=0).max())
    for name, words in table.words.items():
        _by_words(leaf, name, np.asarray(words, dtype=object)[leaf.rows], worth, base, least_rows)
    for name, values in table.numbers.items():
        _by_number(leaf, name, values[leaf.rows], worth, base, least_rows)


def _by_words(
    leaf: _Open, name: str, column: Any, worth: Matrix, base: float, least_rows: int
) -> None:
    """Try to split off all words for which one arm is better than the arm that is best overall."""
    words, at = np.unique(column.astype(str), return_inverse=True)
    if len(words) < 2:
        return
    sums = np.zeros((len(words), worth.shape[1]))
    np.add.at(sums, at, worth)
    counts = np.bincount(at, minlength=len(words))
    usual = int(sums.sum(axis=0).argmax())
    for arm in range(worth.shape[1]):
        better = sums[:, arm] > sums[:, usual]
        count = int(counts[better].sum())
        if arm == usual or not least_rows <= count <= len(column) - least_rows:
            continue
        gain = float(sums[better].sum(axis=0).max() + sums[~better].sum(axis=0).max()) - base
        if leaf.gains_by(gain):
            leaf.gain, leaf.name, leaf.cut = gain, name, None
            leaf.words = tuple(str(word) for word in words[better])


def _by_number(
    leaf: _Open, name: str, values: Matrix, worth: Matrix, base: float, least_rows: int
) -> None:
    order = np.argsort(values, kind="stable")
    ordered, below = values[order], np.cumsum(worth[order], axis=0)
    total = below[-1]
    for place in np.linspace(least_rows, len(values) - least_rows, _CUTS).astype(int):
        if ordered[place - 1] == ordered[place]:
            continue
        gain = float(below[place - 1].max() + (total - below[place - 1]).max()) - base
        if leaf.gains_by(gain):
            leaf.gain, leaf.name, leaf.words = gain, name, ()
            leaf.cut = float((ordered[place - 1] + ordered[place]) / 2)


def _takes(table: DecisionTable, leaf: _Open) -> NDArray[np.bool_]:
    """Which rows of the leaf go to the `yes` branch of its split."""
    if leaf.cut is None:
        column = np.asarray(table.words[leaf.name], dtype=object)[leaf.rows].astype(str)
        return np.isin(column, leaf.words)
    return np.asarray(table.numbers[leaf.name][leaf.rows] < leaf.cut)


def _closed(table: DecisionTable, leaf: _Open) -> Tree:
    if leaf.yes is not None and leaf.no is not None:
        yes, no = _closed(table, leaf.yes), _closed(table, leaf.no)
        return Split(leaf.name, yes, no, leaf.words, leaf.cut)
    means = table.worth[leaf.rows].mean(axis=0)
    worth = {arm: float(value) for arm, value in zip(table.arms, means, strict=True)}
    return TreeLeaf(max(worth, key=lambda arm: worth[arm]), len(leaf.rows), worth, leaf.rows)
