"""Rows and values as numbers: what a head's slots are fitted to, and the head that comes of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from router.models.features import Features
from router.models.head import OTHER, Doubts, Head, Slot
from router.models.scoring import Inputs, Scoring, chances
from router.training.calibration import NEVER, temperature_of
from router.training.closed import Reader
from router.training.examples import GOOD, Example
from router.training.fitting import Columns, Recipe, fitted

_LEAST_OTHER = 5  # rows with rare values, from which on the head learns to leave them
_CERTAIN = np.array([0.0, 1.0], np.float32)
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Targets:
    """What the rows of a split teach: for each slot positions of values; -1: a value unknown to
    the head. A row may come several times, with the chances that its teacher gave its answers."""

    rows: NDArray[np.intp]
    labels: NDArray[np.intp]  # rows x slots
    weights: Numbers


@dataclass(frozen=True, slots=True)
class Task:
    """The slots of a task, and the values of each."""

    reader: Reader
    slots: tuple[Slot, ...]

    def positions(self, answer: str) -> list[int] | None:
        values = self.reader.read(answer)
        if values is None:
            return None
        return [slot.values.index(v) for slot, v in zip(self.slots, values, strict=True)]

    def targets(self, examples: Sequence[Example]) -> Targets:
        """What good answers teach."""
        rows, labels, weights = [], [], []
        for number, example in enumerate(examples):
            if example.quality < GOOD:
                continue
            for answer, chance in (example.soft or {example.answer: 1.0}).items():
                positions = self.positions(answer) or [
                    slot.values.index(OTHER) if OTHER in slot.values else -1 for slot in self.slots
                ]
                rows.append(number)
                labels.append(positions)
                weights.append(chance * example.quality)
        kept = [n for n, each in enumerate(labels) if min(each) >= 0 and weights[n] > 0]
        return Targets(
            np.array([rows[n] for n in kept], np.intp),
            np.array([labels[n] for n in kept], np.intp).reshape(-1, len(self.slots)),
            np.array([weights[n] for n in kept], float),
        )


def task_of(reader: Reader, examples: Sequence[Example]) -> Task:
    """The slots that a reader reads; rare values share one value of a whole answer."""
    good = [example for example in examples if example.quality >= GOOD]
    unread = sum(reader.read(example.answer) is None for example in good)
    other = (OTHER,) if unread >= _LEAST_OTHER and len(reader.slots) == 1 else ()
    slots = [
        Slot(name, (*sorted(set(reader.values[name].values()), key=str), *other))
        for name in reader.slots
    ]
    return Task(reader, tuple(slots))


def fit(
    task: Task, recipe: Recipe, columns: Columns, features: Sequence[Features], targets: Targets
) -> tuple[Scoring, ...]:
    """A scoring for each slot."""
    each = [columns.inputs(row, vector=recipe.vector) for row in features]
    rows = [each[number] for number in targets.rows]
    width = len(columns.buckets)
    return tuple(
        fitted(recipe, rows, targets.labels[:, n], targets.weights, width, len(slot.values))
        for n, slot in enumerate(task.slots)
    )


def assembled(
    task: Task, recipe: Recipe, columns: Columns, scorings: tuple[Scoring, ...], encoder: str
) -> Head:
    """A head that is not calibrated, and that is never unsure."""
    return Head(
        task.slots,
        scorings,
        columns.buckets,
        columns.rarity,
        _CERTAIN,
        _CERTAIN,
        Doubts(0.0),
        encoder if recipe.vector else "",
        task.reader.spaced,
    )


def tempered(head: Head, features: Sequence[Features], targets: Targets) -> Head:
    """The head with the temperature of each slot at which the right values are likeliest."""
    each = [head.inputs(features[number]) for number in targets.rows]
    slots = []
    for n, (slot, scoring) in enumerate(zip(head.slots, head.scorings, strict=True)):
        scores = _stacked(scoring, each, len(slot.values))
        temperature = temperature_of(scores, targets.labels[:, n], targets.weights)
        slots.append(replace(slot, temperature=temperature))
    return replace(head, slots=tuple(slots))


def _stacked(scoring: Scoring, rows: Sequence[Inputs], values: int) -> Numbers:
    return np.array([scoring.scores(row) for row in rows]).reshape(-1, values)


@dataclass(frozen=True, slots=True)
class Guesses:
    """What a head says of the rows of a split, and how much worse than the teacher that is."""

    confidences: Numbers
    answers: list[str]
    losses: Numbers
    equal: NDArray[np.bool_]  # whether the head and the teacher agree


def guesses(
    head: Head, task: Task, rows: Sequence[Features], examples: Sequence[Example]
) -> Guesses:
    """The head's answers without its doubts. Where it differs from a teacher that was good, it
    loses what the teacher's answer was worth: nobody said that the other answer is good, too."""
    confidences, answers, equal = [], [], []
    for row, example in zip(rows, examples, strict=True):
        inputs = head.inputs(row)
        parts = [
            chances(scoring.scores(inputs), slot.temperature)
            for slot, scoring in zip(head.slots, head.scorings, strict=True)
        ]
        best = [int(part.argmax()) for part in parts]
        values: list[Any] = [s.values[n] for s, n in zip(head.slots, best, strict=True)]
        unknown = OTHER in values
        confidence = 0.0 if unknown else float(np.prod([part.max() for part in parts]))
        confidences.append(confidence)
        answers.append(head.written(values))
        equal.append(not unknown and task.positions(example.answer) == best)
    same = np.array(equal, bool)
    quality = np.array([example.quality for example in examples], float)
    return Guesses(np.array(confidences), answers, np.where(same, 0.0, quality), same)


def never(head: Head) -> bool:
    return head.doubts.least_confidence >= NEVER
