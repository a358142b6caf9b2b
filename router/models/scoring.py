"""How a head scores the labels of a slot: a linear model, or trees. Only numpy. Pure functions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from router.models.features import Array, Buckets

Arrays = Mapping[str, Any]
_DEEPEST = 64


@dataclass(frozen=True, slots=True)
class Inputs:
    """What scoring sees of a request: the columns that it has, their values, and its vector."""

    columns: Buckets
    values: Array
    vector: Array


class Scoring(Protocol):
    def scores(self, inputs: Inputs) -> NDArray[np.float64]:
        """A score for each label; the softmax of the scores is the chance of each."""

    def arrays(self) -> Arrays:
        """The arrays from which `scoring_in` makes it again."""


@dataclass(frozen=True, slots=True)
class Linear:
    """A score is the weighted sum of what the request has."""

    words: Array  # columns x labels, since a request has few of the columns
    vectors: Array  # labels x dimensions of a sentence vector, or no columns
    bias: Array

    def scores(self, inputs: Inputs) -> NDArray[np.float64]:
        total = self.bias.astype(np.float64)
        total = total + inputs.values @ self.words[inputs.columns]
        if self.vectors.shape[1]:
            total = total + self.vectors @ inputs.vector
        return np.asarray(total, np.float64)

    def arrays(self) -> Arrays:
        return {"words": self.words, "vectors": self.vectors, "bias": self.bias}


@dataclass(frozen=True, slots=True)
class Trees:
    """A score is the sum of what the trees of a label say. All trees are walked at once.

    `picked` are the columns that the trees see, before the sentence vector. A leaf has no `left`.
    """

    picked: Buckets
    feature: NDArray[np.int32]
    limit: NDArray[np.float64]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: NDArray[np.float64]
    roots: NDArray[np.int32]
    label: NDArray[np.int32]  # of each tree
    base: NDArray[np.float64]

    def scores(self, inputs: Inputs) -> NDArray[np.float64]:
        row = dense(inputs, self.picked)
        at = self.roots
        for _ in range(_DEEPEST):
            inner = self.left[at] >= 0
            if not inner.any():
                break
            smaller = row[self.feature[at]] <= self.limit[at]
            at = np.where(inner, np.where(smaller, self.left[at], self.right[at]), at)
        return self.base + np.bincount(self.label, self.value[at], minlength=len(self.base))

    def arrays(self) -> Arrays:
        return {name: getattr(self, name) for name in _TREES}


_TREES = ("picked", "feature", "limit", "left", "right", "value", "roots", "label", "base")
_LINEAR = ("words", "vectors", "bias")


def dense(inputs: Inputs, picked: Buckets) -> NDArray[np.float64]:
    """The picked columns of a request, zero where it has none, and then its sentence vector."""
    row = np.zeros(len(picked) + len(inputs.vector))
    at = np.searchsorted(picked, inputs.columns)
    at = np.minimum(at, max(len(picked) - 1, 0))
    here = picked[at] == inputs.columns if len(picked) else np.zeros(len(at), bool)
    row[at[here]] = inputs.values[here]
    row[len(picked) :] = inputs.vector
    return row


def scoring_in(arrays: Arrays, number: int) -> Scoring:
    """The scoring of a slot, from the arrays of a model's file."""
    prefix = f"{number}."
    own = {
        key.removeprefix(prefix): array for key, array in arrays.items() if key.startswith(prefix)
    }
    if "words" in own:
        return Linear(*(own[name] for name in _LINEAR))
    return Trees(*(own[name] for name in _TREES))


def chances(scores: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """The softmax of scores at a temperature, over the last axis."""
    cooled = scores / max(temperature, 1e-6)
    grown = np.exp(cooled - cooled.max(axis=-1, keepdims=True))
    return np.asarray(grown / grown.sum(axis=-1, keepdims=True))
