"""How good a head is beside its teacher, in all and by slice. Pure functions."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from router.training.calibration import reliability
from router.training.examples import Example

_LEAST_ROWS = 10  # of a slice
_MOST_SLICES = 40
_SHORT, _LONG = 200, 1000  # characters

Numbers = NDArray[np.float64]


def metrics(
    examples: Sequence[Example], answered: NDArray[np.bool_], losses: Numbers, sure: Numbers
) -> dict[str, Any]:
    """Which share of the rows is answered, and how good the answers are beside the teacher's."""
    quality = np.array([example.quality for example in examples], float)
    rows, own = len(examples), int(answered.sum())
    facts: dict[str, Any] = {
        "rows": rows,
        "answered": own / rows if rows else 0.0,
        "teacher_quality": float(quality.mean()) if rows else None,
    }
    if own:
        teacher, lost = float(quality[answered].mean()), float(losses[answered].mean())
        facts |= {"teacher_quality_answered": teacher, "quality_answered": teacher - lost}
        facts |= {"loss_answered": lost}
    if rows:
        facts["loss_of_all"] = float(losses.mean())
        facts["brier"] = float(((sure - (1 - losses)) ** 2).mean())
        facts["expected_calibration_error"] = reliability(sure, losses)[
            "expected_calibration_error"
        ]
    return facts


def slices(
    examples: Sequence[Example],
    answers: Sequence[str],
    answered: NDArray[np.bool_],
    losses: Numbers,
    sure: Numbers,
) -> tuple[Mapping[str, Any], ...]:
    """The metrics of each slice with enough rows, the largest slices first."""
    kinds: Mapping[str, Callable[[int], str]] = {
        "answer": lambda n: answers[n][:60],
        "language": lambda n: examples[n].language,
        "teacher": lambda n: examples[n].teacher,
        "pattern": lambda n: examples[n].pattern,
        "length": lambda n: _length(examples[n].words.last),
    }
    rows = []
    for kind, value_of in kinds.items():
        members: dict[str, list[int]] = defaultdict(list)
        for n in range(len(examples)):
            members[value_of(n)].append(n)
        for value, chosen in members.items():
            if value and len(chosen) >= _LEAST_ROWS and (len(members) > 1 or kind == "answer"):
                at = np.array(chosen)
                own = [examples[n] for n in chosen]
                facts = metrics(own, answered[at], losses[at], sure[at])
                rows.append({"slice": kind, "value": value, **facts})
    rows.sort(key=lambda row: -row["rows"])
    return tuple(rows[:_MOST_SLICES])


def _length(text: str) -> str:
    return "short" if len(text) < _SHORT else "long" if len(text) > _LONG else "middle"
