"""Reads a request's words once, for all later steps. Pure functions."""

from router.domain import Fields, Reading
from router.request.complexity import difficulty
from router.request.language import LOOKED_AT, language
from router.request.text import last_user_text, prompt_text, tokens_in
from router.request.wants import needs, shape_for


def reading_of(fields: Fields) -> Reading:
    text, last_words = prompt_text(fields), last_user_text(fields)
    shape, wanted = shape_for(fields, last_words), needs(fields)
    parts, kind, kinds = difficulty(text, last_words, shape, wanted)
    return Reading(
        text=text,
        last_words=last_words,
        tokens=tokens_in(text),
        shape=shape,
        needs=wanted,
        difficulty=parts,
        kind=kind,
        kinds=kinds,
        language=language(text[:LOOKED_AT]),
    )
