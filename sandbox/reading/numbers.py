"""Reads numbers in the forms in which people write them: 1,000, 10k, $2.5M, 40%, half a million."""

import re

_WORDS = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14,
    "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20,
    "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80,
    "ninety": 90, "dozen": 12,
}  # fmt: skip
_SCALES = {
    "hundred": 100, "thousand": 1000, "k": 1000, "million": 1e6, "m": 1e6, "mn": 1e6,
    "billion": 1e9, "bn": 1e9, "b": 1e9, "mio": 1e6,
}  # fmt: skip

_DIGITS = r"(?:\d{1,3}(?:[,_]\d{3}){1,8}(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)(?:e[-+]?\d+)?"
_SCALE = r"(?:\s?(?:hundred|thousand|million|billion|mio|bn|mn)\b|\s?[kKmMB]\b)?"
# A number in digits, with its sign, currency and scale.
NUMBER = rf"(?:[-+]?\s?[$€£]?\s?(?<![\w.]){_DIGITS}{_SCALE}\s?%?)"
_WORD = "|".join(sorted(_WORDS, key=len, reverse=True))
# A whole number in digits or words.
WHOLE = (
    rf"(?:(?<![\w.])(?:{_DIGITS}{_SCALE})(?!\s?%)|"
    rf"(?:half a|a|one|{_WORD})\s(?:hundred|thousand|million|dozen)|\b(?:{_WORD})\b)"
)
_READ = re.compile(
    rf"\s*+([-+]?)\s?[$€£]?\s?({_DIGITS})\s?(hundred|thousand|million|billion|mio|bn|mn|[kmb])?\s?(%)?",
    re.I,
)


def number(text: str) -> float:
    """The value of a text that `NUMBER` or `WHOLE` matched. 40% is 0.4."""
    match = _READ.match(text)
    if match is None:
        return _in_words(text)
    sign, digits, scale, percent = match.groups()
    value = float(digits.replace(",", "").replace("_", ""))
    value *= _SCALES.get((scale or "").lower(), 1)
    if percent:
        value /= 100
    return -value if sign == "-" else value


def _in_words(text: str) -> float:
    total = 1.0
    for word in text.lower().split():
        if word == "half":
            total *= 0.5
        elif word != "a":
            total *= _WORDS.get(word, _SCALES.get(word, 1))
    return total
