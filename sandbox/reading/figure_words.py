"""Single words that the readers of figures know beside the lexicon, and what a token may be."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from sandbox.reading import lexicon
from sandbox.reading.lexicon import CHANGE, IDLE, SCENE
from sandbox.reading.reader import NO_LABELS
from sandbox.reading.tokens import Token

_MAY_BE_LABELS = frozenset(
    {"figure_sample", "figure_population", "figure_level", "figure_confidence"}
)
STOPS = frozenset({".", "?", "!", "\n"})


@cache
def words(table: str) -> frozenset[str]:
    """The words of a table of the file beside this module, as stems."""
    return _tables()[table]


@cache
def _tables() -> Mapping[str, frozenset[str]]:
    text = files("sandbox.reading").joinpath("figure_words.toml").read_text(encoding="utf-8")
    tables = tomllib.loads(text)
    return {name: frozenset(map(lexicon.stem, listed)) for name, listed in tables.items()}


def is_word(token: Token, table: str) -> bool:
    """Whether a token is a word of a table; of a phrase, whether all its words are."""
    return token.kind in ("word", "concept") and all(
        lexicon.stem(word) in words(table) for word in token.text.split()
    )


def is_idle(token: Token) -> bool:
    small = token.concepts & {IDLE, SCENE}
    return token.kind == "concept" and bool(small) and CHANGE not in token.concepts


def may_name(token: Token) -> bool:
    """Whether a token may be a part of what names or introduces data."""
    if token.kind == "quoted":
        return True
    if token.kind not in ("word", "concept") or token.concepts & NO_LABELS:
        return False
    if token.means("word_rest", "word_both_ways"):
        return False
    asks = {concept for concept in token.concepts if concept.startswith("figure_")}
    return not asks - _MAY_BE_LABELS and not is_word(token, "beyond")


def stems(text: str) -> tuple[str, ...]:
    """The stems of a column's name, in which an underscore counts as a blank."""
    cleaned = "".join(c if c.isalnum() or c in "²%'" else " " for c in text)
    return tuple(lexicon.stem(word) for word in cleaned.split())
