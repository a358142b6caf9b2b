"""The latest judged answers, one by one: trees are learned from them, not from sums.

A context is kept as whole numbers of the grid, so a row takes some hundred bytes, and a snapshot
holds the rows to the last bit. The oldest rows go first.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from learner.packing import packed, unpacked
from learner.policy import Arm, Feedback
from learner.posterior import GRID, Vector, on_grid

_MOST = 10_000
_LARGEST = 2**15 - 1  # a context's value in steps of the grid


class Row(NamedTuple):
    """A judged answer. Without a propensity, nothing is known of how its arm was chosen."""

    arm: Arm
    places: NDArray[np.uint16]
    steps: NDArray[np.int16]
    quality: float
    weight: float
    propensity: float
    number: int  # of answers before it


@dataclass(frozen=True, slots=True)
class RowArrays:
    """The rows of some arms as arrays; `chosen` are places in `arms`."""

    arms: tuple[Arm, ...]
    names: tuple[str, ...]
    contexts: NDArray[np.float32]
    chosen: NDArray[np.intp]
    quality: Vector
    weight: Vector
    propensity: Vector
    numbers: NDArray[np.intp]

    def over(self, names: Mapping[str, int]) -> NDArray[np.float32]:
        """The contexts with a column for each of these names; other features are left out."""
        both = [(at, names[name]) for at, name in enumerate(self.names) if name in names]
        x = np.zeros((len(self.contexts), len(names)), dtype=np.float32)
        x[:, [theirs for _, theirs in both]] = self.contexts[:, [ours for ours, _ in both]]
        return x

    def since(self, number: int) -> "RowArrays":
        """The rows from this number on."""
        new = self.numbers >= number
        return RowArrays(
            self.arms,
            self.names,
            self.contexts[new],
            self.chosen[new],
            self.quality[new],
            self.weight[new],
            self.propensity[new],
            self.numbers[new],
        )


@dataclass
class Rows:
    names: dict[str, int] = field(default_factory=dict)
    added: int = 0
    _rows: OrderedDict[str, Row] = field(default_factory=OrderedDict)

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, feedback: Feedback) -> None:
        """Add a judged answer, or a later judgement of the same answer."""
        key = feedback.answer or feedback.id
        context = {
            name: value for name, value in feedback.context.items() if value and name != "bias"
        }
        places = [self.names.setdefault(name, len(self.names)) for name in context]
        steps = [min(max(round(value * GRID), -_LARGEST), _LARGEST) for value in context.values()]
        before = self._rows.pop(key, None)
        self._rows[key] = Row(
            feedback.arm,
            np.array(places, dtype=np.uint16),
            np.array(steps, dtype=np.int16),
            on_grid(feedback.quality),
            on_grid(feedback.weight),
            before.propensity if before is not None else feedback.propensity,
            before.number if before is not None else self.added,
        )
        self.added += before is None
        while len(self._rows) > _MOST:
            self._rows.popitem(last=False)

    def drop(self, arm: Arm) -> None:
        """Forget the answers of an arm, which is gone or is no longer what it was."""
        for key in [key for key, row in self._rows.items() if row.arm == arm]:
            del self._rows[key]

    def drop_features(self, names: Iterable[str]) -> None:
        gone = {self.names[name] for name in names if name in self.names}
        for key, row in self._rows.items():
            kept = np.array([place not in gone for place in row.places.tolist()], dtype=bool)
            self._rows[key] = row._replace(places=row.places[kept], steps=row.steps[kept])

    def arrays(self, arms: Iterable[Arm]) -> RowArrays:
        """The rows of these arms, oldest first."""
        index = {arm: at for at, arm in enumerate(arms)}
        rows = [row for row in self._rows.values() if row.arm in index]
        contexts = np.zeros((len(rows), len(self.names)), dtype=np.float32)
        for at, row in enumerate(rows):
            contexts[at, row.places] = row.steps
        return RowArrays(
            tuple(index),
            tuple(self.names),
            contexts / np.float32(GRID),
            np.array([index[row.arm] for row in rows], dtype=np.intp),
            np.array([row.quality for row in rows]),
            np.array([row.weight for row in rows]),
            np.array([row.propensity for row in rows]),
            np.array([row.number for row in rows], dtype=np.intp),
        )

    def state(self) -> dict[str, Any]:
        rows = list(self._rows.values())
        arms = list(dict.fromkeys(row.arm for row in rows))
        index = {arm: at for at, arm in enumerate(arms)}
        return {
            "names": list(self.names),
            "keys": list(self._rows),
            "arms": arms,
            "chosen": [index[row.arm] for row in rows],
            "quality": [row.quality for row in rows],
            "weight": [row.weight for row in rows],
            "propensity": [row.propensity for row in rows],
            "number": [row.number for row in rows],
            "added": self.added,
            "sizes": [len(row.places) for row in rows],
            "places": packed(_joined([row.places for row in rows], np.uint16)),
            "steps": packed(_joined([row.steps for row in rows], np.int16)),
        }

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> "Rows":
        ends = np.cumsum(np.array(state["sizes"], dtype=np.intp))[:-1]
        places = np.split(unpacked(state["places"], np.uint16), ends)
        steps = np.split(unpacked(state["steps"], np.int16), ends)
        arms = [Arm(arm) for arm in state["arms"]]
        columns = (
            state[name] for name in ("keys", "chosen", "quality", "weight", "propensity", "number")
        )
        rows = zip(*columns, strict=True)
        return cls(
            {name: place for place, name in enumerate(state["names"])},
            int(state["added"]),
            OrderedDict(
                (key, Row(arms[chosen], places[at], steps[at], *rest))
                for at, (key, chosen, *rest) in enumerate(rows)
            ),
        )


def _joined(parts: list[NDArray[Any]], kind: type[np.generic]) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=kind)
