"""The book of trials as JSON, for `GET /v1/trials` and `waggle trial`."""

from collections.abc import Mapping
from typing import Any

from learner.verdict import verdict_of
from router.trials.book import Book, Trial
from router.trials.course import Course


def overview(book: Book, courses: Mapping[str, Course]) -> dict[str, Any]:
    """All trials, the latest first, with the serving strategy and the history."""
    shadows = book.config.objective.start == "shadow"
    return {
        "object": "trials",
        "serving": book.serving.key,
        "control": book.control.key if book.control is not None and book.watched else None,
        "auto": "live" if book.switched or not shadows else "in the shadow",
        "trials": [
            trial_fields(trial) | standing(trial, None if trial.ended else courses.get(trial.id))
            for trial in reversed(book.trials.values())
        ],
        "strategies": [
            strategy.written() | {"key": strategy.key} for strategy in book.strategies.values()
        ],
        "history": [
            {"strategy": served.key, "at": served.at, "why": served.why} for served in book.history
        ],
    }


def standing(trial: Trial, course: Course | None) -> dict[str, Any]:
    """The present state of a trial, in a sentence and in numbers."""
    trouble = f"It cannot be judged: {trial.trouble}" if trial.trouble and not trial.ended else ""
    if course is None:
        why = trouble or trial.why or trial.effect
        return {"why": why, "numbers": dict(trial.numbers)}
    running = trial.state == "running"
    why = verdict_of(course.comparison).sentence if running else trial.why or trial.effect
    return {"why": trouble or why, "numbers": course.numbers()}


def trial_fields(trial: Trial) -> dict[str, Any]:
    return {
        "id": trial.id,
        "name": trial.name,
        "state": trial.state,
        "candidate": trial.candidate,
        "current": trial.current,
        "layer": trial.slot.layer,
        "traffic": round(trial.slot.high - trial.slot.low, 6),
        "split": trial.slot.share,
        "share": trial.share,
        "goal": trial.goal,
        "opened_by": trial.opened_by,
        "pattern": trial.pattern,
        "effect": trial.effect,
        "began": trial.began,
        "since": trial.since,
        "replay": dict(trial.replay),
    }
