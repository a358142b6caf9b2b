"""Reads how many records a request wants, and which noun names the records."""

import re

from sandbox.reading import naming, patterns
from sandbox.reading.budget import spend
from sandbox.reading.numbers import WHOLE, number
from sandbox.reading.plain_text import Words

_VERB = (
    r"\b(?:generate|create|simulate|sample|draw|make|give me|produce|synthesi[sz]e|build|construct|"
    r"i need|i want|i'd like|get me|return|output|prepare|provide|compute|fabricate|mock up|"
    r"need|want|spin up|come up with|let's have|send me|show me|fill|populate)\b"
)


def counted(words: Words) -> tuple[float | None, str]:
    """The number of records, and the phrase that names them."""
    named = words.take(
        rf"\b(?:(?:sample size|sample_size)\s*+(?:of|=|:|is|should be)?|(?:number of (?:records|rows|samples|observations|users|customers|people|data ?points|values|\w+)|n_samples|rows|records)\s*+(?:of|=|:|is|should be))\s*+({WHOLE})(?!\s?%)"
    )
    if named:
        return number(named[1]), ""
    hyphened = words.take(
        rf"({WHOLE})[- ](?:row|record|line|sample|entry|point|person|user|customer)\b(?=s?\s)"
    )
    if hyphened:
        return number(hyphened[1]), ""
    nouns = r"(?:[A-Za-z][\w'-]*\s++){0,4}?(?:[A-Za-z][\w'-]*?s|people|data|children|men|women)\b"
    for pattern in (
        rf"{_VERB}[^.\n]{{0,60}}?({WHOLE})\s++(?P<noun>{nouns})",
        rf"({WHOLE})\s++(?P<noun>{nouns})",
    ):
        for match in patterns.finditer(pattern, words.text, re.I):
            spend()
            phrase = match["noun"]
            value = number(match[1])
            if value != int(value) or not _countable(phrase):
                continue
            words.blank(match.start(1), match.end(1))
            if not naming.cleaned(plain_noun(phrase)):  # `companies` names records, not a column
                words.blank(match.end("noun") - len(phrase.split()[-1]), match.end("noun"))
            words.take(r"\bn\s*+=(?=\s)")
            return value, phrase
    lettered = words.take(
        rf"\b(?:n|N|count|size|samples)\s*+(?:=|:|of)\s*+({WHOLE})(?!\s?%)|({WHOLE}) of (?:them|these|those)\b"
    )
    if lettered:
        return number(lettered[1] or lettered[2]), ""
    bare = words.take(
        rf"{_VERB}\s++(?:me\s++|a\s++(?:sample|dataset|set)\s++of\s++)?({WHOLE})\b(?!\s?%)|\b(?:sample|dataset|set|batch) of ({WHOLE})\b(?!\s?%)"
    )
    if bare:
        return number(bare[1] or bare[2]), ""
    return None, ""


_NOT_COUNTED = frozenset(
    """days hours minutes seconds weeks months years decimals places digits columns fields percent
    trials standard deviations decimal peaks modes categories groups levels significant
    features bins""".split()
)  # fmt: skip


def _countable(phrase: str) -> bool:
    words = phrase.lower().split()
    if words[-1] == "times" and len(words) > 1:
        return words[0] not in _NOT_COUNTED
    return words[0] not in _NOT_COUNTED and words[-1] not in _NOT_COUNTED


_ADORNED = re.compile(
    r"^(?:\w+ly|distributed|random|unique|distinct|non-?negative|positive|integers?|uniform|normal|gaussian|"
    r"poisson|exponential|lognormal|log-normal|binomial|bimodal|standard|beta|gamma|pareto|weibull|whole|times)$",
    re.I,
)


def plain_noun(phrase: str) -> list[str]:
    """The words of a counted noun phrase, without adjectives."""
    return [word for word in phrase.split() if not _ADORNED.match(word)]
