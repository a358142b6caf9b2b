"""Turns words of a request into the name of a column."""

import re
from collections.abc import Iterable

from sandbox.reading.tokens import Language


def column_name(words: Iterable[str], language: Language = "en") -> str:
    """Turn words into a column's name: `annual revenues` becomes `annual_revenue`."""
    parts = [part for word in words for part in _split(word)]
    if not parts:
        return ""
    if len(parts) == 1 and "_" in parts[0]:
        return parts[0].lower()
    parts = [part.lower() for part in parts]
    while len(parts) > 1 and parts[0] in _NO_NAMES:  # `50 numbers x` names the column x
        parts = parts[1:]
    if language == "es":  # in Spanish adjectives are in the plural too
        return "_".join(singular(part, language) for part in parts)
    return "_".join([*parts[:-1], singular(parts[-1], language)])


def _split(word: str) -> list[str]:
    spaced = "".join(
        f" {c}" if c.isupper() and i and word[i - 1].islower() else c for i, c in enumerate(word)
    )
    return spaced.replace("-", " ").split()


def singular(word: str, language: Language = "en") -> str:
    """The word without its plural ending."""
    if word in _IRREGULAR or len(word) < 4 or not word.endswith("s"):
        return _IRREGULAR.get(word, word)
    if language == "es":
        if word.endswith("ciones"):
            return word[:-4] + "ón"
        if re.search("[bcdfgpt]res$", word):  # nombres, padres
            return word[:-1]
        return word[:-2] if word.endswith("es") and word[-3] in "dlrnjyz" else word[:-1]
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word if word.endswith(_STAY) else word[:-1]


_NO_NAMES = frozenset({"numbers", "values", "números", "numeros", "valores", "variable"})
_STAY = ("ss", "us", "is", "ics", "news", "series")


_IRREGULAR = {
    "people": "person", "children": "child", "men": "man", "women": "woman", "indices": "index",
    "criteria": "criterion", "statuses": "status", "bonuses": "bonus", "diabetes": "diabetes",
    "gas": "gas", "país": "país", "pais": "pais", "países": "país", "paises": "pais", "species": "species", "meses": "mes", "mes": "mes", "series": "series", "ids": "id",
}  # fmt: skip
