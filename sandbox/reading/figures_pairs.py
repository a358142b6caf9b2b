"""Reads averages and totals of pairs that prose gives: marks with their weights, amounts with prices.

`Homework 85 (20%), midterm 78 (30%), final 91 (50%)`, `3 kg at 2.50 and 5 kg at 2.20`, `12 pupils
got 5 and 8 got 6`. All numbers of the request must be such pairs, in one order; weights in percent
must add up to 100.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from sandbox.reading.figure_words import is_word
from sandbox.reading.lexicon import IDLE, SCENE, plain
from sandbox.reading.reader import Reader, may_be_label
from sandbox.reading.rules import NotUnderstood, Rule
from sandbox.reading.tokens import Token
from sandbox.spec import Analysis, Spec

_MOST_WORDS = 6  # between the numbers of a pair
_SOFT = frozenset("(),;:.-='\n@*/|")
_AVERAGES = ("pair_final_grade", "pair_gpa", "pair_weighted", "mean", "pair_portfolio_return")
_TOTALS = ("pair_total", "pair_sum")


@dataclass(frozen=True, slots=True)
class _Pairs:
    values: tuple[float, ...]
    weights: tuple[float, ...]
    multiplied: bool = False  # amounts with prices, of which a total makes sense


def _read(reader: Reader) -> Spec | None:
    if reader.table:
        return None
    pairs = _weighted(reader) or _credited(reader) or _priced(reader) or _counted(reader)
    if pairs is None:
        return None
    for place in reader.places(*_TOTALS, *_AVERAGES):
        _take_noun(reader, place)
    total = reader.take_all(*_TOTALS)
    average = reader.take_all(*_AVERAGES)
    if bool(total) is bool(average) or (total and not pairs.multiplied):
        return None
    reader.take_all("pair_each")
    data = {"value": _plain(pairs.values), "weights": _plain(pairs.weights)}
    if total:
        analysis = Analysis("sum_of_products", ("value", "weights"))
    else:
        analysis = Analysis("weighted_mean", ("value",), "", {"weights": "weights"})
    return Spec("analyse", analyses=(analysis,), data=data)


def _plain(values: Sequence[float]) -> tuple[int | float, ...]:
    return tuple(int(v) if v == int(v) else round(v, 12) for v in values)


def _weighted(reader: Reader) -> _Pairs | None:
    """Values, and shares in percent that add up to 100."""
    places = reader.free("number")
    tokens = [reader.tokens[i] for i in places]
    rest = reader.places("pair_rest")
    if not any(token.unit == "%" for token in tokens):
        return None
    last_share = None
    if len(places) % 2 and rest:
        last_share = 1 - math.fsum(t.value for t in tokens if t.unit == "%")
        half = any(
            "half" in reader.tokens[i].stem or "mitad" in reader.tokens[i].stem for i in rest
        )
        if not 0 < last_share < 1 or (half and not math.isclose(last_share, 0.5)):
            raise NotUnderstood("the weights do not add up to 100%")
    first, second = tokens[0::2], tokens[1::2]
    if len(first) - len(second) != (last_share is not None) or len(first) < 2:
        return None
    if not _side_by_side(reader, places, "pair_counts", "pair_rest", "pair_portfolio"):
        return None
    values, weights = _sides(reader, first, second)
    if values is None or weights is None:
        return None
    shares = [token.value for token in weights] + ([last_share] if last_share is not None else [])
    if not math.isclose(math.fsum(shares), 1, rel_tol=1e-9):
        raise NotUnderstood(f"the weights add up to {100 * math.fsum(shares):g}%, and not to 100%")
    _take(reader, places, "pair_counts", "pair_rest", "pair_portfolio")
    scale = 100 if values[0].unit == "%" else 1
    return _Pairs(tuple(t.value * scale for t in values), tuple(round(100 * s, 9) for s in shares))


def _sides(
    reader: Reader, first: Sequence[Token], second: Sequence[Token]
) -> tuple[Sequence[Token] | None, Sequence[Token] | None]:
    """Which of the two sides are the values, and which the weights."""
    shares = [all(token.unit == "%" for token in side) for side in (first, second)]
    if shares == [True, True] and reader.has("pair_portfolio"):
        whole = [math.isclose(math.fsum(t.value for t in side), 1) for side in (first, second)]
        if whole[0] is whole[1]:
            return None, None
        return (second, first) if whole[0] else (first, second)
    if shares[0] is shares[1] or any(t.unit not in ("", "%") for t in (*first, *second)):
        return None, None
    values, weights = (second, first) if shares[0] else (first, second)
    if any(token.unit == "%" for token in values):
        return None, None
    return values, weights


def _priced(reader: Reader) -> _Pairs | None:
    """Amounts, each with its price or grade: `3 kg at 2.50`."""
    places = reader.free("number")
    tokens = [reader.tokens[i] for i in places]
    if len(places) < 4 or len(places) % 2 or any(t.unit in ("%", "th") for t in tokens):
        return None
    links = [
        [j for j in range(a + 1, b) if reader.tokens[j].means("pair_at")]
        for a, b in zip(places[0::2], places[1::2], strict=True)
    ]
    amounts, prices = tokens[0::2], tokens[1::2]
    units = [reader.tokens[i + 1].stem for i in places[0::2]]
    for i in reader.places("each"):
        if i + 1 < len(reader.tokens) and reader.tokens[i + 1].stem in units:
            reader.taken.update((i, i + 1))
    alike = len({t.unit for t in prices}) == 1 and not any(t.unit for t in amounts)
    if not all(links) or not alike or not _side_by_side(reader, places, "pair_at", "pair_each"):
        return None
    money = prices[0].unit == "$" or reader.has("pair_total", "pair_each")
    money = money or any(t.stem == "@" for t in reader.tokens)
    if not money and not reader.has("pair_gpa", "pair_weighted", "pair_final_grade", "mean"):
        return None
    reader.taken.update(j for listed in links for j in listed)
    _take(reader, places, "pair_each")
    return _Pairs(tuple(t.value for t in prices), tuple(t.value for t in amounts), True)


def _credited(reader: Reader) -> _Pairs | None:
    """Marks, each with its credits: `Calculus 7.2 (6 credits)`."""
    places = reader.free("number")
    tokens = [reader.tokens[i] for i in places]
    if len(places) < 4 or len(places) % 2 or any(token.unit for token in tokens):
        return None
    credits = [reader.tokens[i + 1 : i + 2] for i in places[1::2]]
    if not all(after and after[0].means("pair_credit") for after in credits):
        return None
    if not _side_by_side(reader, places, "pair_credit"):
        return None
    _take(reader, places, "pair_credit")
    reader.take_all("pair_credit")
    return _Pairs(tuple(t.value for t in tokens[0::2]), tuple(t.value for t in tokens[1::2]))


def _counted(reader: Reader) -> _Pairs | None:
    """How many have each value: `12 pupils got 5 and 8 got 6`, `120 five-star reviews`."""
    places = reader.free("number")
    tokens = [reader.tokens[i] for i in places]
    if len(places) < 4 or len(places) % 2 or any(t.unit for t in tokens[0::2]):
        return None
    counts, values = tokens[0::2], tokens[1::2]
    if any(t.value != int(t.value) or t.value < 0 for t in counts):
        return None
    stars = reader.has("pair_star")
    for a, b in zip(places[0::2], places[1::2], strict=True):
        linked = any(reader.tokens[j].means("pair_scored") for j in range(a + 1, b))
        starred = stars and any(t.means("pair_star") for t in reader.tokens[b + 1 : b + 3])
        if not linked and not starred:
            return None
    nouns = {_noun_after(reader, i) for i in places[1::2]} - {""}
    if (
        len({t.unit for t in values}) > 1
        or len(nouns) > 1
        or not _side_by_side(reader, places, "pair_scored", "pair_star")
    ):
        return None
    _take(reader, places, "pair_scored", "pair_star")
    scale = 100 if values[0].unit == "%" else 1
    return _Pairs(tuple(t.value * scale for t in values), tuple(t.value for t in counts))


def _noun_after(reader: Reader, place: int) -> str:
    after = reader.tokens[place + 1 : place + 2]
    noun = (
        bool(after)
        and (may_be_label(after[0]) or after[0].means(SCENE))
        and not after[0].means("pair_scored", "pair_star")
    )
    return after[0].stem if noun else ""


def _side_by_side(reader: Reader, places: Sequence[int], *concepts: str) -> bool:
    """Whether only names, marks and these concepts stand between the numbers."""
    for a, b in pairwise(places):
        free = [reader.tokens[i] for i in range(a + 1, b) if i not in reader.taken]
        between = [t for t in free if t.stem not in _SOFT and not t.means("pair_part")]
        named = [t for t in between if not (t.concepts & {IDLE, SCENE} or t.means(*concepts))]
        if len(named) > _MOST_WORDS or not all(map(may_be_label, named)):
            return False
        if any(is_word(t, "beyond") for t in named) or any(is_word(t, "reversing") for t in free):
            return False
    return True


def _take_noun(reader: Reader, place: int) -> None:
    """The words after `average` or `total` that name the values once more."""
    before = reader.tokens[place - 1] if place else None
    if reader.language == "es" and before is not None and _names_values(before):
        reader.taken.add(place - 1)  # `precio medio`
    for i in range(place + 1, min(place + 4, len(reader.tokens))):
        token = reader.tokens[i]
        if i in reader.taken or token.means(*_TOTALS, *_AVERAGES) or not _names_values(token):
            return
        reader.taken.add(i)


def _names_values(token: Token) -> bool:
    other = is_word(token, "beyond") or is_word(token, "derived_of_pairs")
    return may_be_label(token) and not other


def _take(reader: Reader, places: Sequence[int], *concepts: str) -> None:
    """Take the numbers, the words of these concepts from the first on, and the names as labels."""
    first, last = min(places), max(places)
    for i in places:
        reader.label(i)
    reader.taken.update(i for i in reader.places("pair_part") if i < first)
    for i in range(first, min(last + 4, len(reader.tokens))):
        token = reader.tokens[i]
        if i in places or token.means(*concepts, "pair_part") or (i < last and token.stem in _SOFT):
            reader.taken.add(i)
        elif i < last and may_be_label(token) and plain(token.text).isalpha():
            reader.labels.add(token.stem)


PAIRS = Rule(
    "an average or a total of values with weights",
    frozenset((*_AVERAGES, *_TOTALS)),
    _read,
    "values, each with its weight in percent, its number or its price",
    words="pairs",
)
