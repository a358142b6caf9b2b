"""Finds the numbers of a text in all their written forms, each with the values it may stand for.

`1,000`, `1k`, `a thousand`, `12.5%`, `$3.2M`, `two dice` and `half` are numbers; `x1`, `COVID-19`
and `one of them` are none. Not promised: which of its values a number means, as in `a quarter`.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_WORDS_FILE = Path(__file__).parent / "number_words.toml"
_LONGEST = 20_000  # characters of a text that are read

_DIGITS = re.compile(
    r"""(?:(?<![\w.])(?<![A-Za-z]-)|(?-i:(?<=\b[A-Z]{3})))
    (?P<number>(?<!\d,)(?<!\d_)\d{1,3}(?:[,_]\d{3})++(?:\.\d+)?(?![\d,])
        | (?<!\d[ ])\d{1,3}(?:[ ]000)++(?!\d)
        | (?<!\d,)\d+,\d{1,2}(?![\d,]) | \d+(?:\.\d+)? | \.\d+)
    (?P<power>(?:\s*+[x*\u00d7]\s*+10\s*+\^?\s*+-?\d+)|e[-+]?\d+)?
    (?:(?P<fraction>/)(?P<below>\d+)(?!\s*[/\d]))?
    (?P<scale>(?:k|mm|mn|m|bn|b|tr)\b|\s+(?:k|hundred|thousand|million|billion|trillion|
        mil|millón|millones|ciento|cientos|bn|mn)\b|\s+dozens?\b)?
    (?P<percent>\s*(?:%|percent\b|per\s+cent\b|por\s+ciento\b|pp\b|points?\b))?
    (?P<basis>\s*(?:bps?\b|basis\b))?
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SCALES = {
    "k": 1e3, "m": 1e6, "mm": 1e6, "mn": 1e6, "bn": 1e9, "b": 1e9, "tr": 1e12, "hundred": 100.0,
    "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12, "mil": 1e3, "millón": 1e6,
    "millones": 1e6, "ciento": 100.0, "cientos": 100.0, "dozen": 12.0, "dozens": 12.0,
}  # fmt: skip
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number as it stands in a text, and the values it may stand for."""

    text: str
    values: tuple[float, ...]
    start: int
    end: int


@cache
def number_words() -> Mapping[str, tuple[float, ...]]:
    with _WORDS_FILE.open("rb") as file:
        words = tomllib.load(file)
    return {word: tuple(map(float, values)) for word, values in words["words"].items()}


@cache
def _multipliers() -> frozenset[str]:
    with _WORDS_FILE.open("rb") as file:
        return frozenset(tomllib.load(file)["multipliers"])


def quantities_in(text: str) -> tuple[Quantity, ...]:
    """The numbers of a text, in order: those in digits and those in words."""
    text = text[:_LONGEST]
    numbers = [_in_digits(match) for match in _DIGITS.finditer(text)]
    taken = [(each.start, each.end) for each in numbers]
    words = [
        each
        for each in _in_words(text)
        if not any(start < each.end and each.start < end for start, end in taken)
    ]
    return tuple(sorted((*numbers, *words), key=lambda each: each.start))


def _in_digits(match: re.Match[str]) -> Quantity:
    raw = match["number"]
    values = _readings(raw)
    if match["power"]:
        exponent = re.search(r"-?(?<!\d)\d++$", match["power"].replace("+", ""))
        values = [value * 10.0 ** max(min(float(exponent[0]), 300.0), -300.0) for value in values
                  if exponent is not None]  # fmt: skip
    if match["fraction"]:  # 3/4 is a number, and so are its two parts, as in `A/B` or a date
        below = float(match["below"])
        values = [*values, *([values[0] / below] if below else [])]
    if match["scale"]:
        scale = _SCALES[match["scale"].strip().lower()]
        values = [*(value * scale for value in values), *values]
    if match["percent"]:
        values = [*values, *(value / 100 for value in values)]
    if match["basis"]:
        values = [*values, *(value / 100 for value in values), *(value / 1e4 for value in values)]
    return Quantity(match[0].strip(), tuple(dict.fromkeys(values)), match.start(), match.end())


def _readings(raw: str) -> list[float]:
    """What digits with marks may mean: `1,000` is a thousand; `1,5` is 1.5, or 1 and 5."""
    plain = re.sub(r"[_ ]", "", raw)
    if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", plain):
        return [float(plain.replace(",", ""))]
    if "," in plain:
        return [float(plain.replace(",", ".")), float(plain.partition(",")[0])]
    if re.fullmatch(r"\d{1,3}\.\d{3}", plain):  # a thousand, as written in Spanish
        return [float(plain), float(plain.replace(".", ""))]
    return [float(plain)]


def _in_words(text: str) -> list[Quantity]:
    """Numbers in words; neighbours such as `twenty-five thousand` are one number."""
    numbers: list[Quantity] = []
    words, multipliers = number_words(), _multipliers()
    for match in _WORD.finditer(text):
        for start, word in _parts(match):
            low = word.lower()
            values = words.get(low)
            if values is None:
                continue
            here = Quantity(word, values, start, start + len(word))
            before = numbers[-1] if numbers else None
            if before is not None and re.fullmatch(
                r"\s*-?\s*(?:and\s+|y\s+)?", text[before.end : start]
            ):
                joined = _joined(before, here, times=low in multipliers)
                if joined is not None:
                    numbers[-1] = Quantity(
                        text[before.start : here.end], joined, before.start, here.end
                    )
                    continue
            numbers.append(here)
    return numbers


def _parts(match: re.Match[str]) -> list[tuple[int, str]]:
    start, parts = match.start(), []
    for part in match[0].split("-"):
        parts.append((start, part))
        start += len(part) + 1
    return parts


def _joined(before: Quantity, here: Quantity, *, times: bool) -> tuple[float, ...] | None:
    """Two neighbouring words of a number as one number; None if they are two numbers."""
    first, second = before.values[0], here.values[0]
    if times and first < second:
        return (first * second,)
    if first >= 20 and second < 10 and first % 10 == 0 and second >= 1:
        return (first + second,)
    if first >= 100 and 1 <= second < 100:
        return (first + second,)
    return None
