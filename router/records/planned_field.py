"""One field of an object, and what it means: decided before records are made."""

import datetime as dt
from dataclasses import dataclass

from router.records.likeness.styles import Style


@dataclass(frozen=True, slots=True)
class PlannedField:
    """One field of an object."""

    key: str
    concept: str
    language: str
    style: Style | None = None
    role: str = ""  # whose it is, where a record speaks of several persons
    slot: str = ""  # under which the record's facts keep its value
    window: tuple[dt.datetime, dt.datetime] | None = None  # near the dates of the examples
