"""Examines the models that a configuration names: learned ones, twins, and folders of others.

Opening a learned model checks its files against their hash, and its features against the names that
this version computes. A twin must also have a consent that holds, and say that it is a program.
"""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

from router.config.backends import LearnedSettings, LocalSettings, TwinSettings
from router.config.config import Config
from router.deployment.diagnosis import Diagnosis
from router.models.card import BrokenModel
from router.models.models import Models
from router.models.registry import NoSuchModel, parsed
from router.models.twin import Twin

_SOON = 30  # days before the end of a consent in which the doctor speaks of the end


def models_of(config: Config) -> Iterator[Diagnosis]:
    for name, settings in config.backends.items():
        match settings:
            case LearnedSettings(model=str()):
                yield _learned(config, name, settings)
            case TwinSettings():
                yield _twin(config, name, settings, dt.datetime.now(dt.UTC).date())
            case LocalSettings():
                yield from _folders(name, settings)


def _learned(config: Config, name: str, settings: LearnedSettings) -> Diagnosis:
    try:
        models = Models(Path(settings.home or config.models_folder))
        card = models.get(settings.model or "").card
    except (NoSuchModel, BrokenModel) as error:
        wrong, _, mend = str(error).partition(": ")
        return Diagnosis(f"Learned {name}", "warn", wrong, mend)
    return Diagnosis(f"Learned {name}", "ok", f"{card.reference} answers")


def _twin(config: Config, name: str, settings: TwinSettings, today: dt.date) -> Diagnosis:
    # Most configurations name no twin, and these load what looks for personal data in texts.
    from router.training.consent import texts_name
    from router.training.data_sets import DataSets

    what, model = f"Twin {name}", parsed(settings.model)[0]
    texts = DataSets(config.training_folder / "data").folder / texts_name(model)
    models = Models(Path(settings.home or config.models_folder))
    try:
        opened = models.get(settings.model)
    except (NoSuchModel, BrokenModel) as error:
        shelved = models.registry.book.models.get(model)
        if shelved is None or not shelved.withdrawn:
            wrong, _, mend = str(error).partition(": ")
            return Diagnosis(what, "warn", wrong, mend)
        if texts.exists():  # the command that withdraws was killed
            mend = f"Remove the folder {texts}."
            return Diagnosis(what, "bad", "consent was withdrawn, and texts are still here", mend)
        mend = f"Remove backends.{name} from the configuration."
        return Diagnosis(what, "warn", "consent was withdrawn", mend)
    twin, reference = opened.model, opened.card.reference
    if not isinstance(twin, Twin):
        mend = f"Set backends.{name}.kind to `learned`."
        return Diagnosis(what, "bad", f"{reference} is no twin", mend)
    until = dt.date.fromisoformat(twin.consent.until)
    if twin.consent.over(today + dt.timedelta(_SOON)):
        ends = "ended" if twin.consent.over(today) else "ends"
        mend = "Ask the person, and train the twin again."
        return Diagnosis(what, "warn", f"consent for {reference} {ends} on {until}", mend)
    if not texts.is_dir():
        mend = f"If the person took them back: `waggle models withdraw {model}`."
        return Diagnosis(what, "warn", f"the texts of {reference} are gone", mend)
    if not settings.notice:
        mend = f"Leave out backends.{name}.notice, or tell readers in another way."
        return Diagnosis(what, "warn", "its texts do not say that a program wrote them", mend)
    return Diagnosis(what, "ok", f"{reference} writes, with consent until {until}")


def _folders(name: str, settings: LocalSettings) -> Iterator[Diagnosis]:
    for model, folder in settings.models.items():
        if (Path(folder) / "config.json").is_file():
            yield Diagnosis(f"Model {name}/{model}", "ok", folder)
        else:
            mend = f"Put a model there, or change backends.{name}.models."
            yield Diagnosis(f"Model {name}/{model}", "bad", f"no config.json in {folder}", mend)
