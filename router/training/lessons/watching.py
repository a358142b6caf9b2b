"""Looks after trained models that are tried or adopted: the registry follows the trials of their
plans, and the plans follow the registry and the audits.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from router.config.config import Config
from router.encoding.encodes import Encodes
from router.models.card import BrokenModel
from router.models.models import open_model
from router.models.registry import NoSuchModel, Registry, parsed
from router.plans.made import MadePlan
from router.training.lessons.audits import audited
from router.training.lessons.state import LessonState, LessonStates
from router.training.lessons.subjects import Subject
from router.training.model_changes import promote, withdraw
from router.trials.book import Book, Trial
from router.trials.director import Director
from router.trials.made_trials import (
    go_back,
    note_audited,
    open_made,
    retire,
    state_of,
    trial_of,
)


def made_for(book: Book, subject: Subject) -> list[MadePlan]:
    """The plans that were made for a lesson, the oldest first."""
    every = book.made.values()
    return [each for each in every if each.kind == "model" and each.pattern == subject.place]


@dataclass
class ModelWatch:
    director: Director
    config: Config
    wall: Callable[[], float]
    states: LessonStates
    _audits: dict[str, dict[str, bool | None]] = field(default_factory=dict)  # by model, request
    _encoders: dict[str, Encodes | None] = field(default_factory=dict)

    def look_after(self, subject: Subject) -> None:
        """Let the registry follow the trials of a lesson's plans, and the plans their audits."""
        book, registry = self.director.book, Registry(self.config.models_folder)
        registry.follow()
        for made in made_for(book, subject):
            state, trial = self.states.of(subject.name), trial_of(book, made.name)
            model = registry.book.models.get(parsed(made.author)[0])
            number = parsed(made.author)[1]
            now = self.wall()
            if state_of(book, made.name) in ("made", "approved"):
                alpha, most = self.config.trials.alpha, self.config.growth.most_requests
                self.director.change(open_made, made.name, now, alpha=alpha, most=most)
            elif trial is None or trial.ended:
                self._ended(made, trial, state, registry)
            elif model is None or number not in model.versions:
                self.director.change(retire, made.name, now, f"{made.author} was removed")
            elif not book.usable(book.strategies[trial.candidate]):
                why = "the configuration has its plan or its backend no more"
                self.director.change(retire, made.name, now, why)
            elif trial.state == "adopted" and model.promoted != number:
                if state.promoted == made.author:
                    why = f"{made.author} is promoted no more"
                    self.director.change(retire, made.name, now, why)
                else:
                    promote(registry, made.author, anyway=True)
                    self.states.note("model", made.author, "promoted", why=trial.why)
                    self.states.become(state, "adopted", trial.why, promoted=made.author)
            elif trial.state == "adopted" and state.promoted != made.author:
                self.states.become(state, "adopted", trial.why, promoted=made.author)
            else:
                self._audit(subject, made, trial)

    def _ended(
        self, made: MadePlan, trial: Trial | None, state: LessonState, registry: Registry
    ) -> None:
        if state.promoted == made.author and trial is not None and trial.state != "superseded":
            if withdraw(registry, made.author):
                self.states.note("model", made.author, "rolled back", why=trial.why)
            self.states.become(state, trial.state, trial.why, promoted="")
        elif state.state == "tried" and state.model == made.author and trial is not None:
            self.states.become(state, trial.state, trial.why)

    def _audit(self, subject: Subject, made: MadePlan, trial: Trial) -> None:
        registry = Registry(self.config.models_folder)
        try:
            _, version = registry.find(made.author)
            model = open_model(registry.files, version.digest)
        except (NoSuchModel, BrokenModel) as error:
            self.director.change(retire, made.name, self.wall(), str(error))
            return
        encoder = self._encoder() if model.model.encoder else None
        if model.model.encoder and encoder is None:
            return
        since = int(trial.since * 1e6)
        before = self._audits.setdefault(version.digest, {})
        telemetry = self.director.telemetry
        audit = audited(telemetry, subject, made.name, model, since, encoder, before)
        if audit.alarm:
            why = f"{audit}, more often than on its test rows"
            self.director.change(go_back, made.name, self.wall(), why)
            state, now = self.states.of(subject.name), self.wall()
            self.states.become(state, "audit failed", why, changed_at=now)
        elif audit.passed:
            self.director.change(note_audited, made.name, self.wall(), str(audit))

    def _encoder(self) -> Encodes | None:
        from router.encoding.encoder import CannotEncode
        from router.encoding.home import encoder_of

        home = str(self.config.encoders_folder)
        if home not in self._encoders:
            try:
                self._encoders[home] = encoder_of(None, home)
            except CannotEncode:
                self._encoders[home] = None
        return self._encoders[home]
