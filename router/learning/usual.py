"""The usual context of each kind of request: a mean that fades as new requests come."""

from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from learner.policy import Context

_SHARE = 0.02  # of a new context in the mean
_LEAST = 1e-4  # a feature that matters less is left out


def fade(
    usual: dict[str, dict[str, float]],
    contexts: Sequence[Context],
    kinds: Mapping[str, Sequence[int]],
) -> None:
    """Move the usual context of each kind toward its new contexts, one after the other.

    `kinds` holds the places of each kind's contexts. All features of a context are moved at once.
    """
    names = dict.fromkeys(chain(*(usual.get(kind, ()) for kind in kinds), *contexts))
    places = {name: place for place, name in enumerate(names)}
    x = np.zeros((len(contexts), len(places)))
    for row, context in zip(x, contexts, strict=True):
        row[[places[name] for name in context]] = list(context.values())
    for kind, rows in kinds.items():
        before = usual.get(kind, {})
        mean = np.zeros(len(places))
        mean[[places[name] for name in before]] = list(before.values())
        _follow(mean, x[rows], begun=bool(before))
        order = dict.fromkeys((*before, *names))
        after = dict(zip(names, mean.tolist(), strict=True))
        usual[kind] = {name: after[name] for name in order if after[name]}


def _follow(mean: NDArray[np.float64], rows: NDArray[np.float64], *, begun: bool) -> None:
    for row in rows:
        row -= mean
        row *= _SHARE if begun else 1.0
        mean += row
        mean[np.abs(mean) < _LEAST] = 0.0
        begun = True
