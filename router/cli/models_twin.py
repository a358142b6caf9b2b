"""What `waggle models train --kind twin` asks for: a person's texts, and their consent."""

import datetime as dt
from dataclasses import asdict
from pathlib import Path

from router.cli.terminal import InputRefused
from router.config.config import Config
from router.training.consent import consent_of, texts_name, texts_set
from router.training.data_sets import DataSets


def voice(
    config: Config,
    name: str,
    texts: Path | None,
    consent: str,
    person: str,
    scope: str,
    until: str,
) -> tuple[str, dict[str, str]]:
    """The data set that holds the texts, and the consent as it is recorded."""
    if texts is None or not texts.is_dir():
        raise InputRefused(f"--texts {texts or ''!s}: name a folder with the person's texts")
    if not consent:
        raise InputRefused(
            "--consent is missing: a twin needs the person's own words, or a file with them"
        )
    given = consent_of(person, consent, scope, until, dt.datetime.now(dt.UTC))
    data = texts_set(DataSets(config.training_folder / "data"), texts_name(name), texts)
    return data.reference, asdict(given)
