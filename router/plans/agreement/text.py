"""Words as they are compared: lists of words, and text without capitals and accents. Pure."""

import unicodedata


def each(words: str) -> list[str]:
    """A list of words, written as a text."""
    return words.split()


def folded(text: str) -> str:
    """The text in lower case, without accents, `ß` as `ss`."""
    return without_accents(text.lower().replace("ß", "ss"))


def without_accents(text: str) -> str:
    bare = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in bare if not unicodedata.combining(letter))
