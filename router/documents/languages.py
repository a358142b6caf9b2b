"""Which of the two languages, English or Spanish, a text is in. Pure."""

import re

from router.documents import spanish
from router.documents.content_words import STOP

ENGLISH, SPANISH = "en", "es"
LOOKED_AT = 2_000  # characters of a text
_WORD = re.compile(r"[a-z]+")
_ONLY_ENGLISH = (STOP | {"or", "not", "isn", "doesn", "don"}) - spanish.STOP
_ONLY_SPANISH = spanish.STOP - STOP
_MARKS = re.compile(r"[¿¡ñáéíóú]")


def language_of(text: str, otherwise: str = ENGLISH) -> str:
    """The language of a text by its small words; `otherwise` where they do not tell."""
    words = _WORD.findall(spanish.folded(text[:LOOKED_AT]))
    english = sum(word in _ONLY_ENGLISH for word in words)
    hispanic = sum(word in _ONLY_SPANISH for word in words)
    hispanic += len(_MARKS.findall(text[:LOOKED_AT].lower())) > 0
    if english == hispanic:
        return otherwise
    return ENGLISH if english > hispanic else SPANISH
