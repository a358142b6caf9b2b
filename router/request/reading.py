"""Reads a request's words once, for all later steps. Pure functions.

The words of a short request are read when a step first asks for them: an answer from memory may
need none.
"""

from dataclasses import fields as fields_of
from typing import Any

from router.domain import Fields, Reading
from router.request.complexity import difficulty
from router.request.language import LOOKED_AT, language
from router.request.text import last_user_text, prompt_text, tokens_in
from router.request.trajectory import session_of
from router.request.wants import needs, shape_for

_NAMES = tuple(each.name for each in fields_of(Reading))


class _Unread(Reading):
    """A reading that is still to be made: its slots are empty until somebody asks for one, and it
    is a plain reading from then on."""

    __slots__ = ()

    def __init__(self, fields: Fields) -> None:
        object.__setattr__(self, "unread", fields)

    def __getattr__(self, name: str) -> Any:  # called only while the slot of this name is empty
        if name not in _NAMES:
            raise AttributeError(name)
        fill(self, reading_of(self.unread))
        return getattr(self, name)


def late_reading(fields: Fields) -> Reading:
    """The reading of these fields, made at its first use."""
    return _Unread(fields)


def fill(reading: Reading, same: Reading) -> None:
    """Spare an unread reading the work: a request with the same words was read before."""
    if isinstance(reading, _Unread):
        for name in _NAMES:
            object.__setattr__(reading, name, getattr(same, name))
        reading.__class__ = Reading  # type: ignore[assignment]


def reading_of(fields: Fields) -> Reading:
    """Of an agent's request, features are made of what its users wrote, and of its trajectory."""
    text = prompt_text(fields)
    tokens = tokens_in(text)
    session = session_of(fields, last_user_text(fields), tokens)
    last_words = session.last_words
    words = text if session.words is None else session.words
    shape, wanted = shape_for(fields, last_words), needs(fields)
    parts, kind, kinds = difficulty(words, last_words, shape, wanted)
    return Reading(
        text=text,
        last_words=last_words,
        tokens=tokens,
        shape=shape,
        needs=wanted,
        difficulty=parts,
        kind=kind,
        kinds=kinds,
        language=language(words[:LOOKED_AT]),
        words=words,
        trajectory=session.trajectory,
    )
