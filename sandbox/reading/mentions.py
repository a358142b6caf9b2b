"""Finds mentions: phrases that say how one column is distributed, with the column's name."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.reading import dates, distributions, naming, patterns
from sandbox.reading.budget import spend
from sandbox.reading.categories import CategoryChoice, choices
from sandbox.reading.numbers import NUMBER
from sandbox.reading.plain_text import column_name

_TO = rf"\s*+(?:and|to|-|,|\.\.)\s*+{NUMBER}"
_PATTERNS = (
    (
        "date",
        r"\b(?:[a-z]+[ _])?(?:dates?|timestamps?|datetimes?|day)\b[^.;\n]{0,30}?"
        rf"(?:between|from|in|over|within|during)\s++(?:the year )?{dates.DATE}(?:\s*+(?:and|to|-|through|until)\s*+{dates.DATE})?",
    ),
    (
        "range",
        rf"(?:\bbetween|\bfrom|\bin the range(?: of)?|\branging from|\brange(?::| of)?|\bin)\s*+[\[(]?{NUMBER}{_TO}|"
        rf"[(\[]\s*+{NUMBER}\s*+(?:-|to|\.\.)\s*+{NUMBER}\s*+[\])]|:\s*+{NUMBER}\s*+(?:-|to|\.\.)\s*+{NUMBER}(?=[^\S\n]*+(?:\n|\s*+(?:[,;.]|$)))",
    ),
    (
        "boolean",
        rf"(?:with )?(?:an? )?{NUMBER}(?<=%)?\s*+(?:probability|chance|prob\.?|likelihood) of (?:being |it being )?(?:true|yes|1)\b|"
        rf"\b(?:true|yes)\s++(?:with|for|in)?\s*+(?:an? )?(?:probability|prob|chance|p)?\s*+(?:of|=)?\s*+{NUMBER}(?: of)?|{NUMBER}\s++(?:are |is |being )?true\b",
    ),
)


@dataclass(slots=True)
class Mention:
    """A phrase about one column, and its place in the text."""

    start: int
    end: int  # end of the phrase, and of a name after it; the parameters begin at `says_from`
    family: str  # a family of distributions, or category, range, date, id, boolean
    name: str = ""
    head: int = 0  # where the column's name begins
    choice: CategoryChoice | None = None
    says_from: int = 0
    from_earlier: bool = False  # the parameters stand before the phrase


def mentions(text: str) -> list[Mention]:
    """All mentions in order, each with the name of its column."""
    disjoint: list[Mention] = []
    for mention in _all(text):
        spend()
        if all(mention.end <= m.start or mention.start >= m.end for m in disjoint):
            disjoint.append(mention)
    kept: list[Mention] = []
    for mention in sorted(disjoint, key=lambda m: m.start):
        spend()
        if _named(text, mention, kept[-1] if kept else None):
            kept.append(mention)
    return kept


def _all(text: str) -> Iterator[Mention]:
    """Candidates for mentions, the most specific first; a later candidate must not overlap them."""
    for choice in choices(text):
        yield Mention(choice.start, choice.end, "category", choice=choice)
    for family, pattern in distributions.FAMILIES:
        spend()
        for match in patterns.finditer(pattern, text, re.I if "[A-Z]" not in pattern else 0):
            yield Mention(match.start(), match.end(), family)
    for family, pattern in _PATTERNS:
        spend()
        for match in patterns.finditer(pattern, text, re.I):
            yield Mention(match.start(), match.end(), family)


def _named(text: str, mention: Mention, last: Mention | None) -> bool:
    """Set the name of the mention's column. False if the mention only adds to the last column."""
    mention.says_from, mention.head = mention.end, mention.start
    if mention.family == "date":
        mention.name = _date_name(text[mention.start : mention.end])
        return True
    if mention.choice is not None and mention.choice.name:
        mention.name, mention.head = mention.choice.name, mention.choice.head
        return True
    least = last.end if last is not None else 0
    name, head = _before(text, mention.start, least)
    right, end = "", 0
    if not name and mention.family not in ("category", "range", "boolean"):
        right, end = naming.after(text, mention.end)
        if not right:
            name, head = _before(text, mention.start, least, past_comma=True)
    if not name and not right:  # as in `age (mean 40, sd 12, normal)`
        opened = text.rfind("(", least, mention.start)
        if opened >= 0 and ")" not in text[opened : mention.start]:
            name, head = _before(text, opened, least)
    if not name and _says_more(text, mention, last):
        return False
    mention.name, mention.head = name or right, head
    if right and not name:
        mention.end = end
    return True


def _before(text: str, end: int, least: int, *, past_comma: bool = False) -> tuple[str, int]:
    name, head = naming.before(text, end, past_comma=past_comma)
    return (name, head) if name and head >= least else ("", end)


def _says_more(text: str, mention: Mention, last: Mention | None) -> bool:
    if mention.family == "range":
        return True  # a range bounds the column before it
    if last is None:
        return False
    if last.family == "mixture" and mention.family == "normal":
        return True  # the normal is a part of the mixture
    # `between 0 and 100 uniformly distributed` describes one column twice.
    return last.family == "range" and not text[last.end : mention.start].strip()


_DATES = re.compile(r"(?:dates?|timestamps?|datetimes?|day|\w+_date)$", re.I)


def _date_name(text: str) -> str:
    words = text.split()
    last = next(i for i, word in enumerate(words) if _DATES.match(word))
    kept = [w for w in words[: last + 1] if w.lower() not in ("with", "and", "a", "random", "the")]
    return column_name(" ".join(kept))
