"""The metadata that a document states about itself: YAML between two lines of `---`. Pure.

    ---
    team: law
    date: 2025-03-01
    tags: [tax, fees]
    ---

Not covered: nested values; they are left out.
"""

import datetime as dt
import re
from collections.abc import Mapping

import yaml

Value = str | int | float | bool | tuple[str, ...]

_FRONT = re.compile(r"\A﻿?---[ \t]*\r?\n(.{0,16384}?)\r?\n(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.S)
_MOST_KEYS = 64
_MOST_CHARACTERS = 1_000  # of one value


def metadata_of(text: str) -> dict[str, Value]:
    """The metadata of a document's text; none where the text does not begin with readable YAML.

    Keys are in lower case. A date is text as in 2025-03-01, so that dates compare as text.
    """
    front = _FRONT.match(text)
    if front is None:
        return {}
    try:
        stated = yaml.safe_load(front[1])
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}
    return plain_metadata(stated) if isinstance(stated, Mapping) else {}


def plain_metadata(stated: Mapping[object, object]) -> dict[str, Value]:
    """The values that can be filtered by, with their keys in lower case."""
    metadata: dict[str, Value] = {}
    for key, given in list(stated.items())[:_MOST_KEYS]:
        value = _plain(given)
        if value is not None:
            metadata[str(key).strip().lower()] = value
    return metadata


def _plain(given: object) -> Value | None:
    match given:
        case bool() | int() | float():
            return given
        case dt.datetime() | dt.date():
            return given.isoformat()
        case str():
            return given.strip()[:_MOST_CHARACTERS]
        case list() | tuple() | set():
            words = (_plain(item) for item in given if not isinstance(item, list | tuple | set))
            return tuple(str(word) for word in words if word is not None)
        case _:
            return None
