"""Whether two answers are one answer, as far as their words can say it. Pure.

Two short answers with other words are two answers: "4.5" and "5.4", "Paris" and "Rome". Two long
texts with other words may say the same, so they say nothing about the requests that they answer.
"""

import re

_LONGEST, _MOST_WORDS = 80, 6  # of an answer that can be compared by its words
_NUMBER = re.compile(r"\A-?\d++(?:\.(\d+))?\Z")
_LEADING_ZERO = re.compile(r"-?0\d")
_FEW = frozenset({"yes", "no", "true", "false", "si", "sí"})  # answers that many requests share


def is_short(answer: str) -> bool:
    text = answer.strip()
    return 0 < len(text) <= _LONGEST and "\n" not in text and len(text.split()) <= _MOST_WORDS


def is_common(answer: str) -> bool:
    """Whether so many requests have this answer that it says little about any of them."""
    return answer.strip(" .!").lower() in _FEW


def same_answer(first: str, second: str) -> bool:
    """Whether two answers have the same words, or are one number to the digits that both show."""
    first, second = (" ".join(text.split()).strip(" .!") for text in (first, second))
    if first == second:
        return bool(first)
    numbers = _NUMBER.match(first), _NUMBER.match(second)
    if numbers[0] is None or numbers[1] is None:
        return False
    if any(_LEADING_ZERO.match(text) for text in (first, second)):  # a code, and no number
        return False
    digits = min(len(number[1] or "") for number in numbers if number is not None)
    if digits == 0 and numbers[0][1] != numbers[1][1]:
        return float(first) == float(second)
    return abs(float(first) - float(second)) <= 0.5001 * 10.0**-digits
