"""When a lesson is due, and whether what it made may be tried. Pure functions."""

from collections.abc import Mapping
from typing import Any

from router.config.training import Lesson
from router.training.lessons.state import LessonState
from router.training.lessons.subjects import Taught

_AGAIN = 1.0  # times the rows of the last try that must be new after it, if nothing changed
_SIXTH = 6
_LEAST_ANSWERED = 0.1  # of the test rows
_WIDER = 0.02  # share of the test rows that a new version must answer more than the adopted one
_GAP = 0.1  # mean gap between stated and true probabilities, beside what chance adds
_QUICKER = 0.5


def due(lesson: Lesson, state: LessonState, taught: Taught, now: float, changed_at: float) -> str:
    """Why a lesson is to be trained now; empty if it is not. `changed_at` is when the answers of
    what served turned out to have changed, 0 if they did not; `taught` counts from then on."""
    if not taught.owner or not taught.teacher:
        return ""
    if not state.tried_at:
        return f"{taught.rows:,} judged answers" if taught.rows >= lesson.rows else ""
    if changed_at > state.tried_at:
        enough = lesson.on_drift and taught.rows >= lesson.rows
        return f"answers changed; {taught.rows:,} judged answers since then" if enough else ""
    new = taught.rows - state.rows
    if new >= max(lesson.rows, _AGAIN * state.rows):
        return f"{new:,} new judged answers"
    hours = (now - state.tried_at) / 3600
    late = lesson.every_hours is not None and hours >= lesson.every_hours
    if late and new >= lesson.rows / _SIXTH:
        return f"{hours:.0f} hours and {new:,} judged answers since the last training"
    return ""


def refusal(result: Mapping[str, Any], taught: Taught, adopted: Mapping[str, Any] | None) -> str:
    """Why a model may not be tried; empty if it may. `adopted` are the metrics of the version that
    serves, unless answers changed since."""
    metrics, cost = result["metrics"], result["cost"]
    if result["why"]:
        return str(result["why"])
    answered, rows = float(metrics["answered"]), int(metrics["rows"])
    if answered < _LEAST_ANSWERED:
        return f"it answers {answered:.0%} of the test rows, and {_LEAST_ANSWERED:.0%} are needed"
    gap, most = float(metrics["expected_calibration_error"]), _GAP + 1 / max(rows, 1) ** 0.5
    if gap > most:
        return f"its probabilities are off by {gap:.2f} on average, and {most:.2f} is the most"
    if taught.usd <= 0 and float(cost["ms"]) / 1000 > _QUICKER * taught.seconds:
        return f"it is neither cheaper nor much faster than {taught.teacher}"
    if adopted is not None and answered < float(adopted["answered"]) + _WIDER:
        return f"it answers no more than the version that serves ({adopted['answered']:.0%})"
    return ""
