"""The magnitude of numbers like the examples: 2015 is a year, 0.28 a share, 3 is 1 to 10. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random

_YEARS = (1900, 2100)
_LAST_YEAR = 2026
_IN_HUNDREDTHS = frozenset({"share", "tax_rate"})
_MONEY = frozenset(
    (
        "price unit_price msrp cost subtotal tax total amount shipping_cost balance hourly_rate"
    ).split()
)
# What no value of a concept leaves, whatever the examples are.
_LIMITS = {
    "age": (0, 110), "percentage": (0, 100), "latitude": (-90, 90), "longitude": (-180, 180),
    "month_number": (1, 12), "discount": (0, 100), "humidity": (0, 100), "days": (0, 400),
    "floor": (0, 60), "heart_rate": (35, 210), "rooms": (0, 20), "height": (0, 260),
    "bmi": (12, 50), "temperature": (-40, 60),
}  # fmt: skip
_YEAR_NAMES = frozenset({"year", "birth_year", "founded"})
_NARROW = frozenset({"age", "height", "heart_rate", "pressure", "bmi", "latitude", "temperature"})


@dataclass(frozen=True, slots=True)
class Magnitude:
    """Where numbers lie, how finely they are written, and whether they count on."""

    least: float
    most: float
    decimals: int = 0
    step: float = 0.0
    endings: tuple[int, ...] = ()  # of prices, in hundredths: 99, 95
    counts_on: bool = False  # the numbers of a series, each above the last

    def draw(self, chance: Random, index: int = 0) -> float | int:
        if self.counts_on:
            return int(self.least + index * (self.step or 1))
        if self.decimals == 0:
            step = int(self.step) or 1
            low, high = math.ceil(self.least / step), math.floor(self.most / step)
            return chance.randint(low, max(low, high)) * step
        value = chance.triangular(self.least, self.most, (2 * self.least + self.most) / 3)
        if self.endings and value > 1:
            value = math.floor(value) + chance.choice(self.endings) / 100
        elif self.step:
            value = round(value / self.step) * self.step
        return round(min(max(value, self.least), self.most), self.decimals)


def magnitude_of(
    examples: Sequence[float], concept: str = "", *, counts_on: bool = False, whole: bool = False
) -> Magnitude:
    """The magnitude of numbers like these; `counts_on`: they number something, such as orders."""
    low, high = min(examples), max(examples)
    decimals = max(_decimals(value) for value in examples)
    if len(examples) > 1 and low == high and not counts_on:
        return Magnitude(low, high, decimals)
    integers = whole or (decimals == 0 and all(isinstance(value, int) for value in examples))
    if counts_on and integers:
        steps = {int(b - a) for a, b in pairwise(examples)}
        step = steps.pop() if len(steps) == 1 and min(steps, default=0) > 0 else 1
        return Magnitude(high + step, high + step, 0, step, counts_on=True)
    if concept in ("latitude", "longitude"):
        spread = max(high - low, 0.5)
        return _limited(concept, low - spread, high + spread, max(decimals, 4))
    if _are_years(examples, concept, integers):
        return Magnitude(max(low - 15, _YEARS[0]), min(high + 10, max(_LAST_YEAR, high)))
    if concept in _IN_HUNDREDTHS or _are_shares(examples, integers):
        most = 1.0 if concept not in _IN_HUNDREDTHS or concept == "share" else high * 1.25
        few = concept == "tax_rate" or high <= 0.1
        return Magnitude(
            low / 3 if few else 0.0, min(most, high * 3) if few else 1.0, max(decimals, 2)
        )
    if integers:
        return _of_integers(examples, concept)
    return _of_decimals(examples, concept, decimals)


def _of_integers(examples: Sequence[float], concept: str) -> Magnitude:
    low, high = min(examples), max(examples)
    if concept in ("rating", "risk") and low >= 0 and high <= 10:
        return Magnitude(1, 5 if high <= 5 else 10)
    if concept == "percentage" and low >= 0 and high <= 100:
        return Magnitude(0, 100)
    if low >= 0 and high <= 10:
        return Magnitude(min(low, 1), max(10 if len(examples) < 3 else high + 2, high))
    step = _roundness(examples)
    if low < 0:
        spread = max(high - low, abs(low), abs(high))
        return _limited(concept, low - spread / 2, high + spread / 2, 0, step)
    wide = _width(examples, concept)
    return _limited(concept, low / wide, high * wide, 0, step)


def _of_decimals(examples: Sequence[float], concept: str, decimals: int) -> Magnitude:
    low, high = min(examples), max(examples)
    if concept in ("rating", "grade", "score") and low >= 0 and high <= 10:
        return Magnitude(1 if high <= 5 else 2, 5 if high <= 5 else 10, decimals)
    endings: tuple[int, ...] = ()
    if concept in _MONEY or (not concept and decimals == 2):
        decimals = max(decimals, 2)
        cents = [round(value * 100) % 100 for value in examples]
        endings = (
            tuple(sorted(set(cents))) if all(c in (0, 49, 50, 90, 95, 99) for c in cents) else ()
        )
    if low < 0:
        spread = max(high - low, abs(low), abs(high))
        return _limited(concept, low - spread / 2, high + spread / 2, decimals)
    wide = _width(examples, concept)
    return _limited(concept, low / wide, high * wide, decimals, 0.0, endings)


def _width(examples: Sequence[float], concept: str) -> float:
    """How far beyond the examples other values go: the less, the more examples there are."""
    if concept in _NARROW:
        return 1.3
    return {1: 2.5, 2: 1.8}.get(len(set(examples)), 1.3)


def _limited(
    concept: str,
    low: float,
    high: float,
    decimals: int,
    step: float = 0.0,
    endings: tuple[int, ...] = (),
) -> Magnitude:
    least, most = _LIMITS.get(concept, (-math.inf, math.inf))
    if low > most or high < least:  # the examples are beyond what is usual
        least, most = -math.inf, math.inf
    return Magnitude(max(low, least), min(high, most), decimals, step, endings)


def _are_years(examples: Sequence[float], concept: str, integers: bool) -> bool:
    in_range = integers and all(_YEARS[0] <= value <= _YEARS[1] for value in examples)
    return in_range and (not concept or concept in _YEAR_NAMES)


def _are_shares(examples: Sequence[float], integers: bool) -> bool:
    return not integers and all(0 <= value <= 1 for value in examples)


def _roundness(examples: Sequence[float]) -> float:
    """The largest power of ten (or half of it) that divides every example; 1 if they are odd."""
    shared = math.gcd(*(int(value) for value in examples if value)) if any(examples) else 1
    step = 1
    while shared % (step * 10) == 0 and step * 10 <= max(map(abs, examples)) / 5:
        step *= 10
    if shared % (step * 5) == 0 and step * 5 <= max(map(abs, examples)) / 5:
        step *= 5
    return float(step)


def _decimals(value: float) -> int:
    if isinstance(value, int):
        return 0
    text = f"{value:.6f}".rstrip("0")
    return max(len(text) - text.index(".") - 1, 1)
