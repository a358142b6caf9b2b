"""Decides whether `best` means the largest or the smallest value of the data.

Among scores and sales the best is the largest. Among times or costs it may be either: then the
request must say which. If the best and the worst are both left out, it does not matter.
"""

from collections.abc import Sequence
from dataclasses import replace

from sandbox.reading.figure_words import STOPS, words
from sandbox.reading.figures_data import Given
from sandbox.reading.lexicon import plain, stem
from sandbox.reading.reader import Reader
from sandbox.reading.rules import NotUnderstood
from sandbox.reading.tokens import Token

_SIDES = {"figure_best": "figure_maximum", "figure_worst": "figure_minimum"}
_ASKING = frozenset("which who what whose cual cuales quien que el la the".split())


def resolve_best(reader: Reader, of: Given) -> None:
    """Replace `best` and `worst`, where the request asks for them, by the largest and smallest."""
    places = [i for i in reader.places(*_SIDES) if _is_asked(reader, i)]
    if not places:
        return
    both = {side for i in places for side in _SIDES if reader.tokens[i].means(side)}
    dropped = reader.has("figure_without") and len(both) == len(_SIDES)
    stems = {stem(word) for text in _texts(reader, of) for word in text.replace("_", " ").split()}
    more, less = stems & words("more_is_better"), stems & words("less_is_better")
    if not dropped and (less or not more):
        text = reader.tokens[places[0]].text
        raise NotUnderstood(f"`{text}` may mean the largest or the smallest: say which", (text,))
    tokens = list(reader.tokens)
    for i in places:
        tokens[i] = _as_extreme(tokens[i])
    reader.tokens = tokens
    reader.words = reader.words | {"figure_maximum", "figure_minimum"}


def _texts(reader: Reader, of: Given) -> list[str]:
    return [*(token.text for token in reader.tokens), *of.columns]


def _as_extreme(token: Token) -> Token:
    side = next(side for side in _SIDES if token.means(side))
    return replace(token, concepts=frozenset({_SIDES[side]}))


def _is_asked(reader: Reader, place: int) -> bool:
    """Whether a sentence asks for the best, or leaves it out; not `my best times were 12, 15`."""
    begin = place
    while begin and reader.tokens[begin - 1].stem not in STOPS:
        begin -= 1
    end = place
    while end < len(reader.tokens) and reader.tokens[end].stem not in STOPS:
        end += 1
    sentence: Sequence[Token] = reader.tokens[begin:end]
    if any(token.means("figure_without") for token in sentence):
        return True
    before = reader.tokens[begin:place]
    told = any(token.kind == "list" for token in reader.tokens[place:end])
    asks = any(plain(word) in _ASKING for token in before for word in token.text.split())
    return asks and not told
