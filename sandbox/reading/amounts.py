"""Reads numbers in the forms in which people write them: 1,000, 10k, $2.5M, 40%, half a million.

In Spanish a comma is the decimal mark and a point groups thousands, unless the request's other
numbers show the opposite. A number that can be read in two ways has `unclear`.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Marks = Literal[".", ","]

_UNITS = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen
fifteen sixteen seventeen eighteen nineteen""".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_UNIDADES = """cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce
quince dieciseis diecisiete dieciocho diecinueve veinte veintiuno veintidos veintitres veinticuatro
veinticinco veintiseis veintisiete veintiocho veintinueve""".split()
_DECENAS = "treinta cuarenta cincuenta sesenta setenta ochenta noventa".split()
_CIENTOS = """cien ciento:1 doscientos doscientas:2 trescientos trescientas:3 cuatrocientos:4
quinientos quinientas:5 seiscientos:6 setecientos:7 ochocientos:8 novecientos:9""".split()
WORDS: dict[str, float] = {
    **{word: i for i, word in enumerate(_UNITS)},
    **{word: 20 + 10 * i for i, word in enumerate(_TENS)},
    **{word: i for i, word in enumerate(_UNIDADES)},
    **{word: 30 + 10 * i for i, word in enumerate(_DECENAS)},
    "un": 1, "una": 1,
    "cien": 100, "ciento": 100, "doscientos": 200, "doscientas": 200, "trescientos": 300,
    "trescientas": 300, "cuatrocientos": 400, "cuatrocientas": 400, "quinientos": 500,
    "quinientas": 500, "seiscientos": 600, "seiscientas": 600, "setecientos": 700,
    "ochocientos": 800, "novecientos": 900,
}  # fmt: skip
SCALES: dict[str, float] = {
    "hundred": 100, "thousand": 1e3, "million": 1e6, "billion": 1e9, "dozen": 12,
    "mil": 1e3, "millon": 1e6, "millones": 1e6, "docena": 12, "docenas": 12, "k": 1e3,
    "hundreds": 100, "thousands": 1e3, "millions": 1e6, "bn": 1e9, "mn": 1e6, "mio": 1e6,
    "trillion": 1e12,
}  # fmt: skip
SUFFIXES = {"k": 1e3, "m": 1e6, "b": 1e9, "bn": 1e9, "mn": 1e6, "mm": 1e6}
DIGITS = re.compile(
    r"(?P<sign>[-+−])?(?:(?P<currency>US\$|[$€£¥])\s?)?(?P<digits>\d+(?:[.,'_\u00a0\u202f]\d+)*|(?<![\w.])\.\d+)"
    r"(?P<exponent>[eE][-+]?\d{1,3}(?!\w))?"
    r"(?:(?P<suffix>[kK]|[mM]|[bB]n?|MM)(?!\w))?(?P<ordinal>(?:st|nd|rd|th|º|ª|er|ro|do|to)(?!\w))?"
)
_GROUPED = re.compile(r"\d{1,3}(?:[,.'_\u00a0\u202f]\d{3})+(?:[.,]\d+)?|\d+[.,]\d+|\d+|[.,]\d+")


@dataclass(frozen=True, slots=True)
class Figure:
    value: float
    unclear: bool = False


def decimal_mark(text: str, *, spanish: bool) -> Marks:
    """The decimal mark that the numbers of a text use."""
    if not spanish:
        return "."
    points = len(re.findall(r"(?<![\d.,])\d+\.(?:\d{1,2}|\d{4,})(?![\d.,]*\d)", text))
    points += len(re.findall(r"(?<![\d.,])0\.\d+|\d,\d{3}\.\d", text))
    commas = len(re.findall(r"(?<![\d.,])\d+,(?:\d{1,2}|\d{4,})(?![\d]|,\d)", text))
    commas += len(re.findall(r"(?<![\d.,])0,\d+|\d\.\d{3},\d", text))
    return "." if points > commas else ","


def separate(digits: str, mark: Marks, *, bracketed: bool, called: bool = False) -> list[str]:
    """The numbers that commas without blanks separate, as in [1,2,3]; mostly it is one number."""
    if "," not in digits:
        return [digits]
    parts = digits.split(",")
    grouped = _GROUPED.fullmatch(digits) is not None and digits.count(",") <= 1 + (mark == ".") * 9
    if mark == "." and (bracketed or not grouped):
        return parts
    if mark == "," and (bracketed or (len(parts) > 2 and not grouped)):
        return parts
    if mark == "," and called and len(parts) == 2:
        return parts
    return [digits]


def doubtful(text: str, mark: Marks, *, spanish: bool) -> "re.Pattern[str] | None":
    """The numbers of a text whose point may be a decimal point or group thousands; None if none.

    With decimal commas, 3.125 is doubtful if no other number shows what a point means; with decimal
    points, 12.000 is.
    """
    if not spanish:
        return None
    if mark == ".":
        return re.compile(r"[1-9]\d{0,2}\.000")
    alone = len(re.findall(r"(?<![\d.,])[1-9]\d{0,2}\.\d{3}(?![\d.,]*\d)", text)) == 1
    return (
        re.compile(r"[1-9]\d{0,2}\.\d{2}[1-9]") if alone and not re.search(r"\d,\d", text) else None
    )


def figure(digits: str, mark: Marks) -> Figure:
    """The value of digits, in which `mark` is the decimal mark."""
    digits = digits.replace("'", "").replace("_", "").replace("\u00a0", "").replace("\u202f", "")
    other = "," if mark == "." else "."
    if digits[0] == ".":
        return Figure(float("0" + digits))
    if digits.isdigit():
        return Figure(float(digits))
    head, *tail = digits.split(mark)
    if len(tail) > 1 or other in "".join(tail):  # the other mark is the decimal one: 1.234,5
        head, *tail = digits.split(other)
        mark, other = ("," if mark == "." else "."), mark
    groups = head.split(other)
    unclear = len(tail) > 1 or any(len(group) != 3 for group in groups[1:])
    unclear = unclear or (len(groups) > 1 and len(groups[0]) > 3)
    whole, share = "".join(groups), "".join(tail)
    decimal = len(groups) == 2 and (len(groups[1]) != 3 or groups[0] == "0")
    if not tail and decimal:  # 1,5 in an English request
        return Figure(float(f"{groups[0]}.{groups[1]}"))
    if not whole.isdigit() or (share and not share.isdigit()):
        return Figure(0.0, unclear=True)
    # 1,250 with a decimal comma: perhaps it is one thousand two hundred and fifty.
    if mark == "," and len(groups) == 1 and len(share) == 3 and whole != "0":
        return (
            Figure(float(whole + share))
            if share == "000"
            else Figure(float(f"{whole}.{share}"), True)
        )
    return Figure(float(f"{whole}.{share or 0}"), unclear)


def suffixed(value: float, suffix: str, *, money: bool) -> float | None:
    """The value with its suffix; None if the suffix may be a unit, such as metres in `5m`."""
    low = suffix.lower()
    if low == "m" and not money and suffix != "M":
        return None
    return times(value, SUFFIXES[low])


def times(value: float, factor: float) -> float:
    """The product as people write it: 2.05 millions are 2050000, not 2049999.9999999998."""
    return float(Decimal(repr(value)) * Decimal(repr(factor)))


# Words that a number in words may begin with.
BEGINNINGS = frozenset({*WORDS, *SCALES, "half", "medio", "a", "an", "un", "una"})


def in_words(words: list[str]) -> tuple[float, int] | None:
    """The number that words begin with, and how many words it takes; None if it is no number."""
    total, current, used, after_scale = 0.0, 0.0, 0, False
    at = 0
    if words[:2] in (["half", "a"], ["medio", "millon"]) and len(words) > 1:
        scale = SCALES.get(words[2] if words[0] == "half" and len(words) > 2 else words[1])
        return (scale / 2, 3 if words[0] == "half" else 2) if scale else None
    if words[0] in ("a", "an", "un", "una") and len(words) > 1:
        if words[1] not in SCALES or words[1] == "k":
            return None
        current, at = 1.0, 1
    while at < len(words):
        word = words[at]
        if word in WORDS and (at > 0 or word not in ("un", "una")):
            after_tens = current % 100 >= 20 and WORDS[word] < 10
            after_hundreds = current >= 100 and WORDS[word] < 100
            if used and not (after_scale or after_tens or after_hundreds):
                break
            current += WORDS[word]
            after_scale = False
        elif word in SCALES and word != "k" and (used or at or word == "mil"):
            scale = SCALES[word]
            if scale >= 1000:
                total += (current or 1.0) * scale
                current = 0.0
            else:
                current = (current or 1.0) * scale
            after_scale = True
        elif word in ("and", "y") and used and at + 1 < len(words) and words[at + 1] in WORDS:
            fits = (word == "y" and current % 10 == 0 and current % 100 >= 30) or (
                word == "and" and after_scale
            )
            if not fits:
                break
            at += 1
            continue
        else:
            break
        at += 1
        used = at
    return (total + current, used) if used else None
