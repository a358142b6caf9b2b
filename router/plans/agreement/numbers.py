"""Numbers in figures as people write them: `12,500`, `12.500,00`, `1 1/2`, `3e8`. Pure.

What could be two numbers is read as English has it: `1,500` is fifteen hundred, `1.500` is one and
a half.
"""

import re
from fractions import Fraction

_LONGEST = 40  # characters of a number
_GREATEST_POWER = 60
_DIGITS = re.compile(
    r"(?<![\d.,'])(?:"  # nothing is read from the middle of a number
    r"[1-9]\d{0,2}(?:,\d{3})++(?:\.\d++)?(?![\d,])"  # 12,500.00
    r"|[1-9]\d{0,2}(?:\.\d{3}){2,}+(?:,\d++)?(?![\d.])"  # 3.500.000
    r"|[1-9]\d{0,2}(?:\.\d{3})++,\d++(?![\d.,])"  # 12.500,00
    r"|[1-9]\d{0,2}(?:[ '\u00a0\u202f]\d{3})++(?:[.,]\d++)?(?![\d'])"  # 12 500
    r"|\d++,\d++(?![\d,.])"  # 3,5
    r"|\d*+\.\d++(?![\d.])|\d++)"
)
_POWER = re.compile(
    r"\s{0,3}[x\u00d7*·]\s{0,3}10\s{0,3}\^\s{0,3}(-?\d{1,3})(?!\d)|[eE]([+-]?\d{1,3})(?![\w.])"
)
_RATIO = re.compile(r"(?:(\d{1,6})\s++)?(\d{1,6})\s?/\s?(\d{1,6})(?![\d/])")
_VULGAR = {"½": "1/2", "⅓": "1/3", "⅔": "2/3", "¼": "1/4", "¾": "3/4", "⅕": "1/5", "⅛": "1/8"}


def with_ratios(text: str) -> str:
    """The text with `2½` as `2 1/2`."""
    for sign, ratio in _VULGAR.items():
        text = text.replace(sign, f" {ratio}")
    return text


def leading_figures(text: str) -> tuple[Fraction, str] | None:
    """The number in figures with which a text begins, and the rest of the text."""
    ratio = _RATIO.match(text)
    if ratio and int(ratio[3]):
        return int(ratio[1] or 0) + Fraction(int(ratio[2]), int(ratio[3])), text[ratio.end() :]
    match = _DIGITS.match(text)
    if match is None or len(match[0]) > _LONGEST:
        return None
    value = _read(match[0])
    if value is None:
        return None
    rest = text[match.end() :]
    power = _POWER.match(rest)
    if power:
        exponent = int(power[1] or power[2])
        if abs(exponent) > _GREATEST_POWER:
            return None
        value, rest = value * Fraction(10) ** exponent, rest[power.end() :]
    return value, rest


def _read(figures: str) -> Fraction | None:
    plain = re.sub(r"[ '\u00a0\u202f]", "", figures)
    if plain.isdigit() and len(plain) > 1 and plain[0] == "0":
        return None  # a code, such as 007
    if re.fullmatch(r"\d+(?:\.\d{3}){2,}(?:,\d+)?|\d+(?:\.\d{3})+,\d+", plain):
        plain = plain.replace(".", "").replace(",", ".")
    elif re.fullmatch(r"[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?", plain):
        plain = plain.replace(",", "")
    else:
        plain = plain.replace(",", ".")
    return Fraction(plain)
