"""Turns mentions into columns, each with a complete distribution or without a distribution."""

import re
from dataclasses import replace

from sandbox.reading import dates, distributions, naming, patterns, usual
from sandbox.reading.budget import spend
from sandbox.reading.categories import CategoryChoice
from sandbox.reading.counts import plain_noun
from sandbox.reading.limits import bounds, decimals_wanted, wants_integers
from sandbox.reading.mentions import Mention
from sandbox.reading.numbers import NUMBER, number
from sandbox.reading.plain_text import Words
from sandbox.spec import Distribution, Field

_INTEGERS = frozenset(
    """age count quantity qty employee_count headcount visit visits order_count number_of_employees
    child children year company_size employees num_employees floor bedrooms bathrooms room_count
    goals points_scored defects defect arrivals arrival call_count views clicks likes followers
    team_size household_size family_size""".split()
)  # fmt: skip


class NotUnderstood(Exception):
    """The request says something that a spec cannot express; the message says what."""


def columns(
    words: Words, mentions: list[Mention], noun: str
) -> tuple[list[Field], Distribution | None]:
    """The columns, and the distribution that the request gives to `both` or `all` columns."""
    text = words.text
    fields: list[Field] = []
    shared = None
    heads = [*(mention.head for mention in mentions[1:]), len(text)]
    ends = [0, *(mention.end for mention in mentions)]
    for mention, until, since in zip(mentions, heads, ends, strict=False):
        spend()
        region, earlier = text[mention.says_from : until], text[since : mention.start]
        made = _field(mention, region, earlier, text, noun)
        if made is None:
            continue
        made = _as_counted(made, noun)
        _all_numbers_used(mention, made, region)
        if not mention.name and _ALL.search(text[: mention.start]):
            shared = made.distribution
        elif made.name not in {field.name for field in fields}:
            fields.append(made)
        elif mention.family != "range":
            raise NotUnderstood(f"{made.name} is described twice")
    for mention, until in zip(mentions, heads, strict=False):
        spend()
        words.blank(min(mention.head, mention.start), until)
        if mention.from_earlier:
            for figure in patterns.finditer(NUMBER, text[: mention.head]):
                words.blank(*figure.span())
    return fields, shared


_UNIQUE = (
    r"\bunique\b|\bno (?:duplicates|repeats)\b|\bdistinct\b|"
    r"\bwithout (?:any )?(?:repetitions?|replacement|duplicates|repeats|repeating)\b"
)


def _as_counted(field: Field, noun: str) -> Field:
    """Apply the adjectives of the counted noun, as in `200 unique positive integers`."""
    if field.role != "number":
        return field
    low, decimals = field.low, field.decimals
    if low is None and patterns.search(r"\b(?:non-?negative|positive)\b", noun, re.I):
        low = 0.0
    if decimals is None and wants_integers(noun):
        decimals = 0
    unique = field.unique or bool(patterns.search(r"\b(?:unique|distinct)\b", noun, re.I))
    return replace(field, low=low, decimals=decimals, unique=unique)


_ALL = re.compile(
    r"\b(?:both|all|each|they)\b(?: of (?:them|which))?(?: variables| columns)?(?: are| is| being| follow| should be|,)*\s*+(?:an? |the )?$",
    re.I,
)


_PARAMETERS = {
    "exponential": 1,
    "poisson": 1,
    "standard": 0,
    "bernoulli": 1,
    "range": 0,
    "boolean": 0,
}


def _all_numbers_used(mention: Mention, made: Field, region: str) -> None:
    """Raise `NotUnderstood` if the text about a column has more numbers than the column uses."""
    if mention.family == "mixture":
        return
    allowed = _PARAMETERS.get(mention.family, 0 if made.role != "number" else 2)
    allowed += (made.low is not None) + (made.high is not None) + bool(made.decimals)
    figures = patterns.findall(NUMBER, patterns.sub(r"\^2|(?<=\))2", "", region))
    if len(figures) > allowed:
        raise NotUnderstood(f"{made.name}: the meaning of {figures[-1].strip()} is not understood")


def _field(mention: Mention, region: str, earlier: str, text: str, noun: str) -> Field | None:
    name = mention.name or naming.cleaned(plain_noun(noun)) or "value"
    phrase = text[mention.start : mention.end]
    match mention.family:
        case "category":
            assert mention.choice is not None
            return _category(name if mention.name else mention.choice.guess, mention.choice)
        case "date":
            span = dates.period(phrase + region[:40])
            if span is None:
                return None
            return Field(name, "date", start=span[0].isoformat(), end=span[1].isoformat())
        case "boolean":
            share = number(patterns.findall(NUMBER, phrase)[0])
            labels, weights = ("true", "false"), (share, round(1 - share, 12))
            of = Distribution("categorical", labels=labels, weights=weights)
            return Field(name, "boolean", of)
        case "range":
            both = distributions.span(phrase)
            if both is None:
                return None
            of = Distribution("uniform", {"low": both[0], "high": both[1]})
            return _number(name, of, region, whole=_both_whole(phrase))
    return _distributed(mention, name, region, earlier)


def _distributed(mention: Mention, name: str, region: str, earlier: str) -> Field:
    of = distributions.read(mention.family, region)
    if of is None:
        of = distributions.read(mention.family, earlier)
        mention.from_earlier = of is not None
    if of is None:
        return _usual(mention, name, region + earlier)
    uniform = mention.family == "uniform"
    whole = uniform and _both_whole(region) and wants_integers(region + earlier)
    return _number(name, of, region, whole=whole)


def _usual(mention: Mention, name: str, words: str) -> Field:
    """A field with the usual figures of a common quantity, such as age, if the text gives none."""
    answer = None if patterns.search(NUMBER, words) else usual.of(name, mention.family)
    if answer is None:
        raise NotUnderstood(f"the parameters of {name} ({mention.family}) are not all given")
    of, figures = answer
    low, high = (None, None) if of.family == "uniform" else (figures.low, figures.high)
    return Field(name, "number", of, low, high, decimals=figures.decimals)


def _category(name: str, choice: CategoryChoice) -> Field:
    if {label.lower() for label in choice.labels} <= {"true", "false"}:
        labels = tuple(label.lower() for label in choice.labels)
        return Field(
            name, "boolean", Distribution("categorical", labels=labels, weights=choice.weights)
        )
    return Field(
        name, "category", Distribution("categorical", labels=choice.labels, weights=choice.weights)
    )


def _number(name: str, of: Distribution, region: str, *, whole: bool) -> Field:
    low, high, clip = (None, None, False) if of.family == "uniform" else bounds(region)
    if of.family == "pareto" and low == of.parameters["minimum"]:
        low = None
    decimals = decimals_wanted(region)
    if decimals is None and (whole or name in _INTEGERS or of.discrete):
        decimals = 0
    unique = bool(patterns.search(_UNIQUE, region, re.I))
    return Field(name, "number", of, low, high, clip, decimals, unique)


def _both_whole(text: str) -> bool:
    figures = patterns.findall(NUMBER, text)[:2]
    return (
        len(figures) == 2
        and not any("." in n or "%" in n for n in figures)
        and not patterns.search(r"\b(?:float|decimal|real|continuous)", text, re.I)
    )
