"""Whether a request needs a calculation at all: a cheap guess, before anybody reads the request.

The guess decides which plans may answer, not what the answer is. A wrong yes costs a call of a model
that says so; a wrong no leaves the request to the other plans. Pure, and without a model.
"""

import re
import tomllib
from functools import cache
from pathlib import Path

_FILE = Path(__file__).parent / "kind.toml"
_BEGINNING, _END = 2_400, 600  # characters of a long text that are read
_SHORT = 400  # characters of a request in which two numbers are no asides
_WORD = re.compile(r"[^\W\d_]+|\d[\d.,]*")
_SENTENCE = re.compile(
    r"(?:^|[.?!;])[ \t]{0,9}(?:[-*•>¿¡][ \t]{0,9})?"
    r"(?:(?:please|por favor,?|can you|could you|would you|kindly|i need you to|help me"
    r"|¿?(?:me |le |nos )?(?:puedes|podrías))[ \t]{1,9}){0,3}"
    r"([^\W\d_]+)(?:[ \t]{1,9}me\b)?(?:[ \t]{1,9}(?:an?|the|un|una|el|la|some|my|this)\b)?"
    r"[ \t]{0,9}([^\W\d_]*)",
    re.MULTILINE,
)
_YEAR = re.compile(r"(?:1[89]|20)\d\d\Z")
_PLAIN = frozenset({"what is", "what's", "whats", "cuál es", "cual es"})
_NUMBER = re.compile(r"\d[\d.,]*+")
_NAMED = re.compile(
    r"(?<![^\W_])([^\W\d_]{2,30}+)[ \t]{1,2}(?:#|no\. |nº )?\d{1,9}+"
    r"(?=[ \t]{0,2}(?:[?.!,;:)]+(?:\s|\Z)|\Z|\b(?:of|in|for|at|on|about|today|now|de|del|en|hoy)\b))"
)
_NO_NOUNS = frozenset(
    "is are be was and or of to by from than plus minus times over in at on for if about into with"
    " without between equals equal es son de del por entre más menos y o a en con the an its has"
    " sqrt log ln exp sin cos tan square cube root factorial first last next mod".split()
)  # a number after one of these is an amount
_CHOICES = re.compile(r"^[ \t]{0,9}\(?[B-D][.)]\s", re.MULTILINE)  # an answer is to be one of these
_CODE = re.compile(
    r"```|^[ \t]{0,9}(?:def|class|import|from|SELECT|#include|public|function)\b", re.MULTILINE
)


@cache
def _words() -> dict[str, frozenset[str]]:
    with _FILE.open("rb") as file:
        return {name: frozenset(words) for name, words in tomllib.load(file).items()}


@cache
def _phrases() -> re.Pattern[str]:
    phrases = sorted(_words()["phrases"], key=len, reverse=True)
    return re.compile("|".join(rf"\b{re.escape(phrase)}\b" for phrase in phrases))


def needs_calculation(text: str) -> bool:
    """Whether a request asks for figures or data that a program could compute."""
    low = _read_part(text).lower()
    words = _words()
    tokens = set(_WORD.findall(low))
    numbers = [token for token in tokens if token[0].isdigit()]
    counts = len(numbers) + len(tokens & words["numbers"])
    if (not counts and not tokens & words["chance"]) or len(_CHOICES.findall(text)) > 1:
        return False
    firsts = [(match[1], match[2]) for match in _SENTENCE.finditer(low)]
    asks = any(verb in words["verbs"] for verb, _ in firsts)
    if not asks and (_CODE.search(text) or any(_for_words(*first, words) for first in firsts)):
        return False
    if any(_for_words(*first, words) for first in firsts[:1]):
        return False
    if asks or tokens & words["figures"]:
        return True
    real = sum(not _YEAR.match(number) for number in numbers)
    if real >= (2 if len(low) < _SHORT else 4):
        return True
    return bool(_phrases().search(low)) and real + len(tokens & words["numbers"]) > 0


def names_calculation(text: str) -> bool:
    """Whether the words of a request ask for figures or data. Numbers alone ask for nothing: a poem
    for somebody who turns 80 has two of them. So does "what is" beside the numbers of names alone,
    as in "the status of order 17"."""
    low = _read_part(text).lower()
    words = _words()
    if any(match[1] in words["verbs"] for match in _SENTENCE.finditer(low)):
        return True
    figures = words["figures"] | words["chance"]
    if not figures.isdisjoint(_WORD.findall(low)):
        return True
    phrases = {match[0] for match in _phrases().finditer(low)}
    return bool(phrases) and not (phrases <= _PLAIN and _numbers_only_name(low))


def _numbers_only_name(low: str) -> bool:
    """Whether there are numbers, and each of them ends a name: `order 17`, `sector 7`."""
    numbers = len(_NUMBER.findall(low))
    named = sum(match[1] not in _NO_NOUNS for match in _NAMED.finditer(low))
    return 0 < numbers == named


def _read_part(text: str) -> str:
    if len(text) <= _BEGINNING + _END:
        return text
    return f"{text[:_BEGINNING]}\n{text[-_END:]}"


def _for_words(verb: str, what: str, words: dict[str, frozenset[str]]) -> bool:
    """Whether a sentence that begins so asks for words, or for code to be written."""
    if verb in words["wordy"]:
        return True
    return verb in words["making"] and what in words["texts"]
