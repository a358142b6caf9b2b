"""Continuous training's turn in the learner's process: narrow tasks leave their dear plans.

A lesson that is due is trained in a process of its own. A model that passes enters as the first
rung of a cascade, by the trial of a made plan, and what it is unsure of goes to its teacher. An
adopted plan is watched and audited; when it turned bad it is rolled back, and trained anew on
answers since then. Each step is a line of the book or of the registry before anything acts on it.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import orjson

from router.config.config import Config
from router.keys import load_keys, single_owner
from router.models.card import BrokenModel
from router.models.models import open_model
from router.models.registry import NoSuchModel, Registry, parsed
from router.plans.made import MadePlan
from router.telemetry.feed import Feed
from router.training.lessons.launching import Process, launched, prepare
from router.training.lessons.state import LessonState, LessonStates, Note, states_in
from router.training.lessons.subjects import (
    Subject,
    Taught,
    drifted_at,
    subject_at,
    subjects,
    taught,
)
from router.training.lessons.triggers import due, refusal
from router.training.lessons.watching import ModelWatch, made_for
from router.training.workplace import RESULT
from router.trials.book import Rejected
from router.trials.director import Director
from router.trials.made_trials import (
    make,
    retire,
    state_of,
    trial_of,
)

_log = logging.getLogger("waggle")
_EVERY_SECONDS = 30.0


@dataclass
class Under:
    """A lesson that is being trained."""

    subject: Subject
    taught: Taught
    process: Process


@dataclass
class Teaching:
    director: Director
    config: Config
    wall: Callable[[], float]
    note: Note
    launch: Callable[[Path], Process] = launched
    under: Under | None = None
    _looked_at: float = 0.0
    _stamp: object = None

    def __post_init__(self) -> None:
        self.states = LessonStates(self.folder, self.wall, self.note)
        self.watch = ModelWatch(self.director, self.config, self.wall, self.states)
        self._feed = Feed(self.config.telemetry_folder)

    @property
    def folder(self) -> Path:
        return self.config.training_folder / "lessons"

    def turn(self) -> None:
        """End the training that is done, look after models that are tried or adopted, and begin the
        next training that is due."""
        config = self.config
        if config.learned_backend is None or not config.training or not config.trials.propose:
            return
        try:
            ended = self._end_training()
            now = self.wall()
            if not ended and abs(now - self._looked_at) < _EVERY_SECONDS:
                return
            self._looked_at = now
            stamp = (self._feed.stamp, self.director.book.lines, self._registry_size())
            if not ended and stamp == self._stamp:
                return  # nothing happened since
            self._stamp = stamp
            every = self._subjects()
            for subject in every:
                self.watch.look_after(subject)
            if self.under is None:
                self._begin_training(every)
        except (duckdb.Error, OSError, ValueError) as error:
            # The catalog is being replaced, or the keys cannot be read: try again later.
            _log.warning("nothing is taught at this turn: %s", error)

    def _registry_size(self) -> int:
        path = Registry(self.config.models_folder).path
        return path.stat().st_size if path.exists() else 0

    def reconfigure(self, config: Config) -> None:
        self.config = self.watch.config = config

    def close(self) -> None:
        """End the training; it goes on where it is when the lesson is begun again."""
        if self.under is not None:
            self.under.process.kill()
            self.under.process.wait()
            self.under = None

    def _subjects(self) -> list[Subject]:
        """What may be taught, and what was taught before if traffic suggests lessons. A lesson
        that is configured no more ends with its plans."""
        every = {each.name: each for each in subjects(self.config, self.director.telemetry)}
        for state in states_in(self.folder):
            if state.name in every or not state.place:
                continue
            subject = subject_at(state.name, state.place)
            if self.config.training == "auto":
                every[state.name] = subject
                continue
            for made in made_for(self.director.book, subject):
                why = f"waggle.yaml has the lesson {state.name} no more"
                self.director.change(retire, made.name, self.wall(), why)
        return list(every.values())

    def _begin_training(self, every: list[Subject]) -> None:
        now = self.wall()
        for subject in every:
            state = self.states.of(subject.name)
            book = self.director.book
            made = made_for(book, subject)
            states = {state_of(book, each.name) for each in made}
            if "forbidden" in states or states & {"made", "waiting", "running", "decided"}:
                continue
            changed = max(self._changed_at(made), state.changed_at)
            since = int(changed * 1e6) if changed > state.tried_at else state.since
            answers = self._taught(subject, since)
            drifted = drifted_at(
                self.director.telemetry, [answers.teacher, *(m.name for m in made)]
            )
            if state.tried_at and drifted > max(state.tried_at, changed):
                changed, since = drifted, int(drifted * 1e6)
                answers = self._taught(subject, since)
            why = "a kill ended the training" if state.state == "training" else ""
            why = why or due(subject.lesson, state, answers, now, changed)
            if why and answers.teacher:
                self._start(subject, answers, state, since, why)
                return

    def _start(
        self, subject: Subject, answers: Taught, state: LessonState, since: int, why: str
    ) -> None:
        now = self.wall()
        changed = {"tried_at": now, "rows": answers.rows, "since": since, "trigger": why}
        self.states.become(state, "training", "", place=subject.place, **changed)
        folder = self.folder / subject.name
        prepare(self.config, folder, subject, answers.keys, since, now)
        self.under = Under(subject, answers, self.launch(folder))

    def _end_training(self) -> bool:
        if self.under is None or self.under.process.poll() is None:
            return False
        subject, answers = self.under.subject, self.under.taught
        self.under = None
        state = self.states.of(subject.name)
        try:
            content = (self.folder / subject.name / RESULT).read_bytes()
        except OSError:
            self.states.become(state, "failed", f"see {self.folder / subject.name / 'log'}")
            return True
        result = orjson.loads(content)
        if result["state"] != "finished":
            self.states.become(state, result["state"], result["why"])
            return True
        adopted = self._adopted(subject)
        serving = self._metrics(adopted) if adopted is not None and state.since == 0 else None
        why = refusal(result, answers, serving)
        if why:
            self.states.become(state, "not tried", why, model=result["model"])
        else:
            self._try(subject, answers, state, result)
        return True

    def _try(
        self, subject: Subject, answers: Taught, state: LessonState, result: Mapping[str, Any]
    ) -> None:
        now, growth = self.wall(), self.config.growth
        facts, rows, model = result["metrics"], sum(result["rows"].values()), str(result["model"])
        rung = {"ask": str(self.config.learned_backend), "model": model}
        made = MadePlan(
            f"{subject.name}-model-{parsed(model)[1]}",
            subject.place,
            answers.teacher,
            {"cascade": [rung, answers.teacher], "accept": {"sure": True}},
            kind="model",
            author=model,
            evidence=f"{state.trigger}; {model} learned {rows:,} rows of {result['data']}: it "
            f"answers {facts['answered']:.0%} of {facts['rows']:,} test rows, "
            f"{facts['loss_answered']:.1%} worse than {answers.teacher}; run {result['run']}",
            version=parsed(model)[1] or 1,
            scope=answers.owner,
            alike=answers.rows,
            at=now,
        )
        try:
            self.director.change(
                make,
                made,
                now,
                waits=growth.approve,
                alpha=self.config.trials.alpha,
                most=growth.most_requests,
                effect=made.evidence,
            )
        except Rejected as error:
            self.states.become(state, "not tried", str(error), model=model)
            return
        self.states.become(state, "tried", made.evidence, model=model)

    def _adopted(self, subject: Subject) -> MadePlan | None:
        book = self.director.book
        made = [m for m in made_for(book, subject) if state_of(book, m.name) == "adopted"]
        return made[-1] if made else None

    def _metrics(self, made: MadePlan) -> Mapping[str, Any] | None:
        registry = Registry(self.config.models_folder)
        try:
            return open_model(registry.files, registry.find(made.author)[1].digest).card.metrics
        except (NoSuchModel, BrokenModel):
            return None

    def _changed_at(self, made: list[MadePlan]) -> float:
        """When a plan of the lesson began to turn bad last; 0 if none did."""
        trials = [trial_of(self.director.book, each.name) for each in made]
        bad = [trial for trial in trials if trial is not None and trial.state == "rolled back"]
        return max((trial.shared_at or trial.since for trial in bad), default=0.0)

    def _taught(self, subject: Subject, since: int) -> Taught:
        owners = {key.id: key.remembers_as for key in load_keys(self.config.keys_file)}
        owner_of = owners.get if owners else single_owner
        telemetry = self.director.telemetry
        return taught(self.config, telemetry, subject, since, lambda key: owner_of(key) or "")
