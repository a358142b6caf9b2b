"""Fills in what a file leaves out about a model: its price, its window and its abilities.

The file's own values win. What neither the file nor a table knows stays unknown: a price that is
None is not zero.
"""

import datetime as dt
from typing import Any, Literal, NamedTuple

from router.catalog import look_up
from router.config.config import Config
from router.config.values import BackendSettings

Source = Literal["file", "table", "its kind", "nothing"]
FACTS = ("price", "context_window", "capabilities")


class Sources(NamedTuple):
    """Where the facts of one backend are from."""

    price: Source
    context_window: Source
    capabilities: Source


def filled(config: Config, at: dt.datetime) -> Config:
    """The configuration with the tables' facts where the file has none."""
    backends = {
        name: settings.model_copy(update=_missing(settings, at))
        for name, settings in config.backends.items()
    }
    return config.model_copy(update={"backends": backends})


def sources(written: BackendSettings, at: dt.datetime) -> Sources:
    """Where each fact of a backend is from, by its settings as the file has them."""
    missing = _missing(written, at)
    runs_here = written.named_model is None and written.price is not None

    def source(fact: str) -> Source:
        if fact in missing:
            return "table"
        if runs_here and fact not in written.model_fields_set:
            return "its kind"
        return "file" if fact in written.model_fields_set else "nothing"

    return Sources(*(source(fact) for fact in FACTS))


def _missing(settings: BackendSettings, at: dt.datetime) -> dict[str, Any]:
    """The tables' values of the facts that the settings leave out."""
    unset = [fact for fact in FACTS if fact not in settings.model_fields_set]
    if not unset or settings.named_model is None:
        return {}
    facts = look_up(*settings.named_model, at)
    return {fact: value for fact in unset if (value := getattr(facts, fact, None))}
