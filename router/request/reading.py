"""Reads a request's words once, for all later steps. Pure functions."""

from router.domain import Fields, Reading
from router.request.complexity import difficulty
from router.request.language import LOOKED_AT, language
from router.request.text import last_user_text, prompt_text, tokens_in
from router.request.trajectory import session_of
from router.request.wants import needs, shape_for


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
