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
    _refuse_order(reader, of)
    _resolve_most_sold(reader, of)
    places = [i for i in reader.places(*_SIDES) if _is_asked(reader, i)]
    if not places:
        return
    both = {side for i in places for side in _SIDES if reader.tokens[i].means(side)}
    dropped = reader.has("figure_without") and len(both) == len(_SIDES)
    more, less = (_names(reader, of, table) for table in ("more_is_better", "less_is_better"))
    if not dropped and (less or not more):
        text = reader.tokens[places[0]].text
        raise NotUnderstood(f"`{text}` may mean the largest or the smallest: say which", (text,))
    tokens = list(reader.tokens)
    for i in places:
        tokens[i] = _as_extreme(tokens[i])
    reader.tokens = tokens
    reader.words = reader.words | {"figure_maximum", "figure_minimum"}


def _names(reader: Reader, of: Given, table: str) -> bool:
    """Whether the request, or a column of its data, has a word of a table."""
    texts = [*(token.text for token in reader.tokens), *of.columns]
    listed = [plain(w) for text in texts for w in text.replace("_", " ").split()]
    return any({stem(w), w.rstrip("s")} & words(table) for w in listed)


def _refuse_order(reader: Reader, of: Given) -> None:
    """`From best to worst` is from large to small, unless the values may be times or costs."""
    order = [t.text for t in reader.tokens if t.means("figure_best_first", "figure_worst_first")]
    if order and _names(reader, of, "less_is_better"):
        raise NotUnderstood(f"`{order[0]}` may begin with the largest or the smallest: say which")


def _resolve_most_sold(reader: Reader, of: Given) -> None:
    """`Sold the most` is the largest of values with names, else the most frequent value."""
    places = reader.places("figure_sold_most")
    if not places:
        return
    meant = "figure_maximum" if of.texts else "figure_mode"
    tokens = list(reader.tokens)
    for i in places:
        tokens[i] = replace(tokens[i], concepts=frozenset({meant}))
    reader.tokens = tokens
    reader.words = reader.words | {meant}


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
    introduces = any(token.kind == "list" for token in reader.tokens[place:end])
    beside = (*reader.tokens[max(0, place - 1) : place], *reader.tokens[place + 1 : place + 2])
    if any(token.kind == "number" for token in beside):
        return True
    asks = any(plain(word) in _ASKING for token in before for word in token.text.split())
    return asks and not introduces
