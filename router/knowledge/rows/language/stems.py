"""The stem of a word, by which a verb is known from a noun: `recogieron`, `recogidas`. Pure."""

from functools import cache

_ENDINGS = sorted(
    (
        *("aciones", "acion", "iciones", "icion", "ciones", "cion", "adores", "adoras", "ador"),
        *("adora", "edores", "edor", "idores", "idor", "ando", "iendo", "aron", "ieron", "amos"),
        *(
            "imos",
            "emos",
            "aban",
            "ian",
            "adas",
            "ados",
            "idas",
            "idos",
            "ada",
            "ado",
            "ida",
            "ido",
        ),
        *("ar", "er", "ir", "an", "en", "as", "os", "es", "a", "e", "o", "io"),
        *(
            "ations",
            "ation",
            "ings",
            "ing",
            "ions",
            "ion",
            "ers",
            "ors",
            "or",
            "ed",
            "s",
            "ment",
            "ments",
            "ise",
        ),
    ),
    key=len,
    reverse=True,
)
_LEAST = 4  # letters of a stem; shorter stems are of many words
_SHORTEST = 6  # letters of a word that has a stem


@cache
def stem(word: str) -> str:
    """The word without its ending, or the empty text if too little is left."""
    if len(word) < _SHORTEST or not word.isalpha():
        return ""
    for ending in _ENDINGS:
        if word.endswith(ending):
            rest = word[: -len(ending)]
            return rest if len(rest) >= _LEAST else ""
    return word if len(word) > _SHORTEST else ""
