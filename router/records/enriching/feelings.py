"""How content a review is by its words, and how many stars go with it. Pure."""

from router.records.catalogue.tables import plain, values

_LISTS = ("good_word", "bad_word")
_TURNS = frozenset(("not", "no", "never", "hardly", "isn't", "nunca", "nada", "tampoco"))


def feeling(text: str) -> int:
    """Above 0 for a content review, below 0 for another; 0 if the words do not say."""
    words = plain(text).replace("'t", "'t ").split()
    words = [word.strip('.,;:!?()"') for word in words]
    good, bad = (frozenset(map(plain, (*values(k, "en"), *values(k, "es")))) for k in _LISTS)
    score = 0
    for n, word in enumerate(words):
        sign = 1 if word in good else -1 if word in bad else 0
        turned = bool(_TURNS & set(words[max(n - 2, 0) : n]))
        score += -sign if turned and sign > 0 else sign
    return score
